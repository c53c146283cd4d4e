"""Changes of an endpoint that another hand made: seen, told once, and by the spec respected or put right.

Called by decide in every pass that looked at the endpoint. Whose hand it was says the mark that Upkeep leaves with
each change of traffic (split.py), so that its own late writes are not taken for a person's. Deployments of others
without traffic hold nothing: they are told once and left alone.
"""

from datetime import datetime

import msgspec

from shared.domain import names
from shared.domain.changes import Draft
from shared.domain.lifecycle import WATCHED, Phase
from shared.domain.observation import EndpointSeen
from shared.domain.publication import Publication
from shared.domain.reasons import Fact, Why
from shared.domain.record import HandMade, Record
from shared.domain.rollout import lost
from shared.domain.split import Split
from shared.domain.splits import split_wanted

HELD = frozenset({Phase.TESTING, *WATCHED})
"""Phases in which the next step would move traffic."""
WAITING = "Somebody changed the endpoint by hand; `upkeep resume` puts it right, or put it back by hand."


def notice(publication: Publication, draft: Draft, seen: EndpointSeen, now: datetime) -> Draft:
    """Compare the endpoint with what the record wants of it."""
    draft = _strangers(draft, seen)
    found, known = _found(publication, draft.record, seen, now), draft.record.hands
    if found is None:
        return draft if known is None else _gone(draft)
    if known is not None and _known(found, known):
        return draft
    wanted = split_wanted(publication.spec.rollout, draft.record)
    facts: dict[str, Fact] = {
        "traffic": found.split.text if found.split else None,
        "wanted": wanted.text if wanted else None,
        "missing": found.missing or None,
        "respected": found.respected,
    }
    return draft.with_record(hands=found).because(Why.HAND_MADE_CHANGE, _told(found, wanted), facts)


def hold(draft: Draft, seen: EndpointSeen, now: datetime) -> Draft:
    """Keep the release where it is; its window begins anew afterwards. A lost deployment is taken back."""
    gone = lost(draft, seen, now)
    if gone is not None:
        return gone
    if draft.release.waiting == WAITING and draft.release.step_since is None:
        return draft
    return draft.with_release(waiting=WAITING, step_since=None)


def overrule(draft: Draft) -> Draft:
    """A person spoke to Upkeep: what was changed by hand is put right from now on."""
    hands = draft.record.hands
    if hands is None or not hands.respected:
        return draft
    return draft.with_record(hands=msgspec.structs.replace(hands, respected=False))


def _found(publication: Publication, record: Record, seen: EndpointSeen, now: datetime) -> HandMade | None:
    rollout = publication.spec.rollout
    wanted, there = split_wanted(rollout, record), Split(traffic=seen.traffic, mirror=seen.mirror)
    live = record.live.deployment if record.live else ""
    missing = live if live and live not in seen.deployments else ""
    moved = wanted is not None and not there.same_as(wanted) and _by_hand(record, seen.mark, there)
    if not missing and not moved:
        return None
    split = there if moved else None
    return HandMade(at=now, split=split, missing=missing, respected=rollout.hand_made == "respect")


def _by_hand(record: Record, mark: str, there: Split) -> bool:
    """The mark tells. Without one (older Upkeep, tags wiped out) only what was seen in force can have been moved."""
    if mark:
        return mark != there.text
    release = record.release
    if release is None or release.phase in (Phase.DEPLOYING, Phase.TESTING):
        return record.live is not None
    return release.step_since is not None


def _known(found: HandMade, known: HandMade) -> bool:
    """Whether it is what was told already, or what is left of it after Upkeep set the traffic."""
    return found.missing == known.missing and found.split in (None, known.split)


def _told(found: HandMade, wanted: Split | None) -> str:
    changes = []
    if found.split is not None and wanted is not None:
        changes.append(f"its traffic is {found.split.text or 'nothing'}, not {wanted.text}")
    if found.missing:
        changes.append(f"the live deployment {found.missing} is gone")
    follows = "Nothing moves until a person decides." if found.respected else "It is put right."
    return f"Somebody changed the endpoint by hand: {', and '.join(changes)}. {follows}"


def _gone(draft: Draft) -> Draft:
    draft = draft.with_record(hands=None)
    if draft.record.release is not None and draft.release.waiting == WAITING:
        draft = draft.with_release(waiting="")
    return draft.because(Why.HAND_MADE_CHANGE_GONE, "The endpoint is as Upkeep wants it again.")


def _strangers(draft: Draft, seen: EndpointSeen) -> Draft:
    record = draft.record
    found = tuple(name for name in sorted(seen.deployments) if not names.is_ours(name, record.last_release))
    if found == record.strangers:
        return draft
    draft = draft.with_record(strangers=found)
    for name in sorted(set(found) - set(record.strangers)):
        text = f"Deployment {name} is not Upkeep's; it is left alone."
        draft = draft.because(Why.STRANGER_SEEN, text, {"deployment": name})
    return draft
