"""App and infrastructure belong together: what the one asks for the other makes, and nothing more."""

import pytest

from tests.infra import contract, needs, safety
from tests.infra.azure_side import Azure
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
