"""What is read out of Azure ML's lists of sizes and usages. Shapes as in azure-rest-api-specs (Usage/list.json)."""

from types import SimpleNamespace
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ServiceRequestError

from shared.adapters.azureml_quota import Quotas

SIZES = [
    {"name": "Standard_DS2_v2", "family": "standardDSv2Family", "vCPUs": 2},
    {"name": "Standard_DS3_v2", "family": "standardDSv2Family", "vCPUs": 4},
]
WORKSPACE = "Microsoft.MachineLearningServices/workspaces/usages"
FAMILY = "Microsoft.MachineLearningServices/vmFamily/usages"
TOTAL = "Microsoft.MachineLearningServices/dedicatedCores/usages"
DSV2 = "Standard DSv2 Family Cluster Dedicated vCPUs"


def usage(kind: str, name: str, used: int, limit: int) -> dict[str, Any]:
    return {"type": kind, "currentValue": used, "limit": limit, "name": {"value": name, "localizedValue": name}}


class Compute:
    """Plays MLClient.compute."""

    def __init__(self, usages: list[dict[str, Any]], trouble: Exception | None = None) -> None:
        self.usages, self.trouble = usages, trouble

    def list_sizes(self) -> list[SimpleNamespace]:
        return [SimpleNamespace(**size) for size in SIZES]

    def list_usage(self) -> list[SimpleNamespace]:
        if self.trouble is not None:
            raise self.trouble
        return [SimpleNamespace(**each) for each in self.usages]


def quotas(*usages: dict[str, Any], trouble: Exception | None = None) -> Quotas:
    client = SimpleNamespace(compute=Compute(list(usages), trouble))
    return Quotas(SimpleNamespace(client=client))  # type: ignore[arg-type]


def test_the_rest_of_the_familys_limit_is_free() -> None:
    seen = quotas(usage(FAMILY, DSV2, 10, 24)).seen("Standard_DS3_v2")
    assert (seen.cores_per_instance, seen.free, seen.limited_by) == (4, 14, DSV2)


def test_the_regions_total_counts_where_it_leaves_less() -> None:
    total = usage(TOTAL, "Total Cluster Dedicated Regional vCPUs", 99, 100)
    assert quotas(usage(FAMILY, DSV2, 0, 24), total).seen("Standard_DS3_v2").free == 1


def test_low_priority_cores_and_those_of_one_workspace_do_not_count() -> None:
    low = usage(FAMILY, "Standard DSv2 Family Cluster LowPriority vCPUs", 0, 3)
    one = usage(WORKSPACE, DSV2, 0, 1)
    assert quotas(low, one, usage(FAMILY, DSV2, 0, 24)).seen("Standard_DS3_v2").free == 24


def test_a_limit_that_was_lowered_under_what_is_used_leaves_nothing() -> None:
    assert quotas(usage(FAMILY, DSV2, 30, 24)).seen("Standard_DS3_v2").free == 0


def test_sizes_are_known_whatever_their_case() -> None:
    assert quotas(usage(FAMILY, DSV2, 0, 24)).seen("STANDARD_DS2_V2").cores_per_instance == 2


def test_a_family_without_a_limit_is_a_problem_not_plenty() -> None:
    seen = quotas(usage(FAMILY, DSV2, 0, -1)).seen("Standard_DS3_v2")
    assert (seen.free, "tells no limit" in seen.problem) == (None, True)


@pytest.mark.parametrize("trouble", [HttpResponseError("forbidden"), ServiceRequestError("no route")])
def test_what_cannot_be_read_is_a_problem_that_says_why(trouble: Exception) -> None:
    seen = quotas(trouble=trouble).seen("Standard_DS3_v2")
    assert (seen.free, "looking up the quota" in seen.problem) == (None, True)
