"""An app with fakes behind it, for the triggers' tests beside this file."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import azure.functions as func
import pytest

from shared import bootstrap
from shared.reconcile.inbox import Inbox
from shared.reconcile.ports import Pointer
from tests.fakes.archive import FakeArchive
from tests.fakes.clock import FakeClock
from tests.fakes.nudges import FakeNudges
from tests.fakes.state import FakeStateStore

PAYLOADS = Path(__file__).resolve().parents[2] / "payloads"
MODEL = "flights"


class FakeIntake:
    """Remembers what it was asked."""

    def __init__(self) -> None:
        self.handled: list[str] = []
        self.sweeps = 0
        self.rows: list[Any] = []
        self.nobodys: list[Any] = []

    def handle(self, text: str) -> None:
        self.handled.append(text)

    def sweep(self) -> int:
        self.sweeps += 1
        return 0

    def findings(self, model: str) -> list[Any]:
        return [row for row in self.rows if row.model == model]

    def unowned(self) -> list[Any]:
        return self.nobodys


class TriggerWorld:
    """The app that the triggers get, and short ways to call them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.clock = FakeClock()
        self.failure: BaseException | None = None
        self.state = FakeStateStore(self._interrupt)
        self.nudges = FakeNudges(self.clock)
        self.archive = FakeArchive()
        self.intake = FakeIntake()
        self.runs: list[tuple[str, object]] = []
        self.app = SimpleNamespace(
            state=self.state,
            archive=self.archive,
            nudges=self.nudges,
            clock=self.clock,
            inbox=Inbox(self.state, self.nudges, self.clock),
            intake=self.intake,
            reconciler=SimpleNamespace(run=lambda model, due: self.runs.append((model, due))),
        )
        monkeypatch.setattr(bootstrap, "app", lambda: self.app)

    def _interrupt(self, _point: str) -> None:
        if self.failure is not None:
            raise self.failure

    def publish(self, model: str = MODEL, **rest: Any) -> None:
        """Publish a model."""
        self.state.publish(Pointer(model=model, publication="p1", published_at=self.clock.now(), **rest))

    def events(self, model: str = MODEL) -> list[Any]:
        """What was recorded for a model."""
        failure, self.failure = self.failure, None
        loaded = self.state.load(model, 100)
        self.failure = failure
        return [unread.event for unread in loaded.unread] if loaded else []


def message(text: str | bytes) -> func.QueueMessage:
    """A queue message."""
    return func.QueueMessage(id="1", body=text)


def request(method: str, body: object = b"", headers: dict[str, str] | None = None, **rest: Any) -> func.HttpRequest:
    """A request; a body that is not bytes is sent as JSON. `rest` are route_params and params."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return func.HttpRequest(method=method, url="https://app/api", headers=headers or {}, body=content, **rest)


def answer(response: func.HttpResponse) -> tuple[int, Any]:
    """Status and JSON."""
    return response.status_code, json.loads(response.get_body())


def payload(name: str) -> dict[str, Any]:
    """A payload of tests/payloads."""
    return json.loads((PAYLOADS / f"{name}.json").read_text())


def call(trigger: Any, *arguments: Any) -> Any:
    """Call a function of a blueprint past its decorators."""
    return trigger(*arguments)
