"""The one state that nobody may sleep through: nothing that has live traffic is healthy.

Called by decide in every pass that looked at the endpoint. It changes nothing; it is told once, and once more when it
is over. The loop logs it as an error under one name, on which an alert rule can stand.
"""

from shared.domain.changes import Draft
from shared.domain.lifecycle import Phase
from shared.domain.observation import DeploymentState, EndpointSeen
from shared.domain.reasons import Why
from shared.domain.record import Record

SERVES = frozenset({DeploymentState.READY, DeploymentState.CHANGING})


def sound(draft: Draft, seen: EndpointSeen) -> Draft:
    """Raise the alarm, or end it. A rollback that has nothing healthy to go to tells that by itself."""
    record = draft.record
    text = _unserved(record, seen)
    if text == record.alarm or (text and record.phase is Phase.ROLLING_BACK):
        return draft
    draft = draft.with_record(alarm=text)
    if not text:
        return draft.because(Why.HEALTHY_AGAIN, "A healthy deployment has live traffic again.")
    return draft.because(Why.NOTHING_HEALTHY, text, {"traffic": ", ".join(sorted(seen.traffic)) or None})


def _unserved(record: Record, seen: EndpointSeen) -> str:
    """What users would see, in a sentence; empty while somebody answers them, or before anything was ever live."""
    if record.live is None:
        return ""
    if not seen.exists:
        return "The endpoint is gone."
    if not seen.traffic:
        return "No deployment has live traffic."
    if any(seen.deployments.get(name) in SERVES for name in seen.traffic):
        return ""
    return f"No deployment with live traffic is healthy: {', '.join(sorted(seen.traffic))}."
