"""Checking specs loads nothing of Azure, so that it is quick and works without its packages."""

import subprocess
import sys


def test_the_command_line_loads_nothing_of_azure() -> None:
    code = (
        "import sys, shared.operator.cli; print([n for n in sys.modules if n.split('.')[0] in ('azure', 'pandas')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
