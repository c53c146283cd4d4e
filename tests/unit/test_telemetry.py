"""Log records of ours become lines that a person and a query can both read."""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from enum import StrEnum

import pytest

from shared import telemetry


class Word(StrEnum):
    ONE = "one"


@pytest.fixture
def written() -> Iterator[list[logging.LogRecord]]:
    """What reaches the handlers of the process after telemetry was started."""
    records: list[logging.LogRecord] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            records.append(record)

    handler, ours = Keep(), logging.getLogger(telemetry.SOURCE)
    before = (ours.level, ours.propagate, list(ours.handlers))
    logging.getLogger().addHandler(handler)
    telemetry.start()
    yield records
    logging.getLogger().removeHandler(handler)
    ours.setLevel(before[0])
    ours.propagate = before[1]
    ours.handlers[:] = before[2]


def test_a_line_is_the_event_and_then_its_facts() -> None:
    facts = {"model": "taxi", "seq": 7, "share": 0.5, "ok": True, "word": Word.ONE}
    assert telemetry.line("pass.done", facts) == "pass.done model=taxi seq=7 share=0.5 ok=true word=one"


def test_a_fact_that_is_not_known_is_left_out() -> None:
    assert telemetry.line("pass.done", {"release": None}) == "pass.done"


@pytest.mark.parametrize("text", ["two words", "", 'a "quote"', "a=b", "line\nbreak", "\x1b[31mred"])
def test_text_that_could_be_taken_for_more_than_one_fact_is_quoted(text: str) -> None:
    line = telemetry.line("e", {"fact": text})
    assert line.startswith('e fact="')
    assert line.isprintable()


def test_a_time_is_written_in_iso() -> None:
    assert telemetry.line("e", {"at": datetime(2026, 1, 2, tzinfo=UTC)}) == "e at=2026-01-02T00:00:00+00:00"


def test_a_long_text_is_cut() -> None:
    assert len(telemetry.line("e", {"text": "x" * 10_000})) < 500


def test_a_record_of_ours_arrives_with_its_facts_in_the_text(written: list[logging.LogRecord]) -> None:
    logging.getLogger("shared.reconcile.loop").info("reconcile.acted", extra={"model": "taxi", "names": ["a", "b"]})
    assert [record.getMessage() for record in written] == ['reconcile.acted model=taxi names=["a","b"]']


def test_an_exception_keeps_its_traceback(written: list[logging.LogRecord]) -> None:
    try:
        int("x")
    except ValueError:
        logging.getLogger("shared.x").exception("it.broke", extra={"model": "taxi"})
    assert (written[0].levelno, written[0].getMessage()) == (logging.ERROR, "it.broke model=taxi")
    assert written[0].exc_info is not None


def test_starting_twice_writes_each_line_once(written: list[logging.LogRecord]) -> None:
    telemetry.start()
    logging.getLogger("shared.x").info("once")
    assert len(written) == 1


def test_the_sdks_are_quiet_below_warning(written: list[logging.LogRecord]) -> None:
    logging.getLogger("azure.core.pipeline.policies.http_logging_policy").info("Request URL: …")
    assert written == []
