"""A release under watch: mirrored, in a step of its canary, or baking. Its traffic settles, its window is judged.

Called by decide. The three stages differ in their traffic and in what follows; the judgement is the same. A failure
needs no whole window; a pass needs the whole of it; what stays inconclusive is held, for max_hold_s longer, and then
ended by the spec's no_data.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from shared.domain import evidence, probing, traffic_checks
from shared.domain.analysis import Check, Finding, combined
from shared.domain.changes import Draft
from shared.domain.freeze import held
from shared.domain.lifecycle import Phase, Signal
from shared.domain.observation import UNSEEN, EndpointSeen, Observation, TrafficSeen, Trouble, alike
from shared.domain.publication import Publication
from shared.domain.reasons import Fact, Why
from shared.domain.record import Doubt, Record
from shared.domain.rollout import cut_short, go_live, hold_still, lost, mirrored, split, steps_of
from shared.domain.spec import NoData, Rollout

LEAST_MIRRORED = 20
"""Where fewer mirrored requests than that were to be expected, none at all says nothing about the log."""


class Stage(NamedTuple):
    """The traffic of a stage, in percent by deployment, and what it asks of its window."""

    traffic: dict[str, int]
    mirror: dict[str, int]
    hold_s: int
    min_requests: int


def stage_of(rollout: Rollout, record: Record) -> Stage:
    """The stage that the release in flight is in; only asked for while it is watched."""
    assert record.release is not None
    match record.release.phase:
        case Phase.SHADOWING:
            assert rollout.shadow is not None
            assert record.live is not None
            mirror = mirrored(rollout, record)
            return Stage({record.live.deployment: 100}, mirror, rollout.shadow.hold_s, rollout.shadow.min_requests)
        case Phase.BAKING:
            # Silence is no pass here either, unless the spec asked for no request before.
            least = min(1, steps_of(rollout, record)[-1].min_requests)
            return Stage({record.release.deployment: 100}, {}, rollout.bake_s, least)
        case _:
            step = steps_of(rollout, record)[record.release.step]
            return Stage(split(rollout, record), {}, step.hold_s, step.min_requests)


def watch(publication: Publication, draft: Draft, seen: Observation, now: datetime) -> Draft:
    """Hold the stage until its window passes, fails, or has been inconclusive for too long."""
    assert seen.endpoint is not None
    rollout = publication.spec.rollout
    stage = stage_of(rollout, draft.record)
    probes = probing.current(draft.release)
    if probes is not None and seen.sent:
        # Whatever else the look says: requests that nobody counts would be sent for ever.
        draft = draft.with_release(probing=probes.plus(seen.sent))
    settled = _settle(draft, seen.endpoint, stage, now)
    if settled is not None:
        return settled
    if draft.release.hurried and not held(publication.spec, draft.record, now):
        return cut_short(publication.serving.endpoint, draft, now)
    if seen.traffic is None:
        return _unread(publication, draft, stage, seen.trouble, now)
    check = combined(_checks(rollout, draft.record, stage, seen), rollout.analysis.skip)
    draft, check = doubted(rollout.analysis.failures_in_a_row, draft, check)
    if check.finding is Finding.FAIL:
        return _failed(draft, check, now)
    if check.finding is Finding.PASS:
        return _passed(publication, draft, check, now)
    if not check.broken and _unlogged(draft.record, stage, seen.traffic):
        text = "No mirrored request is logged, though many were to be expected; the canary will show."
        return _moved_on(publication, draft, check, now, Why.SHADOW_UNSEEN, text)
    return _inconclusive(publication, draft, stage, check, seen, now)


def _settle(draft: Draft, seen: EndpointSeen, stage: Stage, now: datetime) -> Draft | None:
    """Wait for the wanted split; its window begins when it is first seen in force. None: it is in force."""
    gone = lost(draft, seen, now)
    if gone is not None:
        return gone
    release = draft.release
    if seen.traffic != stage.traffic or seen.mirror != stage.mirror:
        return draft if release.step_since is None else draft.with_release(step_since=None)
    if release.step_since is not None:
        return None
    shares = ", ".join(f"{name} {pct} %" for name, pct in sorted(stage.traffic.items()))
    shares += "".join(f", {name} {pct} % mirrored" for name, pct in stage.mirror.items())
    facts: dict[str, Fact] = {"step": release.step, "traffic_pct": stage.traffic.get(release.deployment, 0)}
    return draft.with_release(step_since=now, waiting="").because(Why.TRAFFIC_SEEN, f"Traffic: {shares}.", facts)


def unreadable(draft: Draft, text: str) -> Draft:
    """Hold the release, and say so once though numbers and ids in the sentence change from look to look."""
    return draft if alike(draft.release.waiting, text) else draft.waiting(Why.UNREADABLE, text)


def _unread(publication: Publication, draft: Draft, stage: Stage, trouble: Trouble | None, now: datetime) -> Draft:
    """Without the log a stage can do nothing but wait (decide says so), but not for ever: the spec may take it back.

    What a pause or a freeze holds may have passed long ago: it is left alone.
    """
    rollout, since = publication.spec.rollout, draft.release.step_since
    assert since is not None
    if trouble is None or not trouble.lasts(now) or held(publication.spec, draft.record, now):
        return draft
    over = now >= since + timedelta(seconds=stage.hold_s + rollout.max_hold_s + rollout.log_lag_s)
    if not over or rollout.no_data is not NoData.ROLLBACK:
        return draft
    text = f"The traffic log cannot be read: {trouble.text}"
    return draft.signal(Signal.ANALYSIS_FAILED, now, because=text).because(Why.UNREADABLE, text)


def _checks(rollout: Rollout, record: Record, stage: Stage, seen: Observation) -> Iterator[Check]:
    """Every check of the window. Those of the traffic log may fail it before it is complete."""
    assert record.release is not None
    assert seen.traffic is not None
    traffic = seen.traffic
    limits, candidate = rollout.analysis, traffic.of(record.release.deployment)
    beside = record.live is not None and record.live.deployment in stage.traffic
    live = traffic.of(record.live.deployment) if record.live is not None and beside else None
    complete = covers(traffic, stage)
    yield traffic_checks.requests(candidate, live, stage.min_requests, complete=complete)
    for check in (traffic_checks.errors, traffic_checks.throttling, traffic_checks.latency):
        yield check(limits, candidate, live)
    if complete:
        yield from evidence.checks(rollout, record, stage.traffic, seen)


def covers(traffic: TrafficSeen, stage: Stage) -> bool:
    """Whether the window is as long as the stage is to be held."""
    return (traffic.end - traffic.start).total_seconds() >= stage.hold_s


def _unlogged(record: Record, stage: Stage, traffic: TrafficSeen) -> bool:
    """Whether the log leaves mirrored requests out: many were to be expected, and there is none. (Not documented.)"""
    assert record.release is not None
    if not stage.mirror or record.live is None:
        return False
    expected = traffic.of(record.live.deployment).requests * sum(stage.mirror.values()) / 100
    unseen = traffic.of(record.release.deployment).requests == 0
    return unseen and covers(traffic, stage) and expected >= max(stage.min_requests, LEAST_MIRRORED)


def doubted(enough: int, draft: Draft, check: Check) -> tuple[Draft, Check]:
    """Hold a failure that may be chance until it was seen at `enough` looks in a row, each with new numbers."""
    doubt, since = draft.release.doubt, draft.release.step_since
    assert since is not None
    if check.finding is not Finding.FAIL or not check.noisy or enough == 1:
        return (draft if doubt is None else draft.with_release(doubt=None)), check
    if doubt is None or doubt.since != since:
        doubt = Doubt(since=since, looks=1, facts=check.facts)
    elif doubt.facts != check.facts:
        doubt = Doubt(since=since, looks=doubt.looks + 1, facts=check.facts)
    draft = draft.with_release(doubt=doubt)
    if doubt.looks >= enough:
        return draft, check
    text = f"At {doubt.looks} of {enough} looks in a row: {check.text}"
    return draft, msgspec.structs.replace(check, finding=Finding.INCONCLUSIVE, text=text, suspect=True)


def _failed(draft: Draft, check: Check, now: datetime) -> Draft:
    facts = {"release": draft.release.number, "step": draft.release.step, **check.facts}
    draft = draft.signal(Signal.ANALYSIS_FAILED, now, because=check.text)
    return draft.because(Why.ANALYSIS_FAILED, check.text, facts)


def _passed(publication: Publication, draft: Draft, check: Check, now: datetime) -> Draft:
    match draft.release.phase:
        case Phase.SHADOWING:
            return _moved_on(publication, draft, check, now, Why.SHADOW_PASSED, f"Mirrored: {check.text}")
        case Phase.BAKING:
            return _moved_on(publication, draft, check, now, Why.STEP_PASSED, f"Baked: {check.text}")
        case _:
            step = steps_of(publication.spec.rollout, draft.record)[draft.release.step]
            text = f"{step.traffic_pct} % passed: {check.text}"
            return _moved_on(publication, draft, check, now, Why.STEP_PASSED, text)


def _moved_on(publication: Publication, draft: Draft, check: Check, now: datetime, why: Why, text: str) -> Draft:
    """On to the next stage, for this reason; a pause or a freeze holds it where it is."""
    if held(publication.spec, draft.record, now):
        return hold_still(draft)
    release, steps = draft.release, steps_of(publication.spec.rollout, draft.record)
    match release.phase:
        case Phase.SHADOWING:
            return draft.signal(Signal.SHADOW_PASSED, now, step_since=None).because(why, text, check.facts)
        case Phase.BAKING:
            return go_live(publication.serving.endpoint, draft.because(why, text, check.facts), Signal.BAKED, now)
        case _:
            facts = {"step": release.step, "traffic_pct": steps[release.step].traffic_pct, **check.facts}
            last = release.step + 1 == len(steps)
            signal, step = (Signal.LAST_STEP_PASSED, release.step) if last else (Signal.STEP_PASSED, release.step + 1)
            return draft.signal(signal, now, step=step, step_since=None).because(why, text, facts)


def _inconclusive(
    publication: Publication, draft: Draft, stage: Stage, check: Check, seen: Observation, now: datetime
) -> Draft:
    """Hold on, up to a limit; then the spec's policy ends it. What is over a limit is never let go on by it."""
    rollout, since = publication.spec.rollout, draft.release.step_since
    assert since is not None
    if check.broken and seen.trouble is not None and not seen.trouble.lasts(now):
        # A moment's trouble is no news, and nothing to end a stage by.
        return unreadable(draft, f"{check.broken}.") if seen.trouble.for_person else draft
    if now < since + timedelta(seconds=stage.hold_s + rollout.max_hold_s):
        if check.broken:
            return unreadable(draft, f"{check.broken}.")
        over = draft.release.waiting and not held(publication.spec, draft.record, now)
        return draft.with_release(waiting="") if over else draft
    why, what = Why.NO_DATA, "Too little was seen to judge by"
    if check.suspect:
        why, what = Why.UNDECIDED, "Over a limit, though it could still be chance"
    if check.broken:
        why, what = Why.UNREADABLE, check.broken
    match rollout.no_data:
        case NoData.ROLLBACK:
            text = f"{what}: {check.text}"
            return draft.signal(Signal.ANALYSIS_FAILED, now, because=text).because(why, text, check.facts)
        case NoData.PROBE if not check.suspect and not check.broken:
            return _probe(publication, draft, check, seen, now)
        case NoData.PROMOTE if not check.suspect and not check.broken:
            text = f"{what}: {check.text} The spec lets it go on."
            return _moved_on(publication, draft, check, now, why, text)
        case _:
            # Without the numbers, which change with every request: it is said once.
            text = f"{what}; a person has to decide."
            return unreadable(draft, text) if check.broken else draft.waiting(why, text)


def _probe(publication: Publication, draft: Draft, check: Check, seen: Observation, now: datetime) -> Draft:
    """Let sample requests speak where users are silent. One that a person has to weigh is held for one."""
    since, probes = draft.release.step_since, probing.current(draft.release)
    assert since is not None
    if probes is None:
        text = f"Too little was seen to judge by: {check.text} Sample requests are sent in place of users."
        return draft.with_release(probing=probing.begun(since), waiting="").because(Why.PROBING, text, check.facts)
    verdict = probing.judge(publication.spec.rollout, draft.record, probes)
    if verdict is None and seen.trouble is not None and not seen.sent:
        return unreadable(draft, f"{UNSEEN}{seen.trouble.text}") if seen.trouble.is_news(now) else draft
    if verdict is None:
        return draft.with_release(waiting="") if draft.release.waiting else draft
    if verdict.finding is Finding.FAIL:
        return _failed(draft, verdict, now)
    if verdict.finding is Finding.PASS:
        return _moved_on(publication, draft, verdict, now, Why.PROBED, verdict.text)
    return draft.waiting(Why.UNDECIDED, f"{verdict.text} A person has to decide.")
