"""`python -m infra.hooks.environment`: writes what was deployed to .azure/ENVIRONMENT/upkeep.env.

Run by azd after provisioning. With --deployment it asks the deployment itself, for those who use az and not azd. It
writes a file of its own, because .upkeep.env of this folder may belong to a local cloud.
"""

import argparse
import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from infra.hooks.tools import Failed, Run, run
from shared.operator.surroundings import read_pairs

MAIN = Path(__file__).resolve().parents[1] / "main.bicep"
KEY = "UPKEEP_APP_KEY"
HEAD = "# Written after a deployment. Holds a key of the function app: keep it to yourself.\n"


def path_of(environment: str) -> Path:
    """The file of an environment; azd keeps .azure out of git."""
    return Path(".azure") / environment / "upkeep.env"


def write(path: Path, values: Mapping[str, str]) -> None:
    """Write settings to a file that only its owner reads. A key that is there already stays."""
    kept = {KEY: read_pairs(path)[KEY]} if path.is_file() and KEY in read_pairs(path) else {}
    text = HEAD + "".join(f"{name}={value}\n" for name, value in sorted({**kept, **values}.items()))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)


def from_azd(printed: str) -> dict[str, str]:
    """The settings among the lines of `azd env get-values`."""
    pairs = (line.partition("=") for line in printed.splitlines())
    return {name: value.strip().strip('"') for name, _, value in pairs if name in declared()}


def from_deployment(printed: str) -> dict[str, str]:
    """The settings among the outputs of a deployment, whose names Azure gives back in another case."""
    spelled = {name.lower(): name for name in declared()}
    outputs = json.loads(printed)
    return {
        spelled[name.lower()]: str(output["value"]) for name, output in outputs.items() if name.lower() in spelled
    }


def declared() -> set[str]:
    """Names of the outputs of main.bicep that are settings."""
    return set(re.findall(r"^output (UPKEEP_\w+) ", MAIN.read_text(encoding="utf-8"), re.MULTILINE))


def gather(deployment: str | None, az: Run) -> dict[str, str]:
    """The settings, from azd or from a deployment. Failed when some are missing."""
    if deployment is None:
        found = from_azd(az(["azd", "env", "get-values"]))
    else:
        query = ["--query", "properties.outputs", "--output", "json"]
        found = from_deployment(az(["az", "deployment", "sub", "show", "--name", deployment, *query]))
    if missing := sorted(declared() - found.keys()):
        raise Failed(f"The deployment has no output {', '.join(missing)}: run azd provision first.")
    return found


def main(arguments: Sequence[str], az: Run = run) -> int:
    """Write the file."""
    parser = argparse.ArgumentParser(prog="python -m infra.hooks.environment", description="Write upkeep.env.")
    parser.add_argument("--environment", default=os.environ.get("AZURE_ENV_NAME"), help="default: AZURE_ENV_NAME")
    parser.add_argument("--deployment", help="name of the subscription's deployment; without it azd is asked")
    options = parser.parse_args(arguments)
    if not options.environment:
        parser.error("which environment? Give --environment, or let azd run this")
    try:
        path = path_of(options.environment)
        write(path, gather(options.deployment, az))
    except Failed as error:
        print(error, file=sys.stderr)
        return 1
    print(f"Wrote {path}. Next: upkeep status --env-file {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
