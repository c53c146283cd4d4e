"""What the HTTP triggers share: bounded bodies in, JSON out, and troubles as status codes.

Answers never repeat what was sent, but for names that were found to exist.
"""

import logging
from collections.abc import Callable
from typing import Any

import azure.functions as func
import msgspec

from shared import bootstrap
from shared.bootstrap import App
from shared.errors import BadInput, NeedsPerson, RetryLater

log = logging.getLogger(__name__)


class Answer(msgspec.Struct, frozen=True):
    """A status and the value that is sent as JSON."""

    status: int
    value: Any


def respond(make: Callable[[App], Answer]) -> func.HttpResponse:
    """Send the answer that `make` gives; 400 for BadInput, 503 for RetryLater, 500 for what needs a person."""
    app = bootstrap.app()  # outside: settings that are wrong are no mistake of the caller's
    try:
        return render(make(app))
    except BadInput as error:
        return render(refusal(400, *error.problems))
    except RetryLater as error:
        log.warning("http.unavailable", exc_info=error)
        sentence = "Upkeep cannot reach its storage at the moment; try again."
        return render(refusal(503, sentence), {"Retry-After": str(max(1, round(error.delay_s)))})
    except NeedsPerson as error:
        log.exception("http.failed")
        return render(refusal(500, f"Upkeep cannot answer: {error}"))


def refusal(status: int, *problems: str) -> Answer:
    """`error` is the whole in one line, `problems` has one sentence per mistake."""
    return Answer(status, {"error": " ".join(problems), "problems": list(problems)})


def render(answer: Answer, headers: dict[str, str] | None = None) -> func.HttpResponse:
    """As the Functions host wants it."""
    return func.HttpResponse(
        msgspec.json.encode(answer.value),
        status_code=answer.status,
        mimetype="application/json",
        headers={"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", **(headers or {})},
    )


def body(request: func.HttpRequest, most_bytes: int) -> dict[str, Any] | Answer:
    """The JSON object that was sent, or the refusal: 413 for one that is too large, 400 for anything else."""
    content = request.get_body()
    if len(content) > most_bytes:
        return refusal(413, f"The body is larger than {most_bytes} bytes.")
    try:
        return msgspec.json.decode(content, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return refusal(400, "The body is not a JSON object.")
