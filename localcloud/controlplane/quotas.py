"""Cores of VM sizes: what the region lists, how many the deployments take, and of what limit.

Called over HTTP by azure-ai-ml (compute.list_sizes, compute.list_usage). Tests lower a limit at /admin/quotas.
Only online deployments take cores here: clusters have none, as jobs are processes of this machine.
"""

from typing import Any

from aiohttp import web

from localcloud.cloud import Cloud
from localcloud.controlplane.responses import any_case, body_of, reply, user_error
from localcloud.endpoints.documents import Documents

_LOCATION = "/subscriptions/{subscription}/providers/Microsoft.MachineLearningServices/locations/{location}"
_KIND, _KEY = "quotas", "limits"
LIMIT = 1000
"""Cores of each family, and of all together, unless told."""
TOTAL = "Total Cluster Dedicated Regional vCPUs"
FAMILIES = {
    "standardDSv2Family": (
        "Standard DSv2 Family",
        {"Standard_DS1_v2": 1, "Standard_DS2_v2": 2, "Standard_DS3_v2": 4},
    ),
    "standardFSv2Family": ("Standard FSv2 Family", {"Standard_F2s_v2": 2, "Standard_F4s_v2": 4}),
    "standardESv3Family": ("Standard ESv3 Family", {"Standard_E2s_v3": 2, "Standard_E4s_v3": 4}),
}


class Quotas:
    """Sizes, usages and their limits."""

    def __init__(self, cloud: Cloud, documents: Documents) -> None:
        self._cloud, self._documents = cloud, documents

    def routes(self) -> list[web.RouteDef]:
        """The two lists of a region, and the bench's handle on the limits."""
        return [
            web.get(any_case(f"{_LOCATION}/usages"), reply(self._usages)),
            web.get(any_case(f"{_LOCATION}/vmSizes"), reply(self._sizes)),
            web.get("/admin/quotas", reply(self._limits)),
            web.put("/admin/quotas", reply(self._set_limits)),
        ]

    async def start(self) -> None:
        """Nothing runs in the background."""

    async def stop(self) -> None:
        """Nothing runs in the background."""

    async def _sizes(self, _request: web.Request) -> web.Response:
        value = [
            {
                "name": size,
                "family": family,
                "vCPUs": cores,
                "gpus": 0,
                "supportedComputeTypes": ["AmlCompute", "MIR"],
            }
            for family, (_, sizes) in FAMILIES.items()
            for size, cores in sizes.items()
        ]
        return web.json_response({"value": value})

    async def _usages(self, _request: web.Request) -> web.Response:
        limits, used = self._stored(), self._used()
        rows = [_usage("dedicatedCores", TOTAL, sum(used.values()), limits.get("total", LIMIT))]
        for family, (words, _) in FAMILIES.items():
            dedicated = f"{words} Cluster Dedicated vCPUs"
            rows.append(_usage("vmFamily", dedicated, used.get(family, 0), limits.get(family, LIMIT)))
            rows.append(_usage("vmFamily", f"{words} Cluster LowPriority vCPUs", 0, -1))
        return web.json_response({"value": rows})

    async def _limits(self, _request: web.Request) -> web.Response:
        return web.json_response(self._stored())

    async def _set_limits(self, request: web.Request) -> web.Response:
        limits = await body_of(request)
        unknown = sorted(limits.keys() - {*FAMILIES, "total"})
        if unknown:
            raise user_error(f"unknown: {', '.join(unknown)}; there are: total, {', '.join(FAMILIES)}")
        if not all(
            isinstance(limit, int) and not isinstance(limit, bool) and limit >= 0 for limit in limits.values()
        ):
            raise user_error("A limit is a whole number of cores, 0 or more.")
        self._cloud.store.put(_KIND, _KEY, limits)
        return web.json_response(limits)

    def _stored(self) -> dict[str, int]:
        return self._cloud.store.get(_KIND, _KEY) or {}

    def _used(self) -> dict[str, int]:
        """Cores by family. A fifth more than asked for is taken, as Azure reserves it for its upgrades."""
        used: dict[str, int] = {}
        for endpoint in self._documents.endpoints():
            for deployment in self._documents.deployments(endpoint["name"]):
                family, cores = _cores(deployment)
                used[family] = used.get(family, 0) + cores
        return used


def _cores(deployment: dict[str, Any]) -> tuple[str, int]:
    size = str(deployment["properties"].get("instanceType") or "").lower()
    instances = int(deployment["sku"].get("capacity") or 1)
    for family, (_, sizes) in FAMILIES.items():
        for name, cores in sizes.items():
            if name.lower() == size:
                return family, -(-12 * instances // 10) * cores
    return "other", 0


def _usage(kind: str, name: str, used: int, limit: int) -> dict[str, Any]:
    return {
        "id": f"/usages/{name.replace(' ', '_')}",
        "type": f"Microsoft.MachineLearningServices/{kind}/usages",
        "unit": "Count",
        "currentValue": used,
        "limit": limit,
        "name": {"value": name, "localizedValue": name},
    }
