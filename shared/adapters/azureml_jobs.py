"""Training jobs: look one up, submit one, ask for its end.

Used by azureml.py. A job's name is decided before; a name that is taken is ours already or a stranger's.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from azure.core.exceptions import AzureError, HttpResponseError, ResourceNotFoundError

from shared.adapters.azureml_workspace import Workspace
from shared.adapters.faults import ML_ROLE, status_of, translated
from shared.domain import names
from shared.domain.actions import SubmitJob
from shared.domain.observation import JobSeen, JobStatus
from shared.domain.publication import Publication
from shared.errors import NeedsPerson

if TYPE_CHECKING:
    from azure.ai.ml.entities import Command

MODEL, RELEASE, DATA_VERSION, PUBLICATION = (
    "upkeep_model",
    "upkeep_release",
    "upkeep_data_version",
    "upkeep_publication",
)

# Every status that Azure ML documents. A word that is new is taken for running: a job's timeout ends that.
STATUSES = {
    "NotStarted": JobStatus.WAITING,
    "Starting": JobStatus.WAITING,
    "Provisioning": JobStatus.WAITING,
    "Preparing": JobStatus.WAITING,
    "Queued": JobStatus.WAITING,
    "Scheduled": JobStatus.WAITING,
    "Paused": JobStatus.WAITING,
    "Unknown": JobStatus.WAITING,
    "Running": JobStatus.RUNNING,
    "Finalizing": JobStatus.RUNNING,
    "CancelRequested": JobStatus.RUNNING,
    "NotResponding": JobStatus.RUNNING,
    "Completed": JobStatus.COMPLETED,
    "Failed": JobStatus.FAILED,
    "Canceled": JobStatus.CANCELED,
}
_ENDED = {JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELED}


class Jobs:
    """The command jobs of a workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def seen(self, name: str) -> JobSeen:
        """Look a job up; ABSENT when there is none."""
        with translated(f"looking at job {name}", ML_ROLE):
            job = self._get(name)
        if job is None:
            return JobSeen(name=name, status=JobStatus.ABSENT)
        status = STATUSES.get(_word(job.status), JobStatus.RUNNING)
        return JobSeen(
            name=name,
            status=status,
            started=_time(job, "StartTimeUtc"),
            ended=_time(job, "EndTimeUtc"),
            nodes=int(getattr(getattr(job, "resources", None), "instance_count", None) or 1),
            detail=f"Azure ML says {_word(job.status)}: {job.studio_url}" if status is JobStatus.FAILED else "",
            ours=_properties(job).get(MODEL) == names.model_of_job(name),
        )

    def submit(self, order: SubmitJob, publication: Publication) -> None:
        """Register the manifest as data, then put the job; one of that name must have been made for this."""
        marks = {
            MODEL: publication.spec.name,
            RELEASE: str(order.release),
            DATA_VERSION: order.manifest.version,
            PUBLICATION: order.publication,
        }
        with translated(f"submitting job {order.job}", ML_ROLE):
            # Looked up first: a put on a name that is taken is an update, and would change a stranger's tags.
            if self._made_for(order.job, marks):
                return
            data_id = self._register_data(publication.spec.name, order.manifest.version)
            try:
                self._workspace.client.jobs.create_or_update(_command(order, publication, data_id, marks))
            except HttpResponseError:
                # Another pass may have been faster; the refusal then reads as that of a forbidden change.
                if not self._made_for(order.job, marks):
                    raise

    def _made_for(self, name: str, marks: Mapping[str, str]) -> bool:
        found = self._get(name)
        if found is not None and {mark: _properties(found).get(mark) for mark in marks} != marks:
            raise NeedsPerson(f"Job {name} exists, and was not made for this release.")
        return found is not None

    def cancel(self, name: str) -> None:
        """Ask for the end of a job; one that is gone or has ended is fine."""
        with translated(f"cancelling job {name}", ML_ROLE):
            try:
                self._workspace.client.jobs.begin_cancel(name)
            except ResourceNotFoundError:
                return
            except HttpResponseError as error:
                if status_of(error) not in {400, 409} or self.seen(name).status not in _ENDED:
                    raise

    def _get(self, name: str) -> Any:
        try:
            return self._workspace.client.jobs.get(name)
        except ResourceNotFoundError:
            return None

    def _register_data(self, model: str, version: str) -> str:
        from azure.ai.ml.entities import Data

        path = names.datastore_uri(names.ACCEPTED_DATASTORE, names.manifest_path(model, version))
        name = names.data_asset(model)
        data = Data(name=name, version=version, type="uri_file", path=path)
        try:
            self._workspace.client.data.create_or_update(data)
        except AzureError:
            # A version is immutable: one that is there and shows the same manifest is what we wanted.
            if not _shows(self._find_data(name, version), path):
                raise
        return self._workspace.asset_id("data", name, version)

    def _find_data(self, name: str, version: str) -> Any:
        try:
            return self._workspace.client.data.get(name, version)
        except ResourceNotFoundError:
            return None


def _command(order: SubmitJob, publication: Publication, data_id: str, marks: dict[str, str]) -> "Command":
    from azure.ai.ml import Input, Output, command

    model, training = publication.spec.name, publication.training
    job = command(
        name=order.job,
        display_name=order.job,
        experiment_name=model,
        command=training.command,
        code=training.code_id,
        environment=training.environment_id,
        compute=training.compute or None,
        instance_type=training.instance_type,
        environment_variables=dict(training.environment_variables),
        inputs={
            "manifest": Input(type="uri_file", path=data_id, mode="ro_mount"),
            "parts": Input(type="uri_folder", path=_accepted(f"{model}/parts/"), mode="ro_mount"),
            "champion": Input(type="uri_folder", path=_champion(model, order), mode="ro_mount"),
            "champion_version": str(order.champion.version) if order.champion else "0",
        },
        outputs={
            output: Output(
                type="uri_folder", path=_runs(names.output_path(model, order.job, output)), mode="rw_mount"
            )
            for output in ("model", "evaluation")
        },
        tags=marks,
        properties=marks,
    )
    job.set_limits(timeout=order.timeout_s)
    return job


def _champion(model: str, order: SubmitJob) -> str:
    if order.champion is None:
        return _runs(f"{names.NO_CHAMPION}/")
    return _runs(f"{names.output_path(model, order.champion.job, 'model')}/")


def _accepted(path: str) -> str:
    return names.datastore_uri(names.ACCEPTED_DATASTORE, path)


def _runs(path: str) -> str:
    return names.datastore_uri(names.RUNS_DATASTORE, path)


def _shows(found: Any, path: str) -> bool:
    # The service answers with the long form of the path, and in another case.
    tail = path.removeprefix("azureml://").lower()
    return found is not None and str(found.path).lower().endswith(tail)


def _properties(job: Any) -> Mapping[str, str]:
    return job.properties or {}


def _time(job: Any, name: str) -> datetime | None:
    """A time that Azure ML keeps among the job's properties, in UTC. Not documented: none may be there."""
    try:
        found = datetime.fromisoformat(_properties(job).get(name, ""))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _word(status: Any) -> str:
    # The generated client gives an enum for the words it knows, and plain text for the others.
    return str(getattr(status, "value", status))
