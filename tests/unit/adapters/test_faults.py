"""Exceptions of the SDKs become one of the two families that callers tell apart."""

import pytest
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ServiceRequestError,
    ServiceResponseError,
)

from shared.adapters.faults import LOGS_ROLE, status_of, translate, translated
from shared.errors import NeedsPerson, RetryLater


class Answer:
    """As much of a response as the SDK's exceptions look at."""

    def __init__(self, status: int, **headers: str) -> None:
        self.status_code, self.reason, self.headers = status, "reason", headers
        self.content_type = "text/plain"

    def text(self) -> str:
        return ""

    body = text


def http(status: int, message: str = "told", **headers: str) -> HttpResponseError:
    return HttpResponseError(message=message, response=Answer(status, **headers))


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_a_service_that_cannot_answer_now_is_asked_again(status: int) -> None:
    assert isinstance(translate(http(status), "reading", LOGS_ROLE), RetryLater)


@pytest.mark.parametrize("error", [ServiceRequestError("no route"), ServiceResponseError("cut off")])
def test_a_service_that_was_not_reached_is_asked_again(error: AzureError) -> None:
    assert isinstance(translate(error, "reading", LOGS_ROLE), RetryLater)


@pytest.mark.parametrize(
    ("headers", "delay_s"),
    [
        ({"Retry-After": "7"}, 7),
        ({"x-ms-retry-after-ms": "1500"}, 1.5),
        ({"Retry-After": "86400"}, 300),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, 30),
        ({}, 30),
    ],
)
def test_the_service_says_how_long_to_wait(headers: dict[str, str], delay_s: float) -> None:
    trouble = translate(http(429, **headers), "reading", LOGS_ROLE)
    assert isinstance(trouble, RetryLater)
    assert trouble.delay_s == delay_s


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_names_the_role_that_is_likely_missing(status: int) -> None:
    trouble = translate(http(status), "reading the traffic", LOGS_ROLE)
    assert isinstance(trouble, NeedsPerson)
    assert str(trouble).startswith(f"reading the traffic: refused with {status}; does the identity have the role Log")


@pytest.mark.parametrize("status", [400, 404, 409, 412])
def test_anything_else_needs_a_person_and_says_what_the_service_said(status: int) -> None:
    trouble = translate(http(status, "the table is wrong"), "reading", LOGS_ROLE)
    assert isinstance(trouble, NeedsPerson)
    assert "the table is wrong" in str(trouble)


def test_a_credential_that_gives_no_token_needs_a_person() -> None:
    trouble = translate(ClientAuthenticationError("sign in first"), "reading", LOGS_ROLE)
    assert isinstance(trouble, NeedsPerson)


def test_an_identity_service_that_fails_is_asked_again() -> None:
    error = ClientAuthenticationError(message="token endpoint", response=Answer(503))
    assert isinstance(translate(error, "reading", LOGS_ROLE), RetryLater)


def test_the_cause_is_kept() -> None:
    cause = http(400)
    with pytest.raises(NeedsPerson) as raised, translated("reading", LOGS_ROLE):
        raise cause
    assert raised.value.__cause__ is cause


def test_what_is_no_fault_of_a_service_passes_through() -> None:
    with pytest.raises(ZeroDivisionError), translated("reading", LOGS_ROLE):
        raise ZeroDivisionError


def test_an_exception_without_an_answer_has_no_status() -> None:
    assert status_of(ServiceRequestError("no route")) is None
