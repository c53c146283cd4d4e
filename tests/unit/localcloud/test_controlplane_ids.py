"""Ids of assets and places in storage."""

import pytest

from localcloud.cloud import WORKSPACE_ID
from localcloud.controlplane.asset_ids import AssetId, asset_id, parse_asset_id, parse_import_id, parse_registry_id
from localcloud.controlplane.locations import Location, LocationError, locate

LONG = "azureml://subscriptions/s/resourcegroups/g/workspaces/w/datastores/upkeep_runs/paths/m/job/model"


class TestParseAssetId:
    @pytest.mark.parametrize(
        "text",
        [
            f"{WORKSPACE_ID}/models/m/versions/3",
            f"azureml:{WORKSPACE_ID}/models/m/versions/3",
            f"{WORKSPACE_ID}/Models/m/versions/3".replace("resourceGroups", "resourcegroups"),
            "azureml://locations/local/workspaces/guid/models/m/versions/3",
            "azureml://subscriptions/s/resourceGroups/g/workspaces/w/models/m/versions/3",
        ],
    )
    def test_reads_every_long_form(self, text: str) -> None:
        assert parse_asset_id(text) == AssetId("models", "m", "3")

    def test_reads_the_short_form_without_its_kind(self) -> None:
        assert parse_asset_id("azureml:m:3") == AssetId(None, "m", "3")

    def test_reads_a_label(self) -> None:
        assert parse_asset_id("azureml:m@latest") == AssetId(None, "m", None, "latest")

    @pytest.mark.parametrize("text", ["m", "", LONG, "https://host/c/b", "azureml://datastores/d/paths/models/m"])
    def test_refuses_what_is_no_asset(self, text: str) -> None:
        with pytest.raises(ValueError, match="not the id of an asset"):
            parse_asset_id(text)

    def test_reads_what_it_wrote(self) -> None:
        assert parse_asset_id(asset_id("data", "m-data", "abc")) == AssetId("data", "m-data", "abc")


class TestLocate:
    @pytest.mark.parametrize(
        ("uri", "expected"),
        [
            ("azureml://datastores/upkeep_accepted/paths/m/parts/", Location("accepted", "m/parts/")),
            (LONG, Location("runs", "m/job/model")),
            ("azureml://datastores/WorkspaceBlobStore/paths/x", Location("azureml-blobstore", "x")),
            ("https://127.0.0.1:10000/devstoreaccount1/upload-1/code", Location("upload-1", "code")),
            ("https://devstoreaccount1.blob.localhost:10000/upload-1/a%20b/", Location("upload-1", "a b/")),
            ("https://127.0.0.1:10000/devstoreaccount1/upload-1", Location("upload-1", "")),
        ],
    )
    def test_finds_container_and_path(self, uri: str, expected: Location) -> None:
        assert locate(uri) == expected

    @pytest.mark.parametrize(
        "uri", ["azureml://datastores/nowhere/paths/x", "http://h/c/b", "https://h/devstoreaccount1", "./local"]
    )
    def test_refuses_a_place_outside_of_the_storage(self, uri: str) -> None:
        with pytest.raises(LocationError):
            locate(uri)

    def test_names_the_last_part_of_a_folder(self) -> None:
        assert Location("runs", "m/job/model/").last_name == "model"


class TestRegistryIds:
    @pytest.mark.parametrize("prefix", ["", "azureml:"])
    def test_reads_the_id_of_a_shared_model(self, prefix: str) -> None:
        text = f"{prefix}azureml://registries/upkeep-local/models/m/versions/3"
        assert parse_registry_id(text) == ("upkeep-local", "m", "3")

    def test_a_model_of_the_workspace_is_no_shared_one(self) -> None:
        assert parse_registry_id(f"{WORKSPACE_ID}/models/m/versions/3") is None

    def test_reads_what_is_to_be_imported(self) -> None:
        text = "azureml://locations/local/workspaces/guid/models/m/versions/3"
        assert parse_import_id(text) == ("guid", "m", "3")

    def test_only_models_are_imported(self) -> None:
        assert parse_import_id("azureml://locations/local/workspaces/guid/data/m/versions/3") is None
