"""Access keys of the app, and who may call what. Pure but for load_or_create.

Called by the host, and by whoever on this machine needs a key: `load_or_create(folder)` answers the same
keys to both, whichever comes first. They protect nothing but a port on loopback.
"""

import hmac
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

FILE = "host-keys.json"
HEADER = "x-functions-key"


@dataclass(frozen=True)
class Keys:
    """The master key, the host keys by name (`default` opens every function), keys of single functions."""

    master: str
    host: dict[str, str]
    functions: dict[str, dict[str, str]] = field(default_factory=dict)

    def allows(self, level: str, function: str, given: str | None) -> bool:
        """Whether a caller with the key `given` may call a function of this authorization level."""
        if level == "anonymous":
            return True
        accepted = [self.master]
        if level == "function":
            accepted += [*self.host.values(), *self.functions.get(function, {}).values()]
        # All are compared, so that the answer's time tells nothing.
        return sum(_same(given or "", key) for key in accepted) > 0


def given_key(headers: Mapping[str, str], query: Mapping[str, str]) -> str | None:
    """The key of a call: the header beats `?code=`."""
    return headers.get(HEADER) or query.get("code") or None


def load_or_create(folder: Path) -> Keys:
    """The keys of the state folder, made on the first call. The file is replaced whole, never half written."""
    path = folder / FILE
    if not path.exists():
        fresh = {"_master": secrets.token_urlsafe(40), "default": secrets.token_urlsafe(40), "functions": {}}
        temporary = folder / f".{FILE}.{os.getpid()}"
        temporary.write_text(json.dumps(fresh, indent=2) + "\n", encoding="utf-8")
        temporary.chmod(0o600)
        try:
            # A link, not a rename: it fails if another process was first, and then its keys stand.
            os.link(temporary, path)
        except FileExistsError:
            pass
        finally:
            temporary.unlink()
    document = json.loads(path.read_text(encoding="utf-8"))
    functions = document.pop("functions", {})
    return Keys(master=document.pop("_master"), host=document, functions=functions)


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())
