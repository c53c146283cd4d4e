"""What the SDK's loaders say of a file that they refuse, in one line. Called by azureml_files.py.

For a monitor the SDK fails while it words its complaint: what was wrong is in the exception before. There it lists
every kind of signal that a signal is not; only the kind that the file names is worth telling.
"""

from collections.abc import Iterator, Mapping
from typing import Any

_LONGEST = 400


def said(error: BaseException) -> str:
    """The complaint, cut where it gets long."""
    found = error
    while isinstance(found, NotImplementedError) and found.__context__ is not None:
        found = found.__context__
    problems = _problems_behind(found) if found is not error else []
    return (" ".join(str(found).split()) if not problems else "; ".join(problems))[:_LONGEST]


def _problems_behind(error: BaseException) -> list[str]:
    while error.__cause__ is not None:
        error = error.__cause__
    messages = getattr(error, "messages", None)
    return list(_flat(messages, "")) if isinstance(messages, Mapping) else []


def _flat(messages: Any, at: str) -> Iterator[str]:
    if isinstance(messages, Mapping):
        for key, value in messages.items():
            yield from _flat(value, at if key == "value" else f"{at}.{key}".removeprefix("."))
    elif isinstance(messages, list) and any(isinstance(each, Mapping) for each in messages):
        meant = [each for each in messages if not (isinstance(each, Mapping) and "type" in each)]
        for each in meant or messages[:1]:
            yield from _flat(each, at)
    elif isinstance(messages, list):
        yield f"{at}: {' '.join(' '.join(str(each).split()) for each in messages)}"
