"""The local cloud's cores: what deployments take of them, and limits that a test lowers."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from localcloud.cloud import Cloud, Ports
from localcloud.controlplane.quotas import Quotas
from localcloud.controlplane.responses import ArmError
from localcloud.endpoints.documents import Documents
from localcloud.faults import Faults
from localcloud.store import Store

DSV2 = "Standard DSv2 Family Cluster Dedicated vCPUs"


class Request:
    """As much of a request as the handlers read."""

    def __init__(self, body: Any = None) -> None:
        self.body = body

    async def json(self) -> Any:
        return self.body


@pytest.fixture
def cloud(tmp_path: Path) -> Cloud:
    ports = Ports(gateway=18443, blob=20000, queue=20001, table=20002, functions=17071, egress=18899)
    return Cloud(tmp_path, ports, Store(tmp_path / "cloud.sqlite"), Faults())


def told(handler: Any, body: Any = None) -> Any:
    return json.loads(asyncio.run(handler(Request(body))).text)


def usage(quotas: Quotas, name: str = DSV2) -> tuple[int, int]:
    rows = told(quotas._usages)["value"]
    return next((row["currentValue"], row["limit"]) for row in rows if row["name"]["value"] == name)


def deploy(documents: Documents, instances: int) -> None:
    documents.save_endpoint({"name": "flights", "state": "Succeeded", "properties": {}})
    properties = {"instanceType": "Standard_DS3_v2"}
    sku = {"name": "Default", "capacity": instances}
    documents.save_deployment({"name": "r0001", "endpoint": "flights", "properties": properties, "sku": sku})


@pytest.mark.parametrize(("instances", "cores"), [(1, 8), (3, 16), (5, 24)])
def test_a_deployment_takes_a_fifth_more_than_it_asks_for(cloud: Cloud, instances: int, cores: int) -> None:
    documents = Documents(cloud)
    deploy(documents, instances)
    assert usage(Quotas(cloud, documents))[0] == cores


def test_a_limit_can_be_lowered(cloud: Cloud) -> None:
    quotas = Quotas(cloud, Documents(cloud))
    told(quotas._set_limits, {"standardDSv2Family": 8})
    assert usage(quotas) == (0, 8)


@pytest.mark.parametrize("limits", [{"unheard": 1}, {"total": -1}, {"total": "8"}, {"total": True}])
def test_a_limit_that_means_nothing_is_refused(cloud: Cloud, limits: dict[str, Any]) -> None:
    with pytest.raises(ArmError):
        told(Quotas(cloud, Documents(cloud))._set_limits, limits)
