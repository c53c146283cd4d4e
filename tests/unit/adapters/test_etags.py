"""Conditions of puts: only where a read brought an ETag, only for what was read, only inside."""

from types import SimpleNamespace

from shared.adapters.azureml_etags import after_answer, before_sending, unchanged_since_read

FLIGHTS = "https://management.azure.com/subscriptions/s/onlineEndpoints/flights"


def request(method: str, url: str) -> SimpleNamespace:
    return SimpleNamespace(method=method, url=url, headers={})


def read(url: str, etag: str | None, status: int = 200) -> None:
    headers = {"ETag": etag} if etag else {}
    after_answer(request("GET", url), SimpleNamespace(status_code=status, headers=headers))


def put(url: str) -> dict[str, str]:
    """Headers with which a put of it goes out."""
    sent = request("PUT", url)
    before_sending(sent)
    return sent.headers


def test_a_put_carries_the_etag_of_the_read() -> None:
    with unchanged_since_read():
        read(f"{FLIGHTS}?api-version=2022-02-01-preview", "e1")
        assert put(f"{FLIGHTS.replace('flights', 'FLIGHTS')}?api-version=2023-04-01") == {"If-Match": "e1"}


def test_a_put_is_unconditional_where_the_service_gives_no_etag() -> None:
    with unchanged_since_read():
        read(FLIGHTS, None)
        assert put(FLIGHTS) == {}


def test_the_newest_read_counts() -> None:
    with unchanged_since_read():
        read(FLIGHTS, "e1")
        read(FLIGHTS, "e2")
        assert put(FLIGHTS) == {"If-Match": "e2"}


def test_an_etag_is_that_of_one_resource() -> None:
    with unchanged_since_read():
        read(FLIGHTS, "e1")
        assert put(f"{FLIGHTS}/deployments/r0001") == {}


def test_an_answer_that_is_no_resource_brings_no_etag() -> None:
    with unchanged_since_read():
        read(FLIGHTS, "e1", status=404)
        assert put(FLIGHTS) == {}


def test_what_was_read_is_forgotten_afterwards() -> None:
    with unchanged_since_read():
        read(FLIGHTS, "e1")
    assert put(FLIGHTS) == {}
