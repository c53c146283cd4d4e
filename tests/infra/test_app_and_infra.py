"""App and infrastructure belong together: what the one asks for the other makes, and nothing more."""

import json

import pytest

from infra.check.project import Project
from infra.hooks.models import OPTIONS
from tests.infra import contract, needs, safety
from tests.infra.azure_side import INFRA, Azure
from tests.infra.contract import Promise


@pytest.fixture(scope="module")
def azure() -> Azure:
    """The infrastructure as it is, with everything switched on."""
    return Azure.of()


def test_the_deployment_does_not_fail(azure: Azure) -> None:
    assert azure.main.failures + azure.models.failures == []


@pytest.mark.parametrize("promise", contract.PROMISES, ids=lambda promise: promise.__name__)
def test_app_and_infrastructure_agree_that(azure: Azure, promise: Promise) -> None:
    assert list(promise(azure)) == []


@pytest.mark.parametrize("promise", safety.PROMISES, ids=lambda promise: promise.__name__)
def test_it_is_safe_because(azure: Azure, promise: Promise) -> None:
    assert list(promise(azure)) == []


@pytest.mark.parametrize("need", needs.NEEDS, ids=lambda need: f"{need.who}-{need.role}-{need.where}")
def test_a_role_is_needed_by_calls_that_exist(need: needs.Need) -> None:
    calls = set(needs.adapter_calls())
    missing = [call for call in need.calls if not any(f"{each}.".startswith(f"{call}.") for each in calls)]
    assert missing == []
    assert need.calls or need.others


@pytest.mark.parametrize(
    "need", [each for each in needs.NEEDS if each.calls], ids=lambda need: f"{need.who}-{need.role}"
)
def test_the_calls_under_a_role_are_of_its_service(need: needs.Need) -> None:
    wanted = needs.SDK[need.role]
    assert [call for call in need.calls if not any(each in needs.source_of(call) for each in wanted)] == []


@pytest.mark.parametrize("call", sorted(needs.adapter_calls()))
def test_every_call_of_an_adapter_stands_under_a_role_or_is_done_without(call: str) -> None:
    known = [*needs.OPTIONAL, *(each for need in needs.NEEDS for each in need.calls)]
    assert any(f"{call}.".startswith(f"{each}.") for each in known)


def test_production_is_locked_and_keeps_what_is_deleted() -> None:
    prod = Azure.of(stage="prod").main
    dev = Azure.of(stage="dev").main
    locks = "Microsoft.Authorization/locks"
    assert [each.properties["level"] for each in prod.of_type(locks)] == ["CanNotDelete"] * len(prod.of_type(locks))
    assert len(prod.of_type(locks)) > len(dev.of_type(locks)) == 0


@pytest.mark.parametrize(("option", "variable"), OPTIONS.items())
def test_what_the_models_are_told_is_a_parameter_of_both_templates_and_an_output(
    azure: Azure, option: str, variable: str
) -> None:
    roots = {path.name: source for path, source in Project(INFRA).sources.items() if path.parent == INFRA}
    assert [name for name in ("main.bicep", "models.bicep") if option not in roots[name].parameters] == []
    assert azure.main.outputs[variable] == f"parameter:{option}"


@pytest.mark.parametrize(("option", "variable"), [*OPTIONS.items(), ("callerRanges", "UPKEEP_CALLER_RANGES")])
def test_azd_gives_what_it_was_told(option: str, variable: str) -> None:
    given = json.loads((INFRA / "main.parameters.json").read_text())["parameters"]
    assert given[option]["value"] == f"${{{variable}=}}"


def test_the_ranges_that_may_call_are_separated_by_commas() -> None:
    config = Azure.of(callerRanges="10.1.0.0/16, 20.3.4.5/32").site.properties["siteConfig"]
    assert [each["ipAddress"] for each in config["ipSecurityRestrictions"]] == [
        "ActionGroup",
        "10.1.0.0/16",
        "20.3.4.5/32",
    ]


@pytest.mark.parametrize(
    ("private", "ranges", "closed"), [(True, "10.1.0.0/16", True), (True, "", False), (False, "10.1.0.0/16", False)]
)
def test_the_deployment_site_is_closed_only_where_somebody_can_still_deploy(
    *, private: bool, ranges: str, closed: bool
) -> None:
    config = Azure.of(privateNetwork=private, callerRanges=ranges).site.properties["siteConfig"]
    assert config["scmIpSecurityRestrictionsUseMain"] is closed
