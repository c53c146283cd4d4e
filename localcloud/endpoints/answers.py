"""What became of one scoring request, as the client sees it and as the traffic log records it.

Called by the router. The codes are those of how-to-troubleshoot-online-endpoints: 401 not allowed, 404 no
deployment with positive weight, 408 slower than the deployment's timeout, 424 the model answered something
other than 200 (its own code stands in a header), 502 the server broke off, 503 it is not there.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

JSON = "application/json"
MODEL_STATUS_HEADER = "ms-azureml-model-error-statuscode"
MODEL_REASON_HEADER = "ms-azureml-model-error-reason"


@dataclass(frozen=True)
class Answer:
    """The outcome. `model_status` is what the scoring server said, if it said anything."""

    status: int
    body: bytes
    model_status: int | None = None
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    model_ms: float = 0.0

    @property
    def reason(self) -> str:
        """The log's ResponseCodeReason."""
        return "" if self.status == 200 else phrase(self.status)


def refusal(status: int, message: str) -> Answer:
    """An answer that the platform gives by itself."""
    return Answer(status, json.dumps({"error": {"code": phrase(status), "message": message}}).encode())


def from_model(status: int, body: bytes, content_type: str, model_ms: float) -> Answer:
    """The scoring server's answer: passed on if it is 200, a 424 that tells of it otherwise."""
    if status == HTTPStatus.OK:
        return Answer(200, body, 200, content_type, model_ms=model_ms)
    headers = {MODEL_STATUS_HEADER: str(status), MODEL_REASON_HEADER: phrase(status)}
    return Answer(HTTPStatus.FAILED_DEPENDENCY, body, status, content_type, headers, model_ms)


def phrase(status: int) -> str:
    """The standard words for a code, without spaces."""
    try:
        return HTTPStatus(status).phrase.replace(" ", "").replace("-", "")
    except ValueError:
        return "Unknown"
