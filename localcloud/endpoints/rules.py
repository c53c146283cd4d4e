"""What Azure accepts and refuses about endpoints, deployments and traffic.

Called by the management handlers before anything is stored. Pure: values in, an ArmError or the value out.
Sources: how-to-safely-rollout-online-endpoints, how-to-manage-quotas, reference-yaml-endpoint-online.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from localcloud.collector import plan
from localcloud.controlplane.responses import ArmError, user_error

MAX_DEPLOYMENTS = 20
MAX_MIRROR_PCT = 50
SETTLED = frozenset({"Succeeded", "Failed", "Canceled"})
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{2,31}")


def check_name(name: str, what: str) -> None:
    """Refuse a name that is not 3 to 32 letters, digits and hyphens with a letter first."""
    if not _NAME.fullmatch(name):
        raise user_error(
            f"The {what}'s name {name!r} must have 3 to 32 letters, digits or hyphens and begin with a letter."
        )


def traffic_at_creation(traffic: Mapping[str, Any] | None, what: str = "Traffic") -> None:
    """A new endpoint has no deployments, so there is nobody to give traffic to, live or mirrored."""
    if traffic:
        raise user_error(
            f"{what} cannot be set when the endpoint is created: "
            f"there are no deployments yet, but it names {', '.join(sorted(traffic))}."
        )


def read_traffic(traffic: Mapping[str, Any] | None, deployments: Iterable[str]) -> dict[str, int]:
    """The live traffic under the deployments' own spelling; it sums to 0 or 100."""
    known = {name.lower(): name for name in deployments}
    result: dict[str, int] = {}
    for name, share in (traffic or {}).items():
        if name.lower() not in known:
            raise user_error(f"Traffic names {name!r}, which is not a deployment of this endpoint.")
        if not isinstance(share, int) or isinstance(share, bool) or not 0 <= share <= 100:
            raise user_error(f"The traffic of {name!r} must be a whole percentage, not {share!r}.")
        result[known[name.lower()]] = share
    if sum(result.values()) not in {0, 100}:
        raise user_error(f"Traffic must sum to 0 or 100, not {sum(result.values())}.")
    return result


def read_mirror_traffic(
    mirror: Mapping[str, Any] | None, traffic: Mapping[str, int], deployments: Iterable[str]
) -> dict[str, int]:
    """Mirrored traffic under the deployment's own spelling: one at most, at most 50 %, and none that is live."""
    known = {name.lower(): name for name in deployments}
    result: dict[str, int] = {}
    for name, share in (mirror or {}).items():
        if name.lower() not in known:
            raise user_error(f"Mirror traffic names {name!r}, which is not a deployment of this endpoint.")
        if not isinstance(share, int) or isinstance(share, bool) or not 0 <= share <= MAX_MIRROR_PCT:
            raise user_error(
                f"The mirror traffic of {name!r} must be a whole percentage up to {MAX_MIRROR_PCT}, not {share!r}."
            )
        result[known[name.lower()]] = share
    mirrored = sorted(name for name, share in result.items() if share)
    if len(mirrored) > 1:
        raise user_error(f"Traffic can be mirrored to one deployment only, not to {', '.join(mirrored)}.")
    for name in mirrored:
        if traffic.get(name):
            raise user_error(
                f"Deployment {name!r} has live traffic {traffic[name]} %: it cannot be mirrored to as well."
            )
    return result


def check_deletable(name: str, endpoint_properties: Mapping[str, Any]) -> None:
    """A deployment that has live or mirrored traffic stays."""
    for kind in ("traffic", "mirrorTraffic"):
        if dict(endpoint_properties.get(kind) or {}).get(name, 0) > 0:
            raise user_error(
                f"Deployment {name!r} has {kind} {endpoint_properties[kind][name]} %. Set it to 0 before deleting it."
            )


def check_room(count: int) -> None:
    """Refuse the 21st deployment of an endpoint."""
    if count >= MAX_DEPLOYMENTS:
        raise ArmError(400, "QuotaExceeded", f"An endpoint has at most {MAX_DEPLOYMENTS} deployments.")


def read_deployment(properties: dict[str, Any]) -> dict[str, Any]:
    """The deployment's properties as they are kept; refuses one that lacks what a scoring server needs."""
    code = properties.get("codeConfiguration") or {}
    if not properties.get("environmentId"):
        raise user_error("The deployment has no environmentId.")
    if not code.get("codeId") or not code.get("scoringScript"):
        raise ArmError(
            400,
            "NotEmulated",
            "The deployment has no codeConfiguration with codeId and scoringScript: "
            "the local cloud runs scoring scripts, no images and no MLflow models.",
        )
    if str(properties.get("endpointComputeType", "Managed")).lower() != "managed":
        raise ArmError(400, "NotEmulated", "The local cloud has managed endpoints only.")
    return {**properties, "dataCollector": plan.checked(properties)}
