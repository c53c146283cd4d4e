"""What the tests of the control plane share: registered assets, submitted jobs."""

import json
import os
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil
import pytest

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
DEADLINE_S = 30
Cloud = Mapping[str, str]


@pytest.fixture(scope="module")
def blobs(local_cloud: Cloud) -> Any:
    from azure.identity import ManagedIdentityCredential
    from azure.storage.blob import BlobServiceClient

    return BlobServiceClient(local_cloud["UPKEEP_STORAGE__blobServiceUri"], credential=ManagedIdentityCredential())


@pytest.fixture
def unique() -> str:
    return uuid4().hex[:12]


@pytest.fixture(scope="module")
def environment_id(client: Any, tmp_path_factory: pytest.TempPathFactory) -> str:
    return register_environment(client, tmp_path_factory.mktemp("conda"), "plain", [])


@pytest.fixture(scope="module")
def code_id(client: Any, tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("code")
    (folder / "package").mkdir()
    (folder / "package" / "hello.py").write_text("print('hello from the code asset')\n")
    return str(upload_code(client, folder).id)


def register_environment(client: Any, folder: Path, name: str, requirements: list[str]) -> str:
    from azure.ai.ml.entities import Environment

    conda = {"dependencies": [f"python={PYTHON}", "pip", {"pip": requirements}]}
    (folder / "conda.yml").write_text(json.dumps(conda))
    name = f"{name}-{uuid4().hex[:12]}"
    made = client.environments.create_or_update(
        Environment(name=name, version="1", image="mcr.example/base", conda_file=folder / "conda.yml")
    )
    return str(made.id)


def upload_code(client: Any, folder: Path) -> Any:
    from azure.ai.ml.entities._assets import Code

    return client._code.create_or_update(Code(name=str(uuid4()), version="1", path=str(folder)))


@pytest.fixture
def submit(client: Any, environment_id: str, code_id: str, unique: str) -> Callable[..., Any]:
    """Put a command job whose name is unique, but for its prefix."""
    from azure.ai.ml import command

    def put(prefix: str, text: str, timeout_s: int | None = None, **given: Any) -> Any:
        given.setdefault("environment", environment_id)
        given.setdefault("compute", f"compute-{prefix}-{unique}")
        job = command(name=f"{prefix}-{unique}", command=text, code=code_id, **given)
        if timeout_s:
            job.set_limits(timeout=timeout_s)
        return client.jobs.create_or_update(job)

    return put


def wait(client: Any, name: str, *statuses: str) -> str:
    """Look at the job until it has one of the statuses; the last one that was seen."""
    deadline_s = time.monotonic() + DEADLINE_S
    while (status := client.jobs.get(name).status.value) not in statuses:
        assert time.monotonic() < deadline_s, f"{name} is still {status}"
        time.sleep(0.1)
    return str(status)


def ended(client: Any, name: str) -> str:
    return wait(client, name, "Completed", "Failed", "Canceled")


def alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def job_folder(local_cloud: Cloud, name: str) -> Path:
    return Path(local_cloud["LOCALCLOUD_FOLDER"]) / "jobs" / name


def folder_output(path: str) -> Any:
    from azure.ai.ml import Output

    return Output(type="uri_folder", path=path)


def admin(method: str, path: str, body: Any = None) -> Any:
    base = os.environ["IDENTITY_ENDPOINT"].removesuffix("/msi/token")
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{base}/admin{path}", data, {"Content-Type": "application/json"}, method=method)
    with urllib.request.urlopen(request, timeout=30) as answer:
        text = answer.read()
    return json.loads(text) if text else None


def events(subject_part: str) -> list[dict[str, Any]]:
    return [entry["event"] for entry in admin("GET", "/events") if subject_part in entry["event"]["subject"]]
