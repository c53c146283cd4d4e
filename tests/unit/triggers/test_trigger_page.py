"""The page: given to everyone, with a policy under which nothing but its own script runs."""

import base64
import hashlib
import re

import azure.functions as func
import pytest

from shared.domain.events import Command
from shared.domain.lifecycle import ENDS, Phase
from shared.triggers.page import page
from tests.unit.triggers.trigger_world import call, request


@pytest.fixture
def served() -> func.HttpResponse:
    return call(page, request("GET"))


@pytest.fixture
def text(served: func.HttpResponse) -> str:
    return served.get_body().decode()


def test_the_page_is_html(served: func.HttpResponse) -> None:
    assert (served.status_code, served.mimetype) == (200, "text/html")


@pytest.mark.parametrize("tag", ["script", "style"])
def test_the_policy_names_the_pages_own_script_and_style_by_hash(
    served: func.HttpResponse, text: str, tag: str
) -> None:
    inside = re.search(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
    assert inside
    digest = base64.b64encode(hashlib.sha256(inside[1].encode()).digest()).decode()
    assert f"{tag}-src 'sha256-{digest}'" in served.headers["Content-Security-Policy"]


def test_what_the_policy_does_not_name_is_forbidden(served: func.HttpResponse) -> None:
    assert served.headers["Content-Security-Policy"].startswith("default-src 'none'")


def test_nothing_is_fetched_from_elsewhere(text: str) -> None:
    assert not re.findall(r"https?://|src=|@import", text)


def test_nothing_that_the_app_says_is_put_in_as_html(text: str) -> None:
    assert not re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", text)


def test_every_command_has_its_button(text: str) -> None:
    table = re.search(r"const COMMANDS = \{(.*?)\n\};", text, re.DOTALL)
    assert table
    assert set(re.findall(r"^  (\w+): \[", table[1], re.MULTILINE)) == set(Command)


def test_every_phase_has_its_place_on_the_way(text: str) -> None:
    named = {word for name in ("WAY", "BAD") for word in _list(text, name)}
    assert named == set(Phase) - {Phase.COLLECTING}
    assert set(_list(text, "BAD")) >= ENDS - {Phase.LIVE}


def _list(text: str, name: str) -> list[str]:
    found = re.search(rf"const {name} = \[(.*?)\];", text)
    assert found
    return re.findall(r'"(\w+)"', found[1])
