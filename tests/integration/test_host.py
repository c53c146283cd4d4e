"""HTTP functions in the local Functions host, and its admin routes."""

import json

import pytest

from tests.integration.host_fixture import Host, Storage, eventually

pytest_plugins = ["tests.integration.host_fixture"]
pytestmark = pytest.mark.localcloud


def test_an_http_function_is_given_the_bytes_headers_and_parameters_of_the_call(host: Host) -> None:
    body = bytes(range(256))
    answer = host.call(
        "POST",
        "/api/echo/a%20b?x=1&x=2&status=201",
        data=body,
        headers={"x-functions-key": host.keys.host["default"], "content-type": "application/x-thing"},
    )
    assert (answer.status_code, answer.content) == (201, body)
    assert answer.headers["content-type"] == "application/x-thing"
    assert answer.headers["x-name"] == "a b"
    assert json.loads(answer.headers["x-query"]) == {"x": "1,2", "status": "201"}


def test_a_function_that_returns_a_string_answers_with_text(host: Host) -> None:
    answer = host.call("GET", "/api/open")
    assert (answer.text, answer.headers["content-type"]) == ("open to all", "text/plain; charset=utf-8")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/api/echo/x", 401),
        ("POST", "/api/echo/x?code=wrong", 401),
        ("GET", "/api/secret", 401),
        ("POST", "/api/open", 404),
        ("GET", "/api/none", 404),
        ("GET", "/open", 404),
        ("GET", "/api/broken", 500),
        ("GET", "/admin/functions", 401),
        ("POST", "/admin/functions/tick", 401),
        ("GET", "/", 200),
    ],
)
def test_a_call_is_answered_as_by_the_real_host(host: Host, method: str, path: str, status: int) -> None:
    assert host.call(method, path).status_code == status


def test_a_wrong_header_is_not_saved_by_a_right_code(host: Host) -> None:
    path = f"/api/echo/x?code={host.keys.host['default']}"
    assert host.call("POST", path).status_code == 200
    assert host.call("POST", path, headers={"x-functions-key": "wrong"}).status_code == 401


def test_a_function_of_level_admin_takes_the_master_key_only(host: Host) -> None:
    assert host.call("GET", f"/api/secret?code={host.keys.host['default']}").status_code == 401
    assert host.call("GET", f"/api/secret?code={host.keys.master}").text == "for the master"


def test_a_failed_function_leaves_its_traceback_in_the_log(host: Host) -> None:
    host.call("GET", "/api/broken")
    eventually(lambda: 'raise RuntimeError("broken on purpose")' in host.out.read_text(), "the traceback")


def test_an_output_binding_sends_a_message_to_a_queue_made_on_demand(host: Host, storage: Storage) -> None:
    assert host.call("POST", "/api/send", data="hello").status_code == 202
    assert [message.content for message in storage.queue("sent").receive_messages()] == ["hello"]


def test_the_functions_are_listed_with_their_bindings(host: Host) -> None:
    listed = {entry["name"]: entry for entry in host.admin("GET", "/admin/functions").json()}
    assert set(listed) == {"broken", "echo", "opened", "secret", "send", "slow", "tick", "work"}
    assert listed["echo"]["invoke_url_template"] == f"{host.url}/api/echo/{{name}}"
    assert listed["tick"]["config"]["bindings"][0]["type"] == "timerTrigger"


def test_the_status_says_that_it_runs(host: Host) -> None:
    assert host.admin("GET", "/admin/host/status").json()["state"] == "Running"


def test_a_timer_can_be_run_by_hand(host: Host) -> None:
    before = len(host.recorded("tick"))
    assert host.admin("POST", "/admin/functions/tick", json={}).status_code == 202
    eventually(lambda: len(host.recorded("tick")) == before + 1, "the timer ran")


def test_a_queue_function_can_be_run_by_hand_with_a_message(host: Host) -> None:
    order = {"do": "record", "by": "hand"}
    assert host.admin("POST", "/admin/functions/work", json={"input": json.dumps(order)}).status_code == 202
    eventually(lambda: any(entry["order"] == order for entry in host.recorded("ended")), "it ran")


@pytest.mark.parametrize(("name", "status"), [("none", 404), ("echo", 400)])
def test_what_cannot_be_run_by_hand_is_refused(host: Host, name: str, status: int) -> None:
    assert host.admin("POST", f"/admin/functions/{name}", json={}).status_code == status
