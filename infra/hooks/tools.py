"""Runs the command lines of Azure: az and azd. Used by the other modules here; it knows nothing of Upkeep."""

import shutil
import subprocess
from collections.abc import Callable, Sequence

Run = Callable[[Sequence[str]], str]
"""Runs a command and gives what it printed. Failed when it ends with anything but nought."""


class Failed(Exception):  # noqa: N818 - reads as what it is: the step has failed, and the message says why
    """A step could not be done; the message is for the person who started it."""


def run(command: Sequence[str]) -> str:
    """Run a command, showing what it says on its error output."""
    # On Windows az and azd are .cmd files, which only their full names start.
    program = shutil.which(command[0])
    if program is None:
        raise Failed(f"{command[0]} is not installed, or not on the path.")
    done = subprocess.run([program, *command[1:]], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise Failed(f"{' '.join(command[:3])} ended with exit code {done.returncode}.")
    return done.stdout
