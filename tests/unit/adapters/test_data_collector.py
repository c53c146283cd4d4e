"""A deployment file's data_collector reaches Azure ML, or the file is refused."""

from pathlib import Path

import pytest

from shared.adapters.azureml_endpoints import _deployment
from shared.adapters.azureml_files import read_deployment
from shared.domain.actions import CreateDeployment
from shared.domain.publication import DataCollection, ServingAssets
from shared.errors import BadInput

DEPLOYMENT = """\
name: r0001
endpoint_name: trips
model: azureml:trips:1
code_configuration: {code: ., scoring_script: score.py}
environment: azureml:serving:3
instance_type: Standard_DS3_v2
"""


def read(folder: Path, collector: str) -> DataCollection | None:
    path = folder / "deployment.yml"
    path.write_text(f"{DEPLOYMENT}data_collector: {collector}\n" if collector else DEPLOYMENT)
    return read_deployment(path).data_collector


def test_the_collections_that_are_on_are_carried_over(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        '{collections: {b: {enabled: "true"}, a: {enabled: "true"}, c: {enabled: "false"}},'
        " sampling_rate: 0.5, rolling_rate: day}",
    )
    assert found == DataCollection(collections=("a", "b"), sampling_rate=0.5, rolling_rate="day")


@pytest.mark.parametrize("collector", ["", '{collections: {a: {enabled: "false"}}}'])
def test_a_deployment_that_collects_nothing_has_none(tmp_path: Path, collector: str) -> None:
    assert read(tmp_path, collector) is None


@pytest.mark.parametrize(
    ("collector", "where"),
    [
        ('{collections: {a: {enabled: "true", client_id: me}}}', "data_collector.collections.a.client_id"),
        ('{collections: {a: {enabled: "true", data: {name: mine}}}}', "data_collector.collections.a.data"),
        ('{collections: {a: {enabled: "true"}}, request_logging: {capture_headers: [x]}}', "request_logging"),
    ],
)
def test_what_would_be_dropped_is_refused(tmp_path: Path, collector: str, where: str) -> None:
    with pytest.raises(BadInput, match=where):
        read(tmp_path, collector)


def test_azure_ml_is_sent_what_the_publication_says() -> None:
    serving = ServingAssets(
        endpoint="trips",
        code_id="azureml:code:1",
        scoring_script="score.py",
        environment_id="azureml:env:1",
        instance_type="Standard_DS3_v2",
        data_collector=DataCollection(collections=("model_inputs",), sampling_rate=0.5, rolling_rate="day"),
    )
    order = CreateDeployment(deployment="r0001", version=1, publication="p")
    properties = _deployment(order, serving, "azureml:trips:1")._to_rest_object("local").properties
    assert properties.data_collector.as_dict() == {
        "collections": {"model_inputs": {"dataCollectionMode": "enabled", "samplingRate": 0.5}},
        "rollingRate": "day",
    }
