"""Every way in which the app can fail to answer becomes one sentence, of the right family."""

import json
from typing import Any

import pytest
import requests
from requests.adapters import BaseAdapter

from shared.errors import BadInput, NeedsPerson, RetryLater
from shared.operator.api import Api
from shared.operator.surroundings import App


class Answering(BaseAdapter):
    """Answers every request with the same thing, and keeps the requests."""

    def __init__(self, status: int = 200, body: object = None, error: Exception | None = None) -> None:
        super().__init__()
        self._status, self._body, self._error = status, body, error
        self.asked: list[requests.PreparedRequest] = []

    def send(self, request: requests.PreparedRequest, *_args: object, **_kwargs: Any) -> requests.Response:
        self.asked.append(request)
        if self._error:
            raise self._error
        response = requests.Response()
        response.status_code, response.url = self._status, request.url or ""
        text = self._body if isinstance(self._body, str) else json.dumps(self._body)
        response._content = text.encode()
        return response

    def close(self) -> None:
        pass


def api(adapter: BaseAdapter) -> Api:
    session = requests.Session()
    session.trust_env = False
    session.mount("https://", adapter)
    return Api(App("https://app.example", "secret"), session)


def test_the_key_goes_along_in_a_header_and_not_in_the_address() -> None:
    adapter = Answering(body={"models": []})
    assert api(adapter).models() == []
    [asked] = adapter.asked
    assert asked.headers["x-functions-key"] == "secret"
    assert asked.url == "https://app.example/api/models"


def test_a_name_cannot_lead_elsewhere() -> None:
    adapter = Answering(body={})
    api(adapter).model("../keys")
    assert adapter.asked[0].url == "https://app.example/api/models/..%2Fkeys"


def test_a_command_is_posted_as_it_is() -> None:
    adapter = Answering(status=202, body={"recorded": True})
    command = {"command": "pause", "by": "ada", "reason": "holidays", "id": "1"}
    assert api(adapter).command("trips", command) == {"recorded": True}
    assert json.loads(adapter.asked[0].body or b"") == command


@pytest.mark.parametrize(
    ("status", "body", "family", "told"),
    [
        (400, {"error": "no such command"}, BadInput, "no such command"),
        (404, "Not Found", BadInput, "https://app.example answered 404"),
        (401, "", NeedsPerson, "https://app.example refuses the key: check UPKEEP_APP_KEY"),
        (503, {"error": "the state cannot be written"}, RetryLater, "the state cannot be written"),
        (500, "", NeedsPerson, "the app failed with 500; its log says more"),
        (200, "<html>", NeedsPerson, "https://app.example/api/models/trips did not answer JSON: is that the app?"),
    ],
)
def test_a_refusal_is_one_sentence(status: int, body: object, family: type[Exception], told: str) -> None:
    with pytest.raises(family) as caught:
        api(Answering(status, body)).model("trips")
    assert str(caught.value) == told


@pytest.mark.parametrize(
    ("error", "family", "told"),
    [
        (requests.ConnectionError(), RetryLater, "the app does not answer at https://app.example: is it running?"),
        (requests.Timeout(), RetryLater, "the app does not answer at https://app.example: is it running?"),
        (
            requests.exceptions.SSLError(),
            NeedsPerson,
            "https://app.example shows a certificate that is not trusted here",
        ),
    ],
)
def test_no_answer_is_one_sentence(error: Exception, family: type[Exception], told: str) -> None:
    with pytest.raises(family) as caught:
        api(Answering(error=error)).models()
    assert str(caught.value) == told


def test_an_unknown_model_is_told_with_those_there_are() -> None:
    class Listing(Answering):
        def send(self, request: requests.PreparedRequest, *_args: object, **_kwargs: Any) -> requests.Response:
            listing = (request.url or "").endswith("/models")
            self._status = 200 if listing else 404
            self._body = {"models": [{"model": "trips"}]} if listing else {"error": "There is no such model."}
            return super().send(request)

    with pytest.raises(BadInput) as caught:
        api(Listing()).model("trps")
    assert str(caught.value) == 'no published model is called "trps"; there are trips; did you mean trips?'
