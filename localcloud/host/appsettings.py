"""App settings: the process environment, local.settings.json, %NAME% in bindings, connections by prefix.

Called by app.py and storage.py. Reads local.settings.json of the app's folder and nothing else; it never
writes to the environment.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from localcloud.host.errors import HostError

_EXPRESSION = re.compile(r"%([^%\s]+)%")
Settings = Mapping[str, str]


def read_local_settings(app: Path) -> dict[str, str]:
    """`Values` of local.settings.json; empty when there is no such file."""
    path = app / "local.settings.json"
    if not path.exists():
        return {}
    try:
        values = json.loads(path.read_text(encoding="utf-8")).get("Values", {})
    except (json.JSONDecodeError, AttributeError) as error:
        raise HostError(f"local.settings.json is not a JSON object: {error}") from error
    wrong = [name for name, value in values.items() if not isinstance(value, str)]
    if wrong:
        raise HostError(f"local.settings.json: Values must be strings: {', '.join(wrong)}")
    return dict(values)


def resolve(value: Any, settings: Settings, function: str) -> Any:
    """The binding's value with every %NAME% replaced by that app setting."""

    def setting(match: re.Match[str]) -> str:
        if match[1] not in settings:
            raise HostError(
                f"the function {function} needs the app setting {match[1]} (for %{match[1]}%), which is not set"
            )
        return settings[match[1]]

    return _EXPRESSION.sub(setting, value) if isinstance(value, str) else value


def connection_uri(name: str, service: str, settings: Settings) -> str:
    """URL of the connection's `service` ("blob" or "queue"): NAME__blobServiceUri, else NAME__serviceUri.

    The host itself signs in with an identity; connection strings and account names are refused, the first
    because the product holds no keys, the second because it means public Azure.
    """
    for key in (f"{name}__{service}ServiceUri", f"{name}__serviceUri"):
        if settings.get(key):
            return settings[key].rstrip("/")
    if settings.get(name):
        raise HostError(f"the connection {name} is a connection string; use {name}__{service}ServiceUri")
    if settings.get(f"{name}__accountName"):
        raise HostError(f"{name}__accountName means public Azure; use {name}__{service}ServiceUri")
    raise HostError(f"the connection {name} is not set: the app setting {name}__{service}ServiceUri is missing")
