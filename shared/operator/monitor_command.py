"""`upkeep check`: its arguments, what it looks with, and where its answer goes. Called by cli.py.

Ends with 0 for pass, 1 for fail and 3 for no data, unless --no-data says what that shall count as. Nothing of Azure
is imported before the command runs.
"""

import argparse
import json
import math
import os
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from shared.domain.health import ReleaseSeen, Verdict, overall
from shared.domain.lifecycle import Phase
from shared.domain.record import Outcome
from shared.errors import BadInput
from shared.operator import surroundings, views
from shared.operator.api import Api
from shared.operator.monitor_junit import junit
from shared.operator.monitor_pipelines import deliver, harmless, report_file, writable, write
from shared.operator.monitor_report import markdown, summary
from shared.operator.monitor_targets import Given, resolve
from shared.operator.monitoring import Eyes, Health, Plan, Target, monitor

EXIT = {Verdict.PASS: 0, Verdict.FAIL: 1, Verdict.NO_DATA: 3}


def add_arguments(sub: argparse.ArgumentParser) -> None:
    """The arguments, as docs/guide/monitoring.md explains them."""
    add = sub.add_argument
    add(
        "name",
        nargs="*",
        metavar="MODEL|ENDPOINT",
        help="a published model, or an endpoint of the workspace (default: all published models)",
    )
    add("--minutes", type=_above(0), default=10.0, help="how long to look; decimals are fine (default: 10)")
    add("--every", type=_above(0), default=30.0, metavar="SECONDS", help="time between two looks (default: 30)")
    add(
        "--baseline",
        type=_least(0),
        default=60.0,
        metavar="MINUTES",
        help="time before to compare with (default: 60)",
    )
    add("--since", type=_time, metavar="TIME", help="when the deployment happened, in ISO 8601 (default: now)")
    add("--log-lag", type=_least(0), metavar="SECONDS", help="how late the log is (default: the spec's, else 300)")
    add("--max-error-rate-pct", type=_percent, metavar="PCT", help="default: the spec's, else 1")
    add("--max-latency-p95-ms", type=_above(0), metavar="MS", help="default: the spec's, else none")
    add("--max-latency-ratio", type=_least(1), metavar="RATIO", help="p95 now to p95 before (default: 2)")
    add("--min-requests", type=_count, metavar="N", help="fewer are no data (default: the spec's, else 100)")
    add("--no-data", choices=["pass", "fail"], help="end with 0 or 1, instead of 3, when there is no data")
    add(
        "--report",
        type=_report,
        metavar="DIR|FILE.md",
        help="write the report, in Markdown: into a folder, or as FILE.md",
    )
    add("--junit", type=Path, metavar="FILE", help="write the checks as JUnit XML")


def run(options: argparse.Namespace) -> int:
    """Look, tell, report; the exit code."""
    for file in (options.report, options.junit):
        writable(file)
    targets, eyes = _look_with(options, os.environ)
    if options.since and options.since > eyes.clock.now():
        raise BadInput(f"--since {options.since.isoformat()} is still to come")
    found = monitor(targets, _plan(options), eyes, _teller())
    return answer(found, options, os.environ)


def answer(found: list[Health], options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Say what was found, everywhere where it is wanted; the exit code."""
    verdict = overall(health.verdict for health in found)
    if options.json:
        value = {"verdict": verdict, "endpoints": msgspec.to_builtins(found)}
        # A pipeline takes ## for the beginning of a command of ours, in JSON too.
        sys.stdout.write(json.dumps(value, indent=2).replace("##", "#\\u0023") + "\n")
    else:
        views.console().print(summary(found))
    if options.junit:
        write(junit(found), options.junit)
    command = deliver(markdown(found), options.report, environ)
    if command:
        # The agent reads both; JSON must stay alone on the one.
        print(command, file=sys.stderr if options.json else sys.stdout, flush=True)
    if verdict is Verdict.NO_DATA and options.no_data:
        return EXIT[Verdict(options.no_data)]
    return EXIT[verdict]


def _teller() -> Callable[[str], None]:
    console = views.console(stderr=True)
    return lambda line: console.print(harmless(line), style="dim", markup=False)


def _plan(options: argparse.Namespace) -> Plan:
    return Plan(
        window_s=60 * options.minutes,
        every_s=options.every,
        baseline_s=60 * options.baseline,
        since=options.since,
    )


def _look_with(options: argparse.Namespace, environ: Mapping[str, str]) -> tuple[list[Target], Eyes]:
    from shared.adapters.azureml import AzureMl
    from shared.adapters.blob_archive import BlobArchive
    from shared.adapters.clock import SystemClock
    from shared.adapters.credentials import credential
    from shared.adapters.table_state import TableState
    from shared.adapters.traffic_log import EndpointTrafficLog
    from shared.settings import Settings

    settings, identity = Settings.of(environ), credential()
    platform = AzureMl(settings.subscription_id, settings.resource_group, settings.workspace, identity)
    eyes = Eyes(
        log=EndpointTrafficLog(settings.log_workspace_id, settings.workspace, settings.logs_endpoint, identity),
        endpoints=platform,
        release=release_of(Api(surroundings.app(environ))) if environ.get("UPKEEP_APP_URL") else None,
        clock=SystemClock(),
        sleep=time.sleep,
    )
    given = Given(
        max_error_rate_pct=options.max_error_rate_pct,
        max_latency_p95_ms=options.max_latency_p95_ms,
        max_latency_ratio=options.max_latency_ratio,
        min_requests=options.min_requests,
        log_lag_s=options.log_lag,
    )
    state, archive = TableState(settings.table_service, identity), BlobArchive(settings.blob_service, identity)
    return resolve(options.name, given, state, archive, platform), eyes


def release_of(api: Api) -> Callable[[str], ReleaseSeen]:
    """Asks the app how a model stands."""

    def ask(model: str) -> ReleaseSeen:
        status = api.model(model)
        release, last = status.get("release"), status.get("last")
        return ReleaseSeen(
            phase=Phase(status["phase"]),
            number=release["number"] if release else None,
            last=msgspec.convert(last, Outcome) if last else None,
        )

    return ask


def _above(least: float) -> Callable[[str], float]:
    def read(text: str) -> float:
        value = _number(text)
        if value <= least:
            raise argparse.ArgumentTypeError(f"must be more than {least:g}")
        return value

    return read


def _least(least: float) -> Callable[[str], float]:
    def read(text: str) -> float:
        value = _number(text)
        if value < least:
            raise argparse.ArgumentTypeError(f"must be at least {least:g}")
        return value

    return read


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f'"{text}" is not a number')
    return value


def _percent(text: str) -> float:
    value = _number(text)
    if not 0 <= value <= 100:
        raise argparse.ArgumentTypeError("must be 0 to 100: it is a share of the requests, in per cent")
    return value


def _report(text: str) -> Path:
    try:
        return report_file(Path(text))
    except BadInput as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError("must be a whole number, at least 1: silence is never enough to judge by")
    return int(text)


def _time(text: str) -> datetime:
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f'"{text}" is not a time such as 2026-01-31T05:00:00Z') from None
    return value if value.tzinfo else value.replace(tzinfo=UTC)
