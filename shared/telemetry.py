"""Turns structured log records into lines: a constant event name, then its facts as key=value.

Started once by bootstrap.py and the command line. Everybody else only uses the standard library:
`log.info("reconcile.decided", extra={"model": model, "seq": 7})`. Facts are names, numbers, hashes and reasons:
never payloads, tokens, keys or rows of data. What collects the lines (the Functions host, a terminal) is not
decided here; it would drop `extra`, and that is why the facts are put into the text.
"""

import json
import logging
from collections.abc import Mapping
from datetime import datetime
from enum import Enum

SOURCE = "shared"
SINK = "upkeep"
_LONGEST = 400
# Each writes a line or more for every request; what matters of it comes back to us as an exception.
_TALKATIVE = ("azure", "msal", "msrest", "urllib3")
_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class Lines(logging.Handler):
    """Passes each record of ours on to the logger `upkeep` as one line of text, with its traceback if it has one."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write the line where all other handlers of the process listen."""
        facts = {key: value for key, value in vars(record).items() if key not in _OWN}
        logging.getLogger(SINK).log(
            record.levelno, "%s", line(record.getMessage(), facts), exc_info=record.exc_info or None
        )


def start(level: int = logging.INFO) -> None:
    """Turn our records into lines, and let the SDKs speak from WARNING upwards only. Safe to repeat."""
    ours = logging.getLogger(SOURCE)
    ours.setLevel(level)
    ours.propagate = False
    logging.getLogger(SINK).setLevel(level)
    if not any(isinstance(handler, Lines) for handler in ours.handlers):
        ours.addHandler(Lines())
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)


def line(event: str, facts: Mapping[str, object]) -> str:
    """The text of one log line: `pass.done model=taxi seq=7 reasons=["NoNewData"]`. None is left out."""
    return " ".join([event, *(f"{key}={_shown(value)}" for key, value in facts.items() if value is not None)])


def _shown(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, bool | int | float | list | tuple | dict):
        return json.dumps(value, default=str, separators=(",", ":"))[:_LONGEST]
    text = str(value)
    text = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
    # Quoted whenever a reader could take it for more than one word or more than one line.
    return text if text and text.isprintable() and not set(text) & set(' "=') else json.dumps(text)
