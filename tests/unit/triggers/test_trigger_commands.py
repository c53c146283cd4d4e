"""Commands of people: sound ones are recorded once, others are told what is wrong."""

from types import SimpleNamespace
from typing import Any

import pytest

from shared.domain.events import Command, CommandGiven
from shared.errors import RetryLater
from shared.triggers.commands import MOST_BYTES, commands
from tests.unit.triggers.trigger_world import MODEL, TriggerWorld, answer, call, request

CONTEXT = SimpleNamespace(invocation_id="0f9e8d7c-6b5a-4938-8271-605f4e3d2c1b")
GOOD = {"command": "pause", "by": "ann", "reason": "a holiday", "id": "c1"}


def give(body: object, model: str = MODEL, headers: dict[str, str] | None = None) -> tuple[int, Any]:
    return answer(call(commands, request("POST", body, headers, route_params={"model": model}), CONTEXT))


@pytest.mark.parametrize("command", list(Command))
def test_a_command_is_recorded(world: TriggerWorld, command: Command) -> None:
    world.publish()
    assert give(GOOD | {"command": command}) == (
        202,
        {"model": MODEL, "command": command, "id": "c1", "new": True},
    )
    assert world.events() == [
        CommandGiven(at=world.clock.now(), command=command, id="c1", by="ann", reason="a holiday")
    ]


def test_a_command_given_again_is_the_same_command(world: TriggerWorld) -> None:
    world.publish()
    assert [give(GOOD)[1]["new"], give(GOOD)[1]["new"]] == [True, False]
    assert len(world.events()) == 1


def test_a_command_without_an_id_takes_the_header_or_else_the_invocation(world: TriggerWorld) -> None:
    world.publish()
    body = {"command": "pause", "by": "ann"}
    assert give(body, headers={"Idempotency-Key": "k1"})[1]["id"] == "k1"
    assert give(body)[1]["id"] == CONTEXT.invocation_id


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"command": "fly"}, f"command must be one of {', '.join(Command)}."),
        ({"command": None}, "command must be"),
        ({"command": ["pause"]}, "command must be"),
        ({"by": ""}, "by must"),
        ({"by": "  "}, "by must"),
        ({"by": 7}, "by must"),
        ({"by": "a\nb"}, "by must"),
        ({"by": "x" * 101}, "by must"),
        ({"reason": None}, "reason must"),
        ({"reason": "x" * 501}, "reason must"),
        ({"id": "a/b"}, "id must"),
        ({"id": ""}, "id must"),
        ({"id": 7}, "id must"),
        ({"because": "x"}, "unknown"),
        ({"release": 3}, "release goes with approve, reject, abort, promote only"),
        ({"command": "approve", "release": 0}, "release goes with"),
        ({"command": "approve", "release": "3"}, "release goes with"),
        ({"command": "approve", "reason": " "}, "reason must say why"),
        ({"command": "reject", "reason": ""}, "reason must say why"),
    ],
)
def test_a_mistake_is_told_in_a_sentence(world: TriggerWorld, change: dict[str, object], word: str) -> None:
    world.publish()
    status, told = give(GOOD | change)
    assert (status, len(told["problems"])) == (400, 1)
    assert word in told["error"]
    assert world.events() == []


def test_a_word_may_be_meant_for_one_release_alone(world: TriggerWorld) -> None:
    world.publish()
    assert give(GOOD | {"command": "approve", "release": 3})[0] == 202
    [event] = world.events()
    assert event.release == 3


def test_every_mistake_is_told_at_once(world: TriggerWorld) -> None:
    world.publish()
    assert len(give({"command": "fly", "x": 1, "reason": 1, "id": "?"})[1]["problems"]) == 5


def test_an_unknown_model_takes_no_command(world: TriggerWorld) -> None:
    status, told = give(GOOD, "<script>")
    assert status == 404
    assert "<script>" not in told["error"]


@pytest.mark.parametrize(("body", "status"), [(b"", 400), (b"[]", 400), (b"x" * (MOST_BYTES + 1), 413)])
def test_a_body_that_is_no_command_is_refused(world: TriggerWorld, body: bytes, status: int) -> None:
    assert give(body)[0] == status


def test_a_command_that_cannot_be_recorded_is_asked_for_again(world: TriggerWorld) -> None:
    world.publish()
    world.failure = RetryLater("down", 7)
    response = call(commands, request("POST", GOOD, route_params={"model": MODEL}), CONTEXT)
    assert (response.status_code, response.headers["Retry-After"]) == (503, "7")
