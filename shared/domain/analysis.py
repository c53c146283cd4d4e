"""What a check of a canary says, and what several say together: pass, fail or inconclusive. Silence is never a pass.

Each kind of check has a room of its own (traffic_checks.py has those that need the traffic log alone); watching.py
puts them together. Nothing here knows the spec, which names checks by their aspect.
"""

from collections.abc import Collection, Iterable
from enum import StrEnum

from shared.domain.base import Kept
from shared.domain.reasons import Fact
from shared.domain.statistics import evidence_over

FALSE_ALARM = 0.01
"""How often a deployment that is just within a limit may be failed by it, over all looks at a window together."""


def proven_over(hits: int, trials: int, limit: float) -> bool:
    """Whether more than `limit` (0..1) of the trials are proven to be hits, however often one looks."""
    return evidence_over(hits, trials, limit) >= 1 / FALSE_ALARM


class Finding(StrEnum):
    """What a window of traffic says."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"


class Aspect(StrEnum):
    """What a check looks at. Documented in docs/reference/analysis.md, word by word."""

    REQUESTS = "requests"
    ERRORS = "errors"
    LATENCY = "latency"
    THROTTLING = "throttling"
    QUERIES = "queries"
    PREDICTIONS = "predictions"
    PROBES = "probes"


class Check(Kept, frozen=True, kw_only=True):
    """The finding, a sentence that ends in a full stop (a pass may have none), and the numbers.

    `aspect` is None for all checks together.
    `suspect`: over a limit, though it could be chance, so that an inconclusive finding is no mere silence.
    `broken`: why what it would judge by cannot be had, for a person to mend; such a finding is never let go on.
    `noisy`: it may fail by chance at a single look, so that one failure need not be enough.
    Facts of several checks end up side by side: their names say what they count.
    """

    aspect: Aspect | None = None
    finding: Finding
    text: str
    facts: dict[str, Fact] = {}
    suspect: bool = False
    broken: str = ""
    noisy: bool = False


def combined(checks: Iterable[Check], skip: Collection[Aspect] = ()) -> Check:
    """What all checks say together: one failure fails; else one that is inconclusive leaves it open; else a pass.

    The text is that of the checks that decided, and names what was skipped, whose numbers are kept. Without a single
    check there is nothing to pass by: inconclusive.
    """
    every = tuple(checks)
    counted = [check for check in every if check.aspect not in skip]
    finding = _worst(check.finding for check in counted)
    decided = [check for check in counted if check.finding is finding]
    texts = [check.text for check in decided if check.text] if counted else ["Nothing was checked."]
    facts: dict[str, Fact] = {name: fact for check in every for name, fact in check.facts.items()}
    if finding is not Finding.PASS:
        facts[_SAID_BY[finding]] = _names(check.aspect for check in decided if check.aspect)
    if skip:
        facts["skipped"] = _names(skip)
        texts.append(f"Not judged, as the spec says: {_names(skip)}.")
    return Check(
        finding=finding,
        text=" ".join(texts),
        facts=facts,
        suspect=any(check.suspect for check in counted),
        broken="; ".join(check.broken for check in counted if check.broken),
        noisy=all(check.noisy for check in decided),
    )


_SAID_BY = {Finding.FAIL: "failed", Finding.INCONCLUSIVE: "inconclusive"}
"""Under these names the facts list the aspects that decided."""


def _worst(findings: Iterable[Finding]) -> Finding:
    found = set(findings)
    if Finding.FAIL in found:
        return Finding.FAIL
    return Finding.INCONCLUSIVE if Finding.INCONCLUSIVE in found or not found else Finding.PASS


def _names(aspects: Iterable[Aspect]) -> str:
    return ", ".join(dict.fromkeys(aspects))
