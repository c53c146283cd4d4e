"""Settings are built whole, or refused with every problem at once."""

import msgspec
import pytest

from shared.errors import BadInput
from shared.settings import PUBLIC_LOGS_ENDPOINT, VARIABLES, Settings

GOOD = {
    "UPKEEP_STORAGE__blobServiceUri": "https://acc.blob.core.windows.net/",
    "UPKEEP_STORAGE__queueServiceUri": "https://acc.queue.core.windows.net",
    "UPKEEP_STORAGE__tableServiceUri": "https://127.0.0.1:10002/devstoreaccount1",
    "UPKEEP_SUBSCRIPTION_ID": "00000000-0000-4000-8000-000000000001",
    "UPKEEP_RESOURCE_GROUP": "rg-upkeep",
    "UPKEEP_WORKSPACE": "mlw-upkeep",
    "UPKEEP_LOG_WORKSPACE_ID": "00000000-0000-4000-8000-000000000003",
    "UPKEEP_ENVIRONMENT": "prod",
}


def problems(variables: dict[str, str]) -> tuple[str, ...]:
    with pytest.raises(BadInput) as refusal:
        Settings.of(variables)
    return refusal.value.problems


def test_good_variables_give_settings() -> None:
    settings = Settings.of(GOOD)
    assert (settings.workspace, settings.environment) == ("mlw-upkeep", "prod")


def test_a_slash_at_the_end_of_a_url_is_taken_off() -> None:
    assert Settings.of(GOOD).blob_service == "https://acc.blob.core.windows.net"


def test_variables_of_others_are_passed_over() -> None:
    assert Settings.of({**GOOD, "PATH": "/bin"}) == Settings.of(GOOD)


def test_the_logs_endpoint_is_the_public_one_unless_it_is_set() -> None:
    assert Settings.of(GOOD).logs_endpoint == PUBLIC_LOGS_ENDPOINT
    other = Settings.of({**GOOD, "UPKEEP_LOGS_ENDPOINT": "https://localhost:8443"})
    assert other.logs_endpoint == "https://localhost:8443"


def test_every_missing_variable_is_told_at_once() -> None:
    told = problems({})
    assert [name for name in GOOD if not any(name in problem for problem in told)] == []
    assert len(told) == len(GOOD)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("UPKEEP_STORAGE__blobServiceUri", "http://acc.blob.core.windows.net"),
        ("UPKEEP_STORAGE__queueServiceUri", "https://acc.queue.core.windows.net?sig=secret"),
        ("UPKEEP_STORAGE__tableServiceUri", "DefaultEndpointsProtocol=https;AccountKey=secret"),
        ("UPKEEP_SUBSCRIPTION_ID", "my subscription"),
        ("UPKEEP_RESOURCE_GROUP", "a/b"),
        ("UPKEEP_WORKSPACE", "w"),
        ("UPKEEP_LOG_WORKSPACE_ID", "/subscriptions/s"),
        ("UPKEEP_ENVIRONMENT", "Prod!"),
        ("UPKEEP_LOGS_ENDPOINT", "api.loganalytics.io"),
    ],
)
def test_a_wrong_value_is_told_by_its_variable(name: str, value: str) -> None:
    (problem,) = problems({**GOOD, name: value})
    assert problem.startswith(f"{name} is wrong: it must be ")


def test_a_wrong_value_itself_is_not_told_as_it_may_be_a_secret() -> None:
    told = problems({**GOOD, "UPKEEP_STORAGE__tableServiceUri": "DefaultEndpointsProtocol=https;AccountKey=secret"})
    assert "secret" not in "".join(told)


def test_a_value_of_blanks_is_a_missing_one() -> None:
    assert problems({**GOOD, "UPKEEP_WORKSPACE": "  "}) == (
        "UPKEEP_WORKSPACE is not set: it must be the name of an Azure ML workspace.",
    )


def test_every_field_is_filled_from_one_variable() -> None:
    assert sorted(rule.field for rule in VARIABLES.values()) == sorted(
        field.name for field in msgspec.structs.fields(Settings)
    )
