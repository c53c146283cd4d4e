"""What a check of a canary says, and what several say together: pass, fail or inconclusive. Silence is never a pass.

Each kind of check has a room of its own (traffic_checks.py has those that need the traffic log alone); watching.py
puts them together. Nothing here knows the spec, which names checks by their aspect.
"""

from collections.abc import Iterable
from enum import StrEnum

from shared.domain.base import Kept
from shared.domain.reasons import Fact

FALSE_ALARM = 0.01
"""How often a deployment that is just within a limit may be failed by it, over all looks at a window together."""


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
    """The finding, a sentence that ends in a full stop, and the numbers. `aspect` is None for all checks together.

    `suspect`: over a limit, though it could be chance, so that an inconclusive finding is no mere silence.
    `noisy`: it may fail by chance at a single look, so that one failure need not be enough.
    Facts of several checks end up side by side: their names say what they count.
    """

    aspect: Aspect | None = None
    finding: Finding
    text: str
    facts: dict[str, Fact] = {}
    suspect: bool = False
    noisy: bool = False


def combined(checks: Iterable[Check]) -> Check:
    """What all checks say together: one failure fails; else one that is inconclusive leaves it open; else a pass.

    The text is that of the checks that decided. Without a single check there is nothing to pass by: inconclusive.
    """
    every = tuple(checks)
    facts: dict[str, Fact] = {name: fact for check in every for name, fact in check.facts.items()}
    for finding in (Finding.FAIL, Finding.INCONCLUSIVE, Finding.PASS):
        found = [check for check in every if check.finding is finding]
        if found:
            break
    else:
        return Check(finding=Finding.INCONCLUSIVE, text="Nothing was checked.")
    if finding is not Finding.PASS:
        facts[_SAID_BY[finding]] = ", ".join(dict.fromkeys(check.aspect for check in found if check.aspect))
    return Check(
        finding=finding,
        text=" ".join(check.text for check in found),
        facts=facts,
        suspect=any(check.suspect for check in every),
        noisy=all(check.noisy for check in found),
    )


_SAID_BY = {Finding.FAIL: "failed", Finding.INCONCLUSIVE: "inconclusive"}
"""Under these names the facts list the aspects that decided."""
