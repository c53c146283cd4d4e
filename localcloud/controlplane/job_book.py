"""Jobs as documents: what was asked for, the status and its times, and who is told of a change.

Used by jobs.py (routes), runner.py (progress) and mlflow.py. Starts no process. A document holds
`resource`, which is what ARM shows, and `run`, which is what the runner remembers.
"""

import re
from typing import Any

from localcloud.cloud import WORKSPACE_ID, Cloud
from localcloud.controlplane.events import experiment_id, publish
from localcloud.controlplane.locations import LocationError, locate
from localcloud.controlplane.responses import ArmError, not_found, now, system_data, user_error

Document = dict[str, Any]
TERMINAL = ("Completed", "Failed", "Canceled")
_NAME = re.compile(r"^[a-zA-Z0-9][a-zA-Z0-9_-]{0,254}$")
_BINDING = re.compile(r"\$\{\{\s*(inputs|outputs)\.([\w.-]+)\s*\}\}")
# A PUT on a job that exists may change these; everything else was decided when it was made.
_MUTABLE = ("displayName", "description", "tags", "isArchived", "properties", "services", "status")
_OUTPUT_TYPES = ("uri_folder", "uri_file", "custom_model", "mlflow_model")


class JobBook:
    """All jobs of the workspace."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def get(self, name: str) -> Document:
        """The job's document; 404 otherwise."""
        document = self.find(name)
        if document is None:
            raise not_found(f"Job {name} was not found in the workspace.")
        return document

    def find(self, name: str) -> Document | None:
        """The job's document, or None."""
        return self._cloud.store.get("jobs", name)

    def all(self) -> list[Document]:
        """Every job, newest first."""
        found = [document for _, document in self._cloud.store.items("jobs")]
        return sorted(found, key=lambda document: str(document["run"]["created"]), reverse=True)

    def put(self, name: str, properties: Document) -> tuple[Document, bool]:
        """Create the job, or change what may be changed of it; the document and whether it is new."""
        existing = self.find(name)
        if existing is not None:
            return self._update(name, existing, properties), False
        _check(name, properties)
        created = now()
        document = {
            "resource": {
                "id": f"{WORKSPACE_ID}/jobs/{name}",
                "name": name,
                "type": "Microsoft.MachineLearningServices/workspaces/jobs",
                "properties": {**self._completed(name, properties), "status": "NotStarted"},
                "systemData": system_data(created),
            },
            "run": {"created": created},
        }
        self._save(document)
        return document, True

    def change(self, name: str, properties: Document) -> Document:
        """Change name, description or tags, and add properties."""
        document = self.get(name)
        shown = document["resource"]["properties"]
        for key in ("displayName", "description", "tags", "isArchived"):
            if properties.get(key) is not None:
                shown[key] = properties[key]
        shown["properties"] = {**(shown.get("properties") or {}), **(properties.get("properties") or {})}
        self._save(document)
        return document

    def note(self, name: str, **facts: Any) -> Document:
        """Remember something of the run: started, ended, error, process …"""
        document = self.get(name)
        document["run"].update(facts)
        self._save(document)
        return document

    async def move(self, name: str, status: str, **facts: Any) -> Document:
        """Change the status, remember facts of the run, and tell Event Grid."""
        document = self.get(name)
        properties = document["resource"]["properties"]
        properties["status"] = status
        if status in TERMINAL:
            facts = {"ended": now(), **facts}
        if facts.get("error"):
            properties["error"] = facts["error"]
        document["run"].update(facts)
        times = {"StartTimeUtc": document["run"].get("started"), "EndTimeUtc": document["run"].get("ended")}
        known = {key: time for key, time in times.items() if time}
        properties["properties"] = {**(properties.get("properties") or {}), **known}
        self._save(document)
        await self._tell(name, properties)
        return document

    def delete(self, name: str) -> bool:
        """Forget the job; False when there was none."""
        return self._cloud.store.delete("jobs", name)

    def _save(self, document: Document) -> None:
        self._cloud.store.put("jobs", document["resource"]["name"], document)

    def _update(self, name: str, existing: Document, properties: Document) -> Document:
        old = existing["resource"]["properties"]
        new = self._completed(name, properties)
        for key in (*new, *old):
            if key not in _MUTABLE and key != "error" and not _same(old.get(key), new.get(key)):
                raise ArmError(
                    400, "UserError", f"JobPropertyImmutable: job {name} already exists; its {key} is immutable."
                )
        return self.change(name, properties)

    def _completed(self, name: str, properties: Document) -> Document:
        """The properties with the defaults that the service fills in."""
        given = {key: value for key, value in properties.items() if value is not None}
        outputs = {
            key: {"mode": "ReadWriteMount", "uri": _default_uri(name, key), **_without_nulls(output)}
            for key, output in (given.get("outputs") or {}).items()
        }
        for key, output in outputs.items():
            output["uri"] = str(output["uri"]).replace("${{name}}", name).replace("${{output}}", key)
        url = self._cloud.gateway_url
        services = {
            "Tracking": {"jobServiceType": "Tracking", "endpoint": f"{url}/mlflow/v1.0{WORKSPACE_ID}"},
            "Studio": {"jobServiceType": "Studio", "endpoint": f"{url}/runs/{name}"},
        }
        inputs = {key: _without_nulls(each) for key, each in (given.get("inputs") or {}).items()}
        blank: Document = {"displayName": name, "experimentName": "Default", "tags": {}, "properties": {}}
        fixed = {"inputs": inputs, "outputs": outputs, "services": services, "isArchived": False}
        return {**blank, **given, **fixed}

    async def _tell(self, name: str, properties: Document) -> None:
        experiment = properties["experimentName"]
        data = {
            "experimentId": experiment_id(experiment),
            "experimentName": experiment,
            "runId": name,
            "runType": "azureml.scriptrun",
            "RunTags": properties.get("tags") or {},
            "RunProperties": properties.get("properties") or {},
        }
        subject = f"experiments/{data['experimentId']}/runs/{name}"
        status = properties["status"]
        await publish(self._cloud, "RunStatusChanged", subject, {**data, "RunStatus": status})
        if status == "Completed":
            await publish(self._cloud, "RunCompleted", subject, data)


def _check(name: str, properties: Document) -> None:
    if not _NAME.match(name):
        raise user_error(f"{name!r} is no name for a job: letters, digits, - and _, at most 255.")
    if str(properties.get("jobType", "")).lower() != "command":
        raise user_error(f"The local cloud runs command jobs; this one is {properties.get('jobType')!r}.")
    for required in ("command", "environmentId"):
        if not properties.get(required):
            raise user_error(f"A command job needs {required}.")
    for key, given in (properties.get("inputs") or {}).items():
        if str((given or {}).get("jobInputType", "literal")).lower() != "literal" and not given.get("uri"):
            raise user_error(f"Input {key} has no uri.")
    for key, output in (properties.get("outputs") or {}).items():
        _check_output(key, output)
    required_part = re.sub(r"\$\[\[.*?\]\]", "", properties["command"], flags=re.DOTALL)
    for collection, key in _BINDING.findall(required_part):
        if key not in (properties.get(collection) or {}):
            raise user_error(f"The command names ${{{{{collection}.{key}}}}}, which the job does not have.")


def _check_output(key: str, output: Document) -> None:
    if output.get("jobOutputType") not in _OUTPUT_TYPES:
        raise user_error(f"Output {key} has the type {output.get('jobOutputType')!r}; not emulated.")
    if output.get("assetName"):
        raise user_error(f"Output {key} is to be registered as {output['assetName']}: not emulated.")
    try:
        locate(output.get("uri") or _default_uri("name", key))
    except LocationError as error:
        raise user_error(f"Output {key}: {error}") from error


def _default_uri(name: str, output: str) -> str:
    return f"azureml://datastores/workspaceblobstore/paths/azureml/{name}/{output}/"


def _without_nulls(value: Document | None) -> Document:
    return {key: each for key, each in (value or {}).items() if each is not None}


def _same(old: Any, new: Any) -> bool:
    if isinstance(old, dict) and isinstance(new, dict):
        return all(_same(old.get(key), new.get(key)) for key in {*old, *new})
    if isinstance(old, str) and isinstance(new, str):
        # Ids come back in another case, and with or without their scheme's prefix.
        return old == new or ("/" in old and _plain(old) == _plain(new))
    return old == new or (not old and not new)


def _plain(uri: str) -> str:
    return uri.lower().removeprefix("azureml:").strip("/")
