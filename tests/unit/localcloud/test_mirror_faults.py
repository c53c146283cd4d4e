"""What an injected fault does to one deployment's answers: later, wrong, or well-formed nonsense."""

import asyncio
import json

import pytest

from localcloud.endpoints.answers import Answer
from localcloud.endpoints.calls import Call
from localcloud.endpoints.forward import Forwarder
from localcloud.faults import Fault, Faults

DEPLOYMENT = {
    "endpoint": "flights",
    "name": "r0002",
    "properties": {"requestSettings": {"requestTimeout": "PT2S"}},
}
REQUEST = {"data": [{"carrier": "UA"}, {"carrier": "AA"}, {"carrier": "B6"}]}


class NoServer:
    """No deployment has a server: what gets past the faults is answered 503."""

    def url(self, _endpoint: str, _deployment: str) -> str | None:
        return None


class Sleeper:
    """Notes how long it was told to sleep, and does not."""

    def __init__(self) -> None:
        self.slept_s = 0.0

    async def __call__(self, seconds: float) -> None:
        self.slept_s += seconds


def call(body: object = REQUEST) -> Call:
    return Call("POST", "score", (), {}, json.dumps(body).encode(), "id", "HTTP/1.1", 0.0)


def scored(fault: Fault, body: object = REQUEST) -> tuple[Answer, float]:
    """The answer under a fault, and how many seconds later than without it."""
    sleep = Sleeper()
    forwarder = Forwarder(NoServer(), Faults([fault]), sleep)
    return asyncio.run(forwarder.send(call(body), DEPLOYMENT)), sleep.slept_s


def test_a_delay_comes_before_the_real_answer() -> None:
    answer, late_s = scored(Fault("SCORE flights r0002", delay_ms=300))
    assert (answer.status, late_s) == (503, 0.3)


def test_a_delay_of_another_deployment_is_not_felt() -> None:
    assert scored(Fault("SCORE flights r0001", delay_ms=300))[1] == 0


def test_a_delay_beyond_the_deployments_timeout_is_a_408_at_the_timeout() -> None:
    answer, late_s = scored(Fault("SCORE flights r0002", delay_ms=60_000))
    assert (answer.status, late_s) == (408, 2)


def test_an_error_can_come_late() -> None:
    answer, late_s = scored(Fault("SCORE flights r0002", status=500, delay_ms=100))
    assert (answer.status, answer.model_status, late_s) == (500, 500, 0.1)


def test_nonsense_has_as_many_predictions_as_the_request_has_rows() -> None:
    fault = Fault("SCORE flights r0002", status=200, body='{"predictions": [$rows(-1.5)]}')
    answer, _ = scored(fault)
    assert (answer.status, answer.model_status) == (200, 200)
    assert json.loads(answer.body) == {"predictions": [-1.5, -1.5, -1.5]}


@pytest.mark.parametrize(("request_", "rows"), [([1, 2], 2), ({"n": 1, "instances": [0]}, 1), ({"x": 1}, 1), (7, 1)])
def test_rows_are_those_of_the_first_list_in_the_request(request_: object, rows: int) -> None:
    answer, _ = scored(Fault("SCORE flights", status=200, body="[$rows(0)]"), request_)
    assert json.loads(answer.body) == [0] * rows


def test_a_request_that_is_not_json_has_one_row() -> None:
    assert Fault("SCORE", status=200, body="[$rows(0)]").scored(b"\xff") == b"[0]"


def test_a_share_of_requests_fails() -> None:
    faults = Faults([Fault("SCORE flights r0002", status=500, rate=0.05)])
    hits = sum(faults.pick("SCORE flights r0002") is not None for _ in range(2000))
    assert hits == pytest.approx(100, abs=30)


@pytest.mark.parametrize("delay_ms", [0, -5])
def test_a_fault_that_would_do_nothing_is_refused(delay_ms: int) -> None:
    with pytest.raises(TypeError, match="status"):
        Fault("SCORE flights", delay_ms=delay_ms)
