"""The training job of a model: what Upkeep fills in of it, and what it would not. Called by publish_files.py."""

import re
import shlex
from collections.abc import Iterator

from shared.adapters.azureml_files import JobFile

INPUTS = frozenset({"manifest", "parts", "champion", "champion_version"})
OUTPUTS = frozenset({"model", "evaluation"})
_BINDING = re.compile(r"\$\{\{\s*(inputs|outputs)\.(\w+)\s*\}\}")


def problems(job: JobFile) -> Iterator[str]:
    """Inputs and outputs that Upkeep would not fill in, or that the command forgets."""
    used = {"inputs": set[str](), "outputs": set[str]()}
    for kind, name in _BINDING.findall(job.command):
        used[kind].add(name)
    literals = {name for name, value in job.inputs.items() if value is not None}
    for name in sorted(job.inputs.keys() - literals - INPUTS):
        yield f"the input {name} is data that Upkeep does not give; it gives {', '.join(sorted(INPUTS))}"
    for name in sorted(used["inputs"] - INPUTS - literals):
        yield f"the command uses ${{{{inputs.{name}}}}}, which is not declared"
    for name in sorted(used["outputs"] - OUTPUTS):
        yield f"the command uses ${{{{outputs.{name}}}}}; Upkeep keeps {', '.join(sorted(OUTPUTS))}"
    for name in sorted({"manifest", "parts"} - used["inputs"]):
        yield f"the command does not use ${{{{inputs.{name}}}}}: it would not train on the new data"
    for name in sorted(OUTPUTS - used["outputs"]):
        yield f"the command does not use ${{{{outputs.{name}}}}}: nothing could be judged or registered"


def with_literals(job: JobFile) -> str:
    """The command with the literals of the file put in: at run time only Upkeep's own inputs are given."""

    def put(match: re.Match[str]) -> str:
        value = job.inputs.get(match[2]) if match[1] == "inputs" and match[2] not in INPUTS else None
        return match[0] if value is None else shlex.quote(value)

    return _BINDING.sub(put, job.command)
