"""Lays out a job's folder: its code, its inputs, room for outputs, and the command with all names filled in.

Used by runner.py alone, in a thread: everything here blocks. Starts nothing.
"""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localcloud.cloud import RESOURCE_GROUP as GROUP
from localcloud.cloud import SUBSCRIPTION as SUBSCRIPTION_ID
from localcloud.cloud import WORKSPACE, WORKSPACE_ID, Cloud
from localcloud.controlplane.asset_ids import parse_asset_id
from localcloud.controlplane.blobs import Blobs, MissingError
from localcloud.controlplane.downloads import registered
from localcloud.controlplane.events import experiment_id
from localcloud.controlplane.locations import Location, locate

Document = dict[str, Any]
_OPTIONAL = re.compile(r"\$\[\[(.*?)\]\]", re.DOTALL)
_BINDING = re.compile(r"\$\{\{\s*(inputs|outputs)\.([\w.-]+)\s*\}\}")
_MODELS = ("custom_model", "mlflow_model", "triton_model")


@dataclass(frozen=True)
class JobFolder:
    """FOLDER/jobs/NAME: code/, inputs/NAME, outputs/NAME, user_logs/."""

    path: Path
    properties: Document

    def lay_out(self, cloud: Cloud, blobs: Blobs) -> None:
        """Bring code and inputs, and make the output folders; MissingError or LocationError if one is not there."""
        shutil.rmtree(self.path, ignore_errors=True)
        for name in ("code", "user_logs", "inputs", "outputs"):
            (self.path / name).mkdir(parents=True)
        code_id = self.properties.get("codeId")
        if code_id:
            uri = str(registered(cloud, "codes", code_id)["properties"]["codeUri"])
            blobs.fetch(locate(uri), self.path / "code", link=False)
        for name, given in self.properties["inputs"].items():
            if _is_data(given) and given.get("mode") != "Direct":
                self._bring(cloud, blobs, name, given)
        for name, output in self.properties["outputs"].items():
            self.output(name, output).parent.mkdir(parents=True, exist_ok=True)
            if output["jobOutputType"] != "uri_file":
                self.output(name, output).mkdir(exist_ok=True)

    def command(self) -> str:
        """The command with the paths and values of inputs and outputs in the places of their names."""
        values = {("inputs", name): self.value(name) for name in self.properties["inputs"]}
        for name, output in self.properties["outputs"].items():
            values["outputs", name] = str(self.output(name, output))

        def optional(found: re.Match[str]) -> str:
            bindings = _BINDING.findall(found[1])
            return found[1] if all(values.get(binding) is not None for binding in bindings) else ""

        text = _OPTIONAL.sub(optional, str(self.properties["command"]))
        return _BINDING.sub(lambda found: str(values[found[1], found[2]]), text)

    def value(self, name: str) -> str | None:
        """What stands for an input in the command: the literal, the URI (mode Direct) or the local path."""
        given = self.properties["inputs"][name]
        if not _is_data(given):
            value = given.get("value")
            return None if value is None else str(value)
        return str(given["uri"]) if given.get("mode") == "Direct" else str(self._input(name))

    def output(self, name: str, output: Document) -> Path:
        """Where the job writes an output."""
        folder = self.path / "outputs" / name
        return folder / locate(output["uri"]).last_name if output["jobOutputType"] == "uri_file" else folder

    def variables(self, name: str, tracking_uri: str, token: str) -> dict[str, str]:
        """What Azure ML puts into a job's environment, as far as it means something here."""
        experiment = self.properties["experimentName"]
        variables = {
            "AZUREML_RUN_ID": name,
            "AZUREML_ROOT_RUN_ID": name,
            "AZUREML_EXPERIMENT_ID": experiment_id(experiment),
            "AZUREML_ARM_SUBSCRIPTION": SUBSCRIPTION_ID,
            "AZUREML_ARM_RESOURCEGROUP": GROUP,
            "AZUREML_ARM_WORKSPACE_NAME": WORKSPACE,
            "AZUREML_ARM_PROJECT_NAME": experiment,
            "AZUREML_WORKSPACE_SCOPE": WORKSPACE_ID,
            "MLFLOW_TRACKING_URI": tracking_uri,
            "MLFLOW_TRACKING_TOKEN": token,
            "MLFLOW_RUN_ID": name,
            "MLFLOW_EXPERIMENT_ID": experiment_id(experiment),
            "MLFLOW_EXPERIMENT_NAME": experiment,
            # Spinning threads of OpenMP starve everything else on a small machine.
            "OMP_WAIT_POLICY": "passive",
            "OMP_NUM_THREADS": "2",
        }
        for each in self.properties["inputs"]:
            variables[f"AZURE_ML_INPUT_{each}"] = self.value(each) or ""
        for each, output in self.properties["outputs"].items():
            variables[f"AZURE_ML_OUTPUT_{each}"] = str(self.output(each, output))
        return {**variables, **(self.properties.get("environmentVariables") or {})}

    def _bring(self, cloud: Cloud, blobs: Blobs, name: str, given: Document) -> None:
        uri = resolve(cloud, str(given["uri"]), given["jobInputType"])
        location = locate(uri)
        target = self.path / "inputs" / name
        if given["jobInputType"] == "uri_file":
            target = target / location.last_name
        elif location.path:
            location = _as_folder(blobs, location, given["jobInputType"])
        blobs.fetch(location, target, link=given.get("mode") in (None, "ReadOnlyMount"))

    def _input(self, name: str) -> Path:
        folder = self.path / "inputs" / name
        if self.properties["inputs"][name]["jobInputType"] != "uri_file":
            return folder
        return next(folder.iterdir())


def resolve(cloud: Cloud, uri: str, input_type: str) -> str:
    """The storage URI behind an input's URI, which may be the id of a data asset or a model, or a job's output."""
    job_output = re.match(r"^azureml://jobs/([^/]+)/outputs/([^/]+)(?:/paths/(.*))?$", uri)
    if job_output:
        document = cloud.store.get("jobs", job_output[1])
        outputs = document["resource"]["properties"]["outputs"] if document else {}
        if job_output[2] not in outputs:
            raise MissingError(f"There is no output {uri}.")
        return f"{outputs[job_output[2]]['uri'].rstrip('/')}/{job_output[3] or ''}"
    try:
        asset = parse_asset_id(uri)
    except ValueError:
        return uri  # a place in storage, not the id of an asset
    kind = asset.kind or ("models" if input_type in _MODELS else "data")
    properties = registered(cloud, kind, uri)["properties"]
    return str(properties["modelUri" if kind == "models" else "dataUri"])


def _as_folder(blobs: Blobs, location: Location, input_type: str) -> Location:
    # A model may be a single file; a folder named without its last slash is still a folder.
    folder = Location(location.container, f"{location.path.rstrip('/')}/")
    return folder if input_type == "uri_folder" or blobs.names(folder) else location


def _is_data(given: Document) -> bool:
    return str(given.get("jobInputType", "literal")).lower() != "literal"
