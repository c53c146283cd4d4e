"""Brings what a deployment names into a folder: environment, code, model. Then its server can be started.

Called by the deployments. The folder is FOLDER/deployments/ENDPOINT/NAME/GENERATION: an update prepares the
next one while the old one serves.
"""

import shutil
from pathlib import Path

from localcloud.cloud import Cloud
from localcloud.collector.service import Collector
from localcloud.controlplane.blobs import MissingError
from localcloud.controlplane.downloads import download_code, download_model
from localcloud.controlplane.environments import EnvironmentBuildError, environment_python
from localcloud.endpoints.documents import DEPLOYMENTS, Document
from localcloud.endpoints.operations import OperationError
from localcloud.endpoints.process import Launch


def deployment_folder(cloud: Cloud, endpoint: str, name: str) -> Path:
    """Where all generations of a deployment lie."""
    return cloud.folder / "deployments" / endpoint / name


async def prepare(cloud: Cloud, collector: Collector, deployment: Document) -> Launch:
    """Download, build, and open the sidecar of one that collects data; raises OperationError with the reason."""
    try:
        return await _prepare(cloud, collector, deployment)
    except (EnvironmentBuildError, MissingError, ValueError) as error:
        raise OperationError("BadArgument", str(error)) from error


async def _prepare(cloud: Cloud, collector: Collector, deployment: Document) -> Launch:
    properties = deployment["properties"]
    home = deployment_folder(cloud, deployment["endpoint"], deployment["name"])
    folder = home / str(deployment["generation"])
    # A preparation that was cut off by a restart begins anew.
    shutil.rmtree(folder, ignore_errors=True)
    python = await environment_python(cloud, properties["environmentId"])
    code = folder / "code"
    await download_code(cloud, properties["codeConfiguration"]["codeId"], code)
    script = properties["codeConfiguration"]["scoringScript"]
    if not (code / script).is_file():
        raise ValueError(f"The code has no scoring script {script!r}.")
    model_dir: Path | None = None
    if properties.get("model"):
        model_dir = folder / "azureml-models"
        await download_model(cloud, properties["model"], model_dir)
    variables = {key: str(value) for key, value in (properties.get("environmentVariables") or {}).items()}
    return Launch(
        python=str(python),
        code=str(code),
        scoring_script=script,
        model_dir=None if model_dir is None else str(model_dir),
        variables={**variables, **await collector.open(deployment, folder)},
        log=str(home / "server.log"),
    )


def discard_older(cloud: Cloud, deployment: Document) -> None:
    """Remove the folders of the generations before this one."""
    home = deployment_folder(cloud, deployment["endpoint"], deployment["name"])
    for folder in home.iterdir():
        if folder.is_dir() and int(folder.name) < deployment["generation"]:
            shutil.rmtree(folder)


def discard_unknown(cloud: Cloud) -> None:
    """Remove the folders of deployments that are not in the store any more, after it was emptied."""
    for home in (cloud.folder / "deployments").glob("*/*"):
        if cloud.store.get(DEPLOYMENTS, f"{home.parent.name}/{home.name}") is None:
            shutil.rmtree(home)
