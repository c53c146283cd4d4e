"""Reads a hash-locked requirements file as uv writes it: each pin, then its hashes, then by what it came.

Called by package_papers.py for the bill of materials and by package_audit.py.
"""

import re

_PIN = re.compile(r"^([a-z0-9][a-z0-9.-]*)==")
_VIA = re.compile(r"^ +# +(?:via +)?(\S.*)$")


def read_lock(text: str) -> dict[str, list[str]]:
    """For each locked package the names behind `# via`: other packages, or `-r FILE` for what is wanted directly."""
    found: dict[str, list[str]] = {}
    name = ""
    for line in text.splitlines():
        if pin := _PIN.match(line):
            name = pin[1]
            found[name] = []
        elif name and (via := _VIA.match(line)) and via[1] != "via":
            found[name].append(via[1])
    return found
