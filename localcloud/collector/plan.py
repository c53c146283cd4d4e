"""What a deployment's dataCollector asks for: which collections, how much of them, and where to.

Called by the rules when a deployment is sent, and by the collector when its server is prepared. Pure. The shape is
the one that azure-ai-ml 1.35.2 sends: {"collections": {NAME: {"dataCollectionMode": "enabled", "samplingRate": 1.0,
"dataId": ID}}, "rollingRate": "hour"}.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from localcloud.controlplane.responses import ArmError, user_error

MODES = {"enabled": "Enabled", "disabled": "Disabled"}
# Folders below a collection's own, in strftime's words.
ROLLED = {
    "Year": "%Y",
    "Month": "%Y/%m",
    "Day": "%Y/%m/%d",
    "Hour": "%Y/%m/%d/%H",
    "Minute": "%Y/%m/%d/%H/%M",
}
DEFAULT_RATE = "Hour"
PAYLOADS = frozenset({"request", "response"})  # collected by the platform itself, not by the scoring script


@dataclass(frozen=True)
class Collection:
    """One collection that is switched on. Without `data_id` it goes to the default place."""

    name: str
    sampling_pct: int
    data_id: str | None


def checked(properties: Mapping[str, Any]) -> dict[str, Any] | None:
    """The dataCollector in the service's own spelling, None when there is none; ArmError says what is wrong."""
    sent = properties.get("dataCollector")
    if not sent:
        return None
    collections = sent.get("collections")
    if not isinstance(collections, Mapping) or not collections:
        raise user_error("dataCollector has no collections.")
    rate = str(sent.get("rollingRate") or DEFAULT_RATE).capitalize()
    if rate not in ROLLED:
        raise user_error(
            f"dataCollector.rollingRate must be one of {', '.join(ROLLED)}, not {sent['rollingRate']!r}."
        )
    shown = {name: _checked_collection(name, one or {}) for name, one in collections.items()}
    return {**sent, "collections": shown, "rollingRate": rate}


def _checked_collection(name: str, sent: Mapping[str, Any]) -> dict[str, Any]:
    mode = MODES.get(str(sent.get("dataCollectionMode")).lower())
    if mode is None:
        raise user_error(f"Collection {name!r}: dataCollectionMode must be Enabled or Disabled.")
    if mode == "Enabled" and name.lower() in PAYLOADS:
        raise ArmError(
            400, "NotEmulated", f"The local cloud does not log payloads: take out the collection {name!r}."
        )
    rate = sent.get("samplingRate")
    rate = 1.0 if rate is None else rate
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 <= rate <= 1:
        raise user_error(f"Collection {name!r}: samplingRate must be between 0 and 1, not {rate!r}.")
    return {**sent, "dataCollectionMode": mode, "samplingRate": float(rate)}


def enabled(properties: Mapping[str, Any]) -> tuple[Collection, ...]:
    """The collections that are switched on; the package knows them in small letters."""
    collections = (properties.get("dataCollector") or {}).get("collections") or {}
    return tuple(
        Collection(name.lower(), round(100 * one["samplingRate"]), one.get("dataId"))
        for name, one in collections.items()
        if one["dataCollectionMode"] == "Enabled"
    )


def rolling(properties: Mapping[str, Any]) -> str:
    """The folders of an hour (or whatever rolls), in strftime's words."""
    return ROLLED[(properties.get("dataCollector") or {}).get("rollingRate", DEFAULT_RATE)]


def config_file(collections: tuple[Collection, ...]) -> dict[str, Any]:
    """The file at AZUREML_MDC_CONFIG_PATH, by which azureml-ai-monitoring knows each collection for itself."""
    listed = {one.name: {"enabled": True, "sampleRatePercentage": one.sampling_pct} for one in collections}
    return {"collections": listed, "runMode": "cloud"}
