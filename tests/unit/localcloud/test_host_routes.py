"""Route templates of HTTP functions."""

import pytest

from localcloud.host.errors import HostError
from localcloud.host.routes import Route


@pytest.mark.parametrize(
    ("template", "path", "values"),
    [
        ("models", "models", {}),
        ("models", "Models/", {}),
        ("models/{model}", "models/flight-duration", {"model": "flight-duration"}),
        ("models/{model}/history", "models/a%20b/HISTORY", {"model": "a b"}),
        ("models/{model}", "models/a%2Fb", {"model": "a%2Fb"}),
        ("items/{id:int}", "items/42", {"id": "42"}),
        ("items/{id?}", "items", {}),
        ("items/{id?}", "items/7", {"id": "7"}),
        ("files/{*path}", "files/a/b.csv", {"path": "a/b.csv"}),
        ("files/{*path}", "files", {}),
    ],
)
def test_a_path_matches_and_gives_its_values(template: str, path: str, values: dict[str, str]) -> None:
    assert Route.parse(template).match(path) == values


@pytest.mark.parametrize(
    ("template", "path"),
    [
        ("models", "model"),
        ("models", "models/x"),
        ("models/{model}", "models"),
        ("models/{model}", "models/a/b"),
        ("items/{id:int}", "items/x"),
        ("models/{model}", ""),
    ],
)
def test_another_path_does_not_match(template: str, path: str) -> None:
    assert Route.parse(template).match(path) is None


def test_the_more_literal_template_comes_first() -> None:
    templates = ["{*all}", "models/{model}", "models/{id:int}", "models/all"]
    ordered = sorted(templates, key=lambda template: Route.parse(template).precedence)
    assert ordered == ["models/all", "models/{id:int}", "models/{model}", "{*all}"]


@pytest.mark.parametrize("template", ["a/{x:date}", "a/{x=1}", "a/pre{x}", "a/{x"])
def test_a_template_beyond_what_is_emulated_is_refused(template: str) -> None:
    with pytest.raises(HostError, match="the route"):
        Route.parse(template)
