"""What a started process may inherit from the shell that started the local cloud.

Called by environment.py and `Cloud`. The rule: a person's own Azure credentials, clouds and settings never
reach a child, whatever they are called.
"""

from collections.abc import Mapping

# Variables by which Azure's SDKs, MLflow and Upkeep itself would find some other cloud or some other account.
FOREIGN = (
    "AAD_",
    "APPLICATIONINSIGHTS_",
    "ARM_",
    "AZURE",
    "IDENTITY_",
    "IMDS_",
    "MLFLOW_",
    "MSI_",
    "REGISTRY_DISCOVERY_",
    "UPKEEP_",
)
OWN = "UPKEEP_LOCAL_"  # settings of the local cloud itself
MARK = "LOCALCLOUD_OWNER"
_SPECIAL = frozenset(" *?&;|<>()#~'")


def scrubbed(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment without anything that points at, or signs in to, some other cloud."""
    return {
        key: value for key, value in environ.items() if key.startswith(OWN) or not key.upper().startswith(FOREIGN)
    }


def read_pairs(text: str) -> dict[str, str]:
    """Parse KEY=VALUE lines, the value bare or in double quotes; empty ones and # comments are passed over."""
    pairs = (line.split("=", 1) for line in text.splitlines() if line.strip() and line[0] != "#")
    return {key.strip(): _unquoted(value) for key, value in pairs}


def write_pairs(pairs: Mapping[str, str], heading: str) -> str:
    """The text that read_pairs reads, and that a shell can source."""
    lines = (f'{key}="{value}"' if _SPECIAL & set(value) else f"{key}={value}" for key, value in pairs.items())
    return "\n".join([f"# {heading}", *lines]) + "\n"


def _unquoted(value: str) -> str:
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value
