"""A copy of the steps beside an `az` and an `upkeep` that note what they are asked and answer as a test wants.

Called by the tests of the steps: what runs is the shell code of the pipelines, and nothing leaves the machine.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.pipelines.files import ROOT

# Answers by what the call begins with; the first that fits. Without one it succeeds and says nothing.
_FAKE = """#!{python}
import json, pathlib, sys
here = pathlib.Path({here!r})
def as_sent(word):  # a file is gone when the call has ended
    return "@" + pathlib.Path(word[1:]).read_text() if word.startswith("@") else word
call = [{name!r}, *map(as_sent, sys.argv[1:])]
with (here / "calls").open("a") as log:
    log.write(json.dumps(call) + "\\n")
answers = json.loads((here / "answers").read_text())
for number, (beginning, code, text) in enumerate(answers):
    if " ".join(call).startswith(beginning):
        if code < 0:  # fails once
            answers[number] = [beginning, 0, text]
            (here / "answers").write_text(json.dumps(answers))
            sys.exit(-code)
        sys.stdout.write(text)
        for flag in ("--report", "--junit"):
            if flag in call:
                pathlib.Path(call[call.index(flag) + 1]).write_text("# looked at")
        if "--download-path" in call:
            (pathlib.Path(call[call.index("--download-path") + 1]) / "evaluation.json").write_text(text)
        sys.exit(code)
"""
OUTPUTS = {
    "UPKEEP_ENVIRONMENT": "test",
    "UPKEEP_APP_NAME": "func-upkeep-x",
    "UPKEEP_APP_URL": "https://func-upkeep-x.azurewebsites.net",
    "UPKEEP_RESOURCE_GROUP": "rg-upkeep-test",
    "UPKEEP_TOKEN": "x",
}
KEY = "a-function-key"


class Desk:
    """A folder like the root of the repository, as far as the steps look at it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings = folder / ".azure" / "test" / "upkeep.env"
        for kept in ("pipelines/steps", "infra/hooks", "infra/environments", "models", "shared"):
            shutil.copytree(ROOT / kept, folder / kept, ignore=shutil.ignore_patterns("__pycache__"))
        for kept in ("infra/__init__.py", "infra/main.bicep", "infra/models.bicep", "infra/models.json"):
            shutil.copy(ROOT / kept, folder / kept)
        self._answers: list[tuple[str, int, str]] = []
        binaries = folder / ".venv" / "bin"
        binaries.mkdir(parents=True)
        # A virtual environment of the same packages: what runs in it finds the other commands beside itself.
        (binaries / "python").symlink_to(Path(sys.executable).resolve())
        (binaries.parent / "lib").symlink_to(Path(sys.prefix) / "lib")
        shutil.copy(Path(sys.prefix) / "pyvenv.cfg", binaries.parent)
        for name in ("az", "upkeep"):
            fake(folder, binaries / name, [])
        self.answer("az functionapp keys list", KEY + "\n")

    def answer(self, beginning: str, text: str = "", code: int = 0) -> None:
        """What a call that begins like this says, and ends with; a code below nought fails once, then succeeds."""
        self._answers.insert(0, (beginning, code, text))
        (self.folder / "answers").write_text(json.dumps(self._answers))

    def deployed(self, **outputs: str) -> None:
        """The deployment has the outputs of main.bicep, spelled as Resource Manager gives them back."""
        from infra.hooks.environment import declared

        values = {name: {"type": "String", "value": f"value-of-{name}"} for name in declared()}
        values |= {name: {"type": "String", "value": value} for name, value in {**OUTPUTS, **outputs}.items()}
        spelled = {name.replace("UPKEEP_", "upkeeP_", 1): output for name, output in values.items()}
        self.answer("az deployment sub show", json.dumps(spelled))
        self.answer("az deployment sub list", "upkeep-test\n")

    def connected(self) -> None:
        """The steps before have left their settings."""
        self.settings.parent.mkdir(parents=True, exist_ok=True)
        self.settings.write_text("".join(f"{name}={value}\n" for name, value in OUTPUTS.items()))

    def run(self, line: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a step, as a pipeline writes it, in the environment `test`."""
        environ = {
            "PATH": f"{self.folder / '.venv' / 'bin'}:{os.environ['PATH']}",
            "HOME": str(self.folder),
            "UPKEEP_ENVIRONMENT": "test",
            "AZURE_PRINCIPAL_ID": "11111111-1111-1111-1111-111111111111",
            "UPKEEP_RETRY_S": "0",
            "GITHUB_SHA": "0123456789abcdef",
            **variables,
        }
        return subprocess.run(
            f"pipelines/steps/{line}",
            shell=True,
            cwd=self.folder,
            env={name: value for name, value in environ.items() if value},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def calls(self, beginning: str = "") -> list[list[str]]:
        """The calls that begin like this, in order."""
        log = self.folder / "calls"
        made = [json.loads(line) for line in log.read_text().splitlines()] if log.is_file() else []
        return [call for call in made if " ".join(call).startswith(beginning)]

    def parameters(self, beginning: str) -> dict[str, Any]:
        """What the only call that begins like this gives a template by a file of parameters."""
        [call] = self.calls(beginning)
        given = json.loads(call[call.index("--parameters") + 1].removeprefix("@"))["parameters"]
        return {name: each["value"] for name, each in given.items()}

    def report(self, name: str) -> Path:
        """A file that a step leaves."""
        return self.folder / "dist" / "reports" / name


def fake(folder: Path, path: Path, answers: list[tuple[str, int, str]]) -> None:
    """Put a command there that notes its calls in the folder, and answers by what they begin with."""
    path.write_text(_FAKE.format(python=sys.executable, here=str(folder), name=path.name))
    path.chmod(0o755)
    (folder / "answers").write_text(json.dumps(answers))
