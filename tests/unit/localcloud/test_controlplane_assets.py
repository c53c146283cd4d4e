"""Versions of assets as documents."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from localcloud.controlplane.asset_store import AssetStore
from localcloud.controlplane.responses import ArmError
from localcloud.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "cloud.sqlite")
    yield store
    store.close()


@pytest.fixture
def models(store: Store) -> AssetStore:
    return AssetStore(store, "models")


PATH = {"modelUri": "azureml://datastores/upkeep_runs/paths/m/model", "modelType": "custom_model"}


class TestVersions:
    def test_come_newest_first_whatever_their_numbers(self, models: AssetStore) -> None:
        for version in ("9", "10", "2"):
            models.put("m", version, PATH)
        assert [document["name"] for document in models.versions("m")] == ["2", "10", "9"]

    def test_give_the_next_number_as_a_number(self, models: AssetStore) -> None:
        for version in ("9", "10", "draft"):
            models.put("m", version, PATH)
        assert models.container("m")["properties"]["nextVersion"] == "11"

    def test_of_one_name_are_not_those_of_a_longer_one(self, models: AssetStore) -> None:
        models.put("m", "1", PATH)
        models.put("m-data", "1", PATH)
        assert len(models.versions("m")) == 1

    def test_are_found_in_any_case(self, models: AssetStore) -> None:
        models.put("Model", "1", PATH)
        assert models.get("MODEL", "1")["name"] == "1"

    def test_that_are_unknown_answer_404(self, models: AssetStore) -> None:
        with pytest.raises(ArmError) as refused:
            models.get("m", "1")
        assert refused.value.status == 404


class TestPut:
    def test_again_keeps_the_time_of_creation(self, models: AssetStore) -> None:
        first, new = models.put("m", "1", PATH)
        again, new_again = models.put("m", "1", {**PATH, "stage": "Production"})
        assert (new, new_again) == (True, False)
        assert again["systemData"]["createdAt"] == first["systemData"]["createdAt"]
        assert again["properties"]["stage"] == "Production"

    def test_of_another_path_is_refused_in_azures_words(self, models: AssetStore) -> None:
        models.put("m", "1", PATH)
        with pytest.raises(ArmError, match=r"^Asset paths cannot be updated\.$") as refused:
            models.put("m", "1", {**PATH, "modelUri": f"{PATH['modelUri']}/other"})
        assert (refused.value.status, refused.value.code) == (400, "UserError")

    def test_of_the_same_path_in_another_case_is_the_same(self, models: AssetStore) -> None:
        models.put("m", "1", PATH)
        models.put("m", "1", {**PATH, "modelUri": PATH["modelUri"].replace("datastores", "Datastores") + "/"})

    def test_of_another_type_is_a_conflict(self, models: AssetStore) -> None:
        models.put("m", "1", PATH)
        with pytest.raises(ArmError) as refused:
            models.put("m", "1", {**PATH, "modelType": "mlflow_model"})
        assert refused.value.status == 409

    def test_gives_the_fields_that_the_sdk_insists_on(self, models: AssetStore) -> None:
        document, _ = models.put("m", "1", {**PATH, "flavors": None})
        assert document["properties"]["flavors"] == {}


class TestContainer:
    def test_of_data_knows_the_latest_version(self, store: Store) -> None:
        data = AssetStore(store, "data")
        for version in ("b", "a"):
            data.put("d", version, {"dataUri": f"azureml://datastores/d/paths/{version}", "dataType": "uri_file"})
        properties = data.container("d")["properties"]
        assert (properties["latestVersion"], properties["dataType"]) == ("a", "uri_file")

    def test_can_be_archived(self, models: AssetStore) -> None:
        models.put("m", "1", PATH)
        assert models.put_container("m", {"isArchived": True})["properties"]["isArchived"] is True

    def test_goes_with_its_versions(self, models: AssetStore) -> None:
        models.put("m", "1", PATH)
        assert models.delete("m")
        assert models.containers() == []
