"""What was measured, as Markdown. Called by __main__; the same text stands in docs/reference/verdicts.md."""

import math
from collections.abc import Iterable, Sequence

from benchmarks.verdicts.comparing import RULES, Played
from benchmarks.verdicts.judging import LEAST_PCT, Promoted
from benchmarks.verdicts.judging import RULES as JUDGES
from benchmarks.verdicts.latency import RULES as LATENCY_RULES
from benchmarks.verdicts.latency import Slow
from benchmarks.verdicts.plan import Kind

HOLDING = ("product",)
"""Rules that may also hold; of the others, what does not fail passes."""


def rate(hits: int, runs: int) -> str:
    """Percent with its standard error. All or none have none: then the 95 % bound, 3 in so many (Hanley 1983)."""
    if hits in (0, runs):
        bound = f"{min(100.0, 300 / runs):.2g}"
        return f"0 (< {bound})" if hits == 0 else f"100 (> {100 - float(bound):.4g})"
    share = hits / runs
    error = math.sqrt(share * (1 - share) / runs)
    digits = 1 if error >= 0.0005 else 2
    return f"{100 * share:.{digits}f} ± {100 * error:.{digits}f}"


def judged(found: Iterable[Promoted], drawn: str) -> str:
    """Promotions in percent, by rows and true effect; beside them what the product fails, and does not leave open."""
    rows = [
        [f"{each.rows:,}", _effect(each.better_pct), _wanted(each.better_pct)]
        + [rate(each.by_rule[rule], each.runs) for rule in JUDGES]
        + [rate(each.failed, each.runs)]
        for each in found
        if each.drawn == drawn
    ]
    return _table(["rows", "truly", "wanted", *JUDGES, "product fails"], rows)


def failed(found: Iterable[Played]) -> str:
    """Failed rollouts in percent by rule; beside the rules that may hold, what was held."""
    heads = ["requests", *(head for rule in RULES for head in ([rule, "held"] if rule in HOLDING else [rule]))]
    rows = []
    for each in found:
        cells = [each.scenario, f"{each.rate_per_s:g}/s"]
        for rule in RULES:
            cells.append(rate(each.count(rule, Kind.FAILED), each.runs))
            if rule in HOLDING:
                cells.append(rate(each.count(rule, Kind.HELD), each.runs))
        rows.append(cells)
    return _table(["scenario", *heads], rows)


def speed(found: Iterable[Played]) -> str:
    """Requests that reached the candidate until it was failed: median, and 99 % of the failures."""
    rows = [
        [each.scenario, f"{each.rate_per_s:g}/s", *(_until(each, rule) for rule in RULES)]
        for each in found
        if 2 * each.count("product", Kind.FAILED) > each.runs
    ]
    return _table(["scenario", "requests", *RULES], rows)


def slow(found: Iterable[Slow]) -> str:
    """Failed rollouts in percent by true 95th percentile."""
    rows = [
        [f"{each.live_p95_ms:g}", f"{each.candidate_p95_ms:g}", f"{each.rate_per_s:g}/s"]
        + [rate(each.failed[rule], each.runs) for rule in LATENCY_RULES]
        + [rate(each.held["product"], each.runs)]
        for each in found
    ]
    return _table(["live p95 ms", "candidate p95 ms", "requests", *LATENCY_RULES, "held"], rows)


def _until(played: Played, rule: str) -> str:
    middle, most = (played.requests_to_fail(rule, share) for share in (0.5, 0.99))
    return "" if middle is None else f"{middle:,} ({most:,})"


def _effect(better_pct: float) -> str:
    if better_pct == 0:
        return "as good"
    return f"{abs(better_pct):g} % {'better' if better_pct > 0 else 'worse'}"


def _wanted(better_pct: float) -> str:
    if better_pct <= 0:
        return "refuse"
    return "promote" if better_pct >= LEAST_PCT else ""


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])
