"""What `upkeep check` found, as Markdown that GitHub and Azure Pipelines show inline, and as lines for a terminal.

Called by monitor_command.py. Words that came from elsewhere (an endpoint's state, an outcome's text) are escaped.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from rich.console import Group
from rich.text import Text

from shared.domain.health import Check, Verdict, Window, live, overall
from shared.domain.observation import Stats
from shared.operator.monitor_pipelines import harmless
from shared.operator.monitoring import Health, Slices

SAID = {Verdict.PASS: "pass", Verdict.FAIL: "FAIL", Verdict.NO_DATA: "no data"}
MARKS = {Verdict.PASS: "✅", Verdict.FAIL: "❌", Verdict.NO_DATA: "❔"}
STYLES = {Verdict.PASS: "green", Verdict.FAIL: "red", Verdict.NO_DATA: "yellow"}
BARS = "▁▂▃▄▅▆▇█"
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|#~&])")


def markdown(found: Sequence[Health]) -> str:
    """The whole report."""
    verdict = overall(health.verdict for health in found)
    lines = [f"## {MARKS[verdict]} Upkeep check: {SAID[verdict]}", ""]
    for health in found:
        lines += [*_section(health), ""]
    return "\n".join(lines)


def summary(found: Iterable[Health]) -> Group:
    """The same for a terminal, without the table."""
    lines = []
    for health in found:
        lines.append(Text.assemble(f"{_title(health)}: ", (SAID[health.verdict], STYLES[health.verdict])))
        for check in health.checks:
            verdict = Text(f"  {SAID[check.verdict]:<8}", style=STYLES[check.verdict])
            lines.append(verdict.append(harmless(f"{name_of(check)}: {check.text}"), style="default"))
        if health.early:
            lines.append(Text("  The failure is plain: the rest of the time was not waited for."))
    return Group(*lines)


def name_of(check: Check) -> str:
    """What was checked, in words: the deployment, if it is of one, and the aspect."""
    return f"{check.of} {check.aspect}".strip().replace("_", " ")


def _title(health: Health) -> str:
    target = health.target
    return f"{target.model}, endpoint {target.endpoint}" if target.model else f"endpoint {target.endpoint}"


def _section(health: Health) -> Iterator[str]:
    yield f"### {MARKS[health.verdict]} {_title(health)}: {SAID[health.verdict]}"
    yield ""
    yield " ".join(_windows(health))
    yield ""
    yield "| check | verdict | what was found |"
    yield "|---|---|---|"
    for check in health.checks:
        yield f"| {escaped(name_of(check))} | {MARKS[check.verdict]} {SAID[check.verdict]} | {escaped(check.text)} |"
    rows = list(_rows(health))
    if rows:
        yield ""
        yield "| | requests | a minute | errors | error rate | p50 | p95 | p99 |"
        yield "|---|---:|---:|---:|---:|---:|---:|---:|"
        yield from rows
    if health.slices is not None:
        yield ""
        yield "```text"
        yield from pictures(health.slices)
        yield "```"


def _windows(health: Health) -> Iterator[str]:
    seen, lag_s = health.seen, health.target.log_lag_s
    if seen.now is None:
        yield f"No traffic could be read since {seen.since:%Y-%m-%d %H:%M:%S} UTC."
    else:
        window = f"{seen.now.start:%Y-%m-%d %H:%M:%S} to {seen.now.end:%H:%M:%S} UTC"
        yield f"Window: {window}; the log lags by {lag_s:g} s."
    if seen.before is not None:
        yield f"Before: from {seen.before.start:%Y-%m-%d %H:%M:%S} on."
        if not seen.before.stats.requests:
            yield "There was no request then, and so nothing to compare with."
    if health.early:
        yield "The failure was plain, so that the rest of the time was not waited for."


def _rows(health: Health) -> Iterator[str]:
    seen = health.seen
    if seen.now is not None:
        seconds, shares = (seen.now.end - seen.now.start).total_seconds(), live(seen.endpoint)
        for name in sorted({*seen.now.stats, *seen.served}):
            note = f"{shares[name]} %" if name in shares else "no live traffic"
            judged = "" if name in seen.served else ", not judged"
            yield _row(f"**{escaped(name)}** ({note}{judged})", seen.now.of(name), seconds)
    if seen.before is not None:
        yield _row("before, all deployments", seen.before.stats, _seconds(seen.before))


def _seconds(window: Window) -> float:
    return (window.end - window.start).total_seconds()


def _row(head: str, stats: Stats, seconds: float) -> str:
    a_minute = f"{60 * stats.requests / seconds:.1f}" if seconds > 0 else ""
    rate = f"{100 * stats.errors / stats.requests:.2f} %" if stats.requests else ""
    times = [stats.latency_p50_ms, stats.latency_p95_ms, stats.latency_p99_ms]
    latencies = ["" if value is None else f"{value:.0f} ms" for value in times]
    return "| " + " | ".join([head, str(stats.requests), a_minute, str(stats.errors), rate, *latencies]) + " |"


def pictures(slices: Slices) -> Iterator[str]:
    """Three lines of bars: before | now. A slice without requests stays empty."""
    every = f"{slices.slice_s:.0f} s" if slices.slice_s >= 10 else f"{slices.slice_s:.1f} s"
    yield _picture("requests", slices, lambda stats: float(stats.requests), f"{{:.0f}} in {every}")
    yield _picture("errors", slices, lambda stats: 100 * stats.errors / stats.requests, "{:.1f} %")
    yield _picture("p95", slices, lambda stats: stats.latency_p95_ms, "{:.0f} ms")
    yield f"{'':9}{'before':<{len(slices.before)}} │ now" if slices.before else f"{'':9}now"


def _picture(name: str, slices: Slices, value: Callable[[Stats], float | None], unit: str) -> str:
    before, now = (
        [value(stats) if stats.requests else None for stats in part] for part in (slices.before, slices.now)
    )
    most = max((number for number in (*before, *now) if number is not None), default=0.0)
    parted = " │ " if before else ""
    return f"{name:<9}{sparkline(before, most)}{parted}{sparkline(now, most)}  at most {unit.format(most)}"


def sparkline(values: Iterable[float | None], most: float) -> str:
    """One bar a value, the highest for `most`; a space for None."""
    top = len(BARS) - 1
    return "".join(" " if value is None else BARS[round(top * value / most) if most > 0 else 0] for value in values)


def escaped(text: str) -> str:
    """Text as it stands in a cell of a Markdown table."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))
