"""How many cores of a VM size Azure ML would still give: what the service says is used, and of what limit.

Used by azureml.py before a deployment is created. The two lists belong to subscription and region, not to the
workspace: reading them takes a role there, which not every Upkeep has. So what cannot be read is an answer here.
"""

from collections.abc import Iterable
from typing import Any

from shared.adapters.azureml_workspace import Workspace
from shared.adapters.faults import translated
from shared.domain.observation import QuotaSeen
from shared.errors import NeedsPerson, RetryLater

QUOTA_ROLE = "Upkeep Quota Reader (docs/guide/guards.md)"
TOTAL = "totalclusterdedicatedregionalvcpus"
# Only these rows are limits of the whole region; others are the shares of single workspaces and clusters.
_REGIONAL = ("/vmfamily/usages", "/dedicatedcores/usages")


class Quotas:
    """The quota of the workspace's region."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def seen(self, size: str) -> QuotaSeen:
        """Cores of one instance, and how many may still be taken. What cannot be told is told as such."""
        try:
            with translated(f"looking up the quota of {size}", QUOTA_ROLE):
                compute = self._workspace.client.compute
                sizes, usages = list(compute.list_sizes()), list(compute.list_usage())
        except (RetryLater, NeedsPerson) as trouble:
            return QuotaSeen(problem=str(trouble))
        return _told(size, sizes, usages)


def _told(size: str, sizes: Iterable[Any], usages: Iterable[Any]) -> QuotaSeen:
    found = next((each for each in sizes if str(_of(each, "name")).lower() == size.lower()), None)
    cores = _of(found, "vCPUs", "v_cp_us") if found is not None else None
    if not cores:
        return QuotaSeen(problem=f"Azure ML does not list the size {size}")
    family = f"{_plain(_of(found, 'family'))}clusterdedicatedvcpus"
    rooms = [room for usage in usages if (room := _room(usage, family)) is not None]
    if not rooms:
        return QuotaSeen(problem=f"Azure ML tells no limit for the family {_of(found, 'family')} of {size}")
    free, name = min(rooms)
    return QuotaSeen(cores_per_instance=int(cores), free=free, limited_by=name)


def _room(usage: Any, family: str) -> tuple[int, str] | None:
    """What is left of a limit that holds for the family; None for any other row, and for one without a limit."""
    kind, limit = str(_of(usage, "type")).lower(), _of(usage, "limit")
    name = _of(usage, "name")
    value = str(_of(name, "value") or "")
    used = _of(usage, "currentValue", "current_value")
    if not kind.endswith(_REGIONAL) or _plain(value) not in (family, TOTAL) or used is None:
        return None
    return None if limit is None or limit < 0 else (max(0, int(limit) - int(used)), value)


def _of(thing: Any, *names: str) -> Any:
    """A field under whichever of its names it has.

    azure-ai-ml 1.35 fills these objects with the names of the wire, and leaves the documented attributes empty.
    """
    fields = thing if isinstance(thing, dict) else vars(thing)
    return next((fields[name] for name in names if fields.get(name) is not None), None)


def _plain(words: Any) -> str:
    """Families are written "standardDSv2Family" in one list and "Standard DSv2 Family …" in the other."""
    return str(words or "").replace(" ", "").lower()
