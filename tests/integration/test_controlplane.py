"""Assets of the emulated Azure ML control plane, as the unmodified azure-ai-ml sees them."""

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from localcloud import cloud as emulated
from localcloud.controlplane.blobs import MissingError
from localcloud.controlplane.downloads import download_code, download_model
from localcloud.faults import Faults
from localcloud.store import Store
from tests.integration.controlplane_fixture import Cloud, events, upload_code

pytest_plugins = ["tests.integration.controlplane_fixture"]
pytestmark = pytest.mark.localcloud


class TestWorkspace:
    def test_has_a_default_blob_datastore(self, client: Any) -> None:
        datastore = client.datastores.get_default()
        assert (datastore.name, datastore.container_name) == ("workspaceblobstore", "azureml-blobstore")

    def test_lists_the_datastores_of_the_product(self, client: Any) -> None:
        assert {"upkeep_accepted", "upkeep_runs"} <= {datastore.name for datastore in client.datastores.list()}

    def test_answers_404_for_an_unknown_datastore(self, client: Any) -> None:
        from azure.core.exceptions import ResourceNotFoundError

        with pytest.raises(ResourceNotFoundError):
            client.datastores.get("nowhere")


class TestAssets:
    def test_uploads_the_same_code_only_once(self, client: Any, tmp_path: Path, unique: str) -> None:
        (tmp_path / "train.py").write_text(f"print('{unique}')\n")
        assert upload_code(client, tmp_path).id == upload_code(client, tmp_path).id

    def test_refuses_another_definition_of_an_environment_version(
        self, client: Any, tmp_path: Path, unique: str
    ) -> None:
        from azure.ai.ml.entities import Environment
        from azure.core.exceptions import HttpResponseError

        def register(line: str) -> Any:
            (tmp_path / "conda.yml").write_text(json.dumps({"dependencies": [line]}))
            return client.environments.create_or_update(
                Environment(name=unique, version="1", image="x", conda_file=tmp_path / "conda.yml")
            )

        first = register("python=3.11")
        assert register("python=3.11").id == first.id
        with pytest.raises(HttpResponseError) as refused:
            register("python=3.12")
        assert refused.value.status_code == 409

    def test_keeps_data_versions_and_finds_the_latest(self, client: Any, unique: str) -> None:
        from azure.ai.ml.entities import Data

        for version in ("b7", "a1"):
            path = f"azureml://datastores/upkeep_accepted/paths/m/manifests/{version}.json"
            client.data.create_or_update(Data(name=unique, version=version, type="uri_file", path=path))
        assert client.data.get(unique, label="latest").version == "a1"
        assert [each.version for each in client.data.list(unique)] == ["a1", "b7"]

    def test_refuses_another_path_for_a_data_version(self, client: Any, unique: str) -> None:
        from azure.ai.ml.entities import Data
        from azure.core.exceptions import HttpResponseError

        def register(path: str) -> Any:
            uri = f"azureml://datastores/upkeep_accepted/paths/{path}"
            return client.data.create_or_update(Data(name=unique, version="1", type="uri_file", path=uri))

        register("one.json")
        register("one.json")
        with pytest.raises(HttpResponseError, match="Asset paths cannot be updated"):
            register("two.json")

    def test_registers_a_command_component(self, client: Any, environment_id: str, code_id: str, unique: str) -> None:
        from azure.ai.ml.entities import CommandComponent

        component = CommandComponent(
            name=f"c{unique}", version="1", command="python train.py", environment=environment_id, code=code_id
        )
        client.components.create_or_update(component)
        found = client.components.get(f"c{unique}", "1")
        assert (found.command, found.code, found.environment) == ("python train.py", code_id, environment_id)


class TestModels:
    @pytest.fixture
    def register(self, client: Any, unique: str) -> Callable[..., Any]:
        from azure.ai.ml.entities import Model

        def put(version: str, **given: Any) -> Any:
            path = f"azureml://datastores/upkeep_runs/paths/{unique}/job/model"
            return client.models.create_or_update(
                Model(name=unique, version=version, type="custom_model", path=path, **given)
            )

        return put

    def test_are_listed_newest_first(self, client: Any, register: Callable[..., Any], unique: str) -> None:
        for version in ("9", "10"):
            register(version)
        assert [model.version for model in client.models.list(unique)] == ["10", "9"]
        assert client.models.get(unique, label="latest").version == "10"

    def test_change_their_tags_and_stage(self, client: Any, register: Callable[..., Any], unique: str) -> None:
        model = register("1", tags={"job": "j"}, stage="Candidate")
        model.tags["verdict"] = "pass"
        model.stage = "Production"
        client.models.create_or_update(model)
        found = client.models.get(unique, "1")
        assert (found.tags, found.stage) == ({"job": "j", "verdict": "pass"}, "Production")

    def test_are_found_by_stage(self, client: Any, register: Callable[..., Any], unique: str) -> None:
        register("1", stage="Production")
        register("2", stage="Candidate")
        assert [model.version for model in client.models.list(unique, stage="Production")] == ["1"]

    def test_leave_the_list_when_archived(self, client: Any, register: Callable[..., Any], unique: str) -> None:
        register("1")
        register("2")
        client.models.archive(unique, "1")
        assert [model.version for model in client.models.list(unique)] == ["2"]
        client.models.restore(unique, "1")
        assert {model.version for model in client.models.list(unique)} == {"1", "2"}

    def test_announce_their_registration_once(self, register: Callable[..., Any], unique: str) -> None:
        register("3", tags={"a": "b"})
        register("3", tags={"a": "c"})
        (event,) = events(f"models/{unique}:3")
        assert event["eventType"] == "Microsoft.MachineLearningServices.ModelRegistered"
        assert event["data"]["ModelName"] == unique


class TestDownloads:
    @pytest.fixture
    def cloud(self, local_cloud: Cloud) -> Iterator[emulated.Cloud]:
        folder = Path(local_cloud["LOCALCLOUD_FOLDER"])
        store = Store(folder / "cloud.sqlite")
        yield emulated.Cloud(folder, emulated.Ports.load(folder), store, Faults())
        store.close()

    def test_bring_a_code_asset_as_it_was_uploaded(self, cloud: emulated.Cloud, code_id: str, tmp_path: Path) -> None:
        asyncio.run(download_code(cloud, code_id, tmp_path))
        assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.py")] == ["package/hello.py"]

    def test_bring_a_model_under_its_own_name(
        self, client: Any, blobs: Any, cloud: emulated.Cloud, unique: str, tmp_path: Path
    ) -> None:
        from azure.ai.ml.entities import Model

        blobs.get_blob_client("runs", f"{unique}/job/model/deep/weights").upload_blob(b"w")
        path = f"azureml://datastores/upkeep_runs/paths/{unique}/job/model"
        model = client.models.create_or_update(Model(name=unique, version="1", type="custom_model", path=path))
        assert asyncio.run(download_model(cloud, model.id, tmp_path)) == tmp_path / "model"
        assert (tmp_path / "model" / "deep" / "weights").read_bytes() == b"w"

    def test_refuse_a_model_that_is_not_registered(self, cloud: emulated.Cloud, unique: str, tmp_path: Path) -> None:
        with pytest.raises(MissingError):
            asyncio.run(download_model(cloud, f"azureml:{unique}:1", tmp_path))

    def test_do_not_keep_what_was_changed_at_the_target(
        self, cloud: emulated.Cloud, code_id: str, tmp_path: Path
    ) -> None:
        asyncio.run(download_code(cloud, code_id, tmp_path / "a"))
        (tmp_path / "a" / "package" / "hello.py").write_text("changed")
        asyncio.run(download_code(cloud, code_id, tmp_path / "b"))
        assert "hello from" in (tmp_path / "b" / "package" / "hello.py").read_text()
