"""What the command line knows of the cloud that it talks to: the process's environment and `.upkeep.env`.

Called by cli.py before anything of Azure is imported. `make up` writes the file for a local cloud; the hooks of a
deployment write .azure/ENVIRONMENT/upkeep.env, to be named by --env-file. The certificates, proxies and endpoints of
such a file belong together and therefore win over the machine's own, while an UPKEEP_ setting given for one command
wins over the file.
"""

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlencode

import msgspec

from shared.errors import BadInput

FILE = ".upkeep.env"
OWN = "UPKEEP_"


def gather(environ: Mapping[str, str], file: Path | None) -> dict[str, str]:
    """All settings: the environment with the file's laid over it, except UPKEEP_ ones that are set already."""
    found = {} if file is None else read_pairs(file)
    ours = {key: value for key, value in environ.items() if key.startswith(OWN)}
    return {**environ, **found, **ours}


def read_pairs(file: Path) -> dict[str, str]:
    """KEY=VALUE lines; quotes around a value are taken off, empty lines and # comments passed over."""
    pairs = {}
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        key, equals, value = stripped.partition("=")
        if not equals or not key.strip():
            raise BadInput(f"{file}: line {number} is not KEY=VALUE")
        pairs[key.strip()] = value.strip().strip("'\"")
    return pairs


class App(msgspec.Struct, frozen=True):
    """Where the function app answers. `key` is a function key; empty when the app asks for none."""

    url: str
    key: str = ""

    @property
    def page(self) -> str:
        """Address of its page, with the key in the fragment, which a browser keeps to itself."""
        return f"{self.url}/api/page" + (f"#{urlencode({'key': self.key})}" if self.key else "")


def app(settings: Mapping[str, str]) -> App:
    """The function app, or a BadInput that says what to set."""
    return App(_required(settings, "UPKEEP_APP_URL").rstrip("/"), settings.get("UPKEEP_APP_KEY", ""))


def blob_service(settings: Mapping[str, str]) -> str:
    """URL of the storage account's blob service."""
    return _required(settings, "UPKEEP_STORAGE__blobServiceUri")


def _required(settings: Mapping[str, str], name: str) -> str:
    value = settings.get(name, "").strip()
    if not value:
        raise BadInput(f"{name} is not set: set it in the environment or in {FILE} of this folder")
    return value
