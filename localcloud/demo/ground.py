"""The ground that the demo stands on: a fresh local cloud in a folder of its own, and the `upkeep` command.

Called by story.py. Everything is started by the command lines that a person would use.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from localcloud.isolation import read_pairs

ROOT = Path(__file__).resolve().parents[2]
COMMAND_LIMIT_S = 180


class CommandFailed(Exception):  # noqa: N818 - reads as what happened
    """A command that the demo leans on ended with an error; the message shows what it said."""


class Ground:
    """A local cloud in `folder`, empty at the start."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.files = self.folder / "files"

    def start(self) -> None:
        """Forget an earlier demo and start anew."""
        if self.folder.exists():
            self._localcloud("down")
            self._localcloud("reset")
        shutil.rmtree(self.files, ignore_errors=True)
        self._localcloud("up", "--operator-env", str(self._env_file))
        self.files.mkdir(parents=True)

    def stop(self) -> None:
        """End everything that was started."""
        self._localcloud("down")

    @property
    def settings(self) -> dict[str, str]:
        """What the command line is told of the local cloud."""
        return read_pairs(self._env_file.read_text())

    @property
    def authority(self) -> str:
        """File of the certificate that the local cloud's services show."""
        return str(self.folder / "ca" / "ca.pem")

    @property
    def _env_file(self) -> Path:
        return self.folder / "operator.env"

    def upkeep(self, *arguments: str) -> str:
        """Run `upkeep`; its output."""
        command = [str(Path(sys.executable).with_name("upkeep")), *arguments, "--env-file", str(self._env_file)]
        return _run(command)

    def _localcloud(self, command: str, *arguments: str) -> str:
        return _run([sys.executable, "-m", "localcloud", command, "--folder", str(self.folder), *arguments])


def _run(command: list[str]) -> str:
    # A setting of the person's own must not lead the demo to another Azure.
    outside = {key: value for key, value in os.environ.items() if not key.startswith("UPKEEP_")}
    kept = {key: value for key, value in os.environ.items() if key.startswith("UPKEEP_LOCAL_")}
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**outside, **kept},
        capture_output=True,
        text=True,
        check=False,
        timeout=COMMAND_LIMIT_S,
    )
    if done.returncode != 0:
        shown = " ".join(Path(word).name if word.startswith("/") else word for word in command)
        raise CommandFailed(f"`{shown}` ended with {done.returncode}:\n{done.stdout}{done.stderr}".strip())
    return done.stdout
