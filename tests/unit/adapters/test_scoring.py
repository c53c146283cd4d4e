"""The smoke test tells a deployment that fails from an endpoint that cannot be asked."""

from collections.abc import Callable
from io import BytesIO
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from requests.adapters import BaseAdapter

from shared.adapters.scoring import Scoring
from shared.domain.sample import Sample
from shared.domain.spec_evidence import Answer
from shared.errors import NeedsPerson, RetryLater

Answerer = Callable[[requests.PreparedRequest], requests.Response]


class Wire(BaseAdapter):
    """Answers requests instead of a network."""

    def __init__(self, answer: Answerer) -> None:
        super().__init__()
        self.answer, self.sent = answer, list[requests.PreparedRequest]()

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        self.sent.append(request)
        return self.answer(request)

    def close(self) -> None:
        pass


class Workspace:
    """A workspace whose endpoint has another key each time that it is asked for."""

    def __init__(self) -> None:
        self.asked = 0
        self.client = SimpleNamespace(online_endpoints=self)

    def get(self, name: str) -> Any:
        return SimpleNamespace(scoring_uri=f"https://{name}/score")

    def get_keys(self, name: str) -> Any:
        self.asked += 1
        return SimpleNamespace(primary_key=f"key{self.asked}")


def answer(status: int, body: bytes = b"{}", **headers: str) -> requests.Response:
    response = requests.Response()
    response.status_code, response.raw, response.reason = status, BytesIO(body), "Reason"
    response.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    return response


def scoring(respond: Answerer) -> tuple[Scoring, Wire, Workspace]:
    workspace = Workspace()
    made: Any = Scoring(workspace)  # type: ignore[arg-type]  # as much of a workspace as it uses
    wire = Wire(respond)
    made._session.mount("https://", wire)
    return made, wire, workspace


def test_an_answer_of_200_that_is_json_is_good() -> None:
    made, _, _ = scoring(lambda _: answer(200, b'{"y": [1]}'))
    assert made.smoke("taxi", "r0001", Sample(request="{}")).ok


def test_the_request_names_the_deployment_and_carries_the_key() -> None:
    made, wire, _ = scoring(lambda _: answer(200))
    made.smoke("taxi", "r0002", Sample(request='{"data": []}'))
    (sent,) = wire.sent
    assert (sent.headers["azureml-model-deployment"], sent.headers["Authorization"]) == ("r0002", "Bearer key1")
    assert (sent.url, sent.body) == ("https://taxi/score", b'{"data": []}')


def test_an_answer_that_is_not_json_is_bad() -> None:
    made, _, _ = scoring(lambda _: answer(200, b"<html>"))
    seen = made.smoke("taxi", "r0001", Sample(request="{}"))
    assert (seen.ok, seen.status, seen.detail) == (False, 200, "the answer is not JSON")


def test_an_answer_that_is_not_what_the_sample_promises_is_bad_and_its_content_is_not_told() -> None:
    made, _, _ = scoring(lambda _: answer(200, b'{"predictions": [1234.5]}'))
    seen = made.smoke("taxi", "r0001", Sample(request='{"data": [1]}', answer=Answer(max=60)))
    assert (seen.ok, seen.status, seen.detail) == (False, 200, "a prediction is over 60 (answer.max)")


def test_a_failing_model_is_bad_and_its_answer_is_not_told() -> None:
    headers = {"ms_azureml_model_error_statuscode": "500", "ms_azureml_model_error_reason": "model_error"}
    made, _, _ = scoring(lambda _: answer(424, b"secret row of data", **headers))
    seen = made.smoke("taxi", "r0001", Sample(request="{}"))
    assert (seen.ok, seen.status) == (False, 424)
    assert seen.detail == "model_error (the scoring script answered 500)"


def test_keys_are_fetched_once() -> None:
    made, _, workspace = scoring(lambda _: answer(200))
    made.smoke("taxi", "r0001", Sample(request="{}"))
    made.smoke("taxi", "r0001", Sample(request="{}"))
    assert workspace.asked == 1


def test_a_key_that_is_refused_is_fetched_again() -> None:
    made, _, _ = scoring(lambda sent: answer(200 if sent.headers["Authorization"] == "Bearer key2" else 401))
    assert made.smoke("taxi", "r0001", Sample(request="{}")).ok


def test_a_fresh_key_that_is_refused_needs_a_person() -> None:
    made, _, _ = scoring(lambda _: answer(401))
    with pytest.raises(NeedsPerson):
        made.smoke("taxi", "r0001", Sample(request="{}"))


def test_an_endpoint_that_cannot_be_reached_says_nothing_about_the_deployment() -> None:
    def unreachable(_: requests.PreparedRequest) -> requests.Response:
        raise requests.ConnectionError

    made, _, _ = scoring(unreachable)
    with pytest.raises(RetryLater):
        made.smoke("taxi", "r0001", Sample(request="{}"))


def test_a_deployment_that_does_not_answer_in_time_is_bad() -> None:
    def silent(_: requests.PreparedRequest) -> requests.Response:
        raise requests.ReadTimeout

    made, _, _ = scoring(silent)
    seen = made.smoke("taxi", "r0001", Sample(request="{}"))
    assert (seen.ok, seen.status) == (False, 0)
