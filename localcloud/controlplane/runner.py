"""Takes every job from NotStarted to its end: waits for room, prepares, runs, uploads, tells.

Used by jobs.py alone. Each job has one task; what it has to know is in the job's document and folder, so
that a new gateway goes on where the old one stopped. It never decides what is asked of a job. An injected
fault that matches "JOB name" fails the job as Azure's own trouble would, before its command runs.
"""

import asyncio
import logging
import re
import shutil
import signal
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from azure.core.exceptions import AzureError

from localcloud.cloud import WORKSPACE_ID, Cloud
from localcloud.controlplane.blobs import Blobs, MissingError
from localcloud.controlplane.environments import EnvironmentBuildError, environment_python
from localcloud.controlplane.job_book import TERMINAL, Document, JobBook
from localcloud.controlplane.job_folder import JobFolder
from localcloud.controlplane.job_process import JobProcess
from localcloud.controlplane.locations import LocationError, artifact, locate
from localcloud.controlplane.responses import now

log = logging.getLogger("localcloud.jobs")
MAX_JOBS_PER_COMPUTE = 2
_POLL_S = 0.2
_LOG_EVERY_S = 2.0
_GRACE_S = 5.0
_DURATION = re.compile(r"^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$")


class JobError(Exception):
    """The job failed; code and message go into its document."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Canceled(Exception):  # noqa: N818 - an order that came, not an error
    """The job was asked to end, or, with a reason, ended by Azure ML itself at its time limit."""


class Runner:
    """The computes of the workspace, each with room for a few jobs at a time."""

    def __init__(self, cloud: Cloud, book: JobBook, blobs: Blobs, max_jobs: int = MAX_JOBS_PER_COMPUTE) -> None:
        self._cloud = cloud
        self._book = book
        self._blobs = blobs
        self._computes: dict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(max_jobs))
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def resume(self) -> None:
        """Go on with every job that has not ended; those that ran keep their places.

        The process of a job that is no longer known, because everything was reset, is killed.
        """
        for folder in (self._cloud.folder / "jobs").glob("*"):
            if self._book.find(folder.name) is None:
                JobProcess(folder).send(signal.SIGKILL)
                # A thread of ours may still be writing what it was asked to download.
                shutil.rmtree(folder, ignore_errors=True)
        open_jobs = [job for job in reversed(self._book.all()) if _status(job) not in TERMINAL]
        for job in sorted(open_jobs, key=lambda job: _status(job) in ("NotStarted", "Queued")):
            self.begin(str(job["resource"]["name"]))

    def begin(self, name: str) -> None:
        """Take care of one job from now on."""
        self._tasks[name] = asyncio.create_task(self._drive(name), name=f"job {name}")

    async def stop(self) -> None:
        """Let go of all jobs; their processes go on, and resume() finds them again."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def cancel(self, name: str) -> None:
        """Ask the job to end; one that waits ends at once."""
        status = _status(self._book.get(name))
        if status in ("NotStarted", "Queued"):
            await self._book.move(name, "Canceled")
        elif status not in (*TERMINAL, "CancelRequested"):
            await self._book.move(name, "CancelRequested")

    def folder(self, name: str) -> Path:
        """Where the job's files are."""
        return self._cloud.folder / "jobs" / name

    async def _drive(self, name: str) -> None:
        try:
            await self._run_in_turn(name)
        except Exception:  # the last line of defence of a task that nobody awaits
            log.exception("job.runner_failed")
            await self._book.move(name, "Failed", error=_error("ServiceError", "The job runner failed; see its log."))
        finally:
            self._tasks.pop(name, None)

    async def _run_in_turn(self, name: str) -> None:
        job = self._book.get(name)
        compute = str(job["resource"]["properties"].get("computeId") or "serverless").rsplit("/", 1)[-1].lower()
        if _status(job) == "NotStarted":
            await self._book.move(name, "Queued")
        async with self._computes[compute]:
            if _status(self._book.get(name)) in TERMINAL:
                return
            try:
                await self._prepare_and_run(name)
            except Canceled as canceled:
                facts = {"error": _error("JobTimedOut", str(canceled))} if str(canceled) else {}
                await self._book.move(name, "Canceled", **facts)
            except JobError as error:
                await self._book.move(name, "Failed", error=_error(error.code, str(error)))
            else:
                await self._book.move(name, "Completed")

    async def _prepare_and_run(self, name: str) -> None:
        job = self._book.get(name)
        folder = JobFolder(self.folder(name), job["resource"]["properties"])
        process = JobProcess(folder.path)
        # Once process.json is there the job was started, by us or by an earlier gateway, and is adopted.
        if not process.was_started():
            await self._prepare(name, folder, process)
        elif _status(job) == "Preparing":
            await self._book.move(name, "Running", started=now(), started_s=time.time())
        await self._watch(name, process)
        await self._finish(name, folder, process)

    async def _prepare(self, name: str, folder: JobFolder, process: JobProcess) -> None:
        self._refuse_canceled(name)
        await self._book.move(name, "Preparing")
        fault = self._cloud.faults.pick(f"JOB {name}")
        if fault is not None:
            raise JobError("ServiceError", fault.body)
        try:
            python = await environment_python(self._cloud, str(folder.properties["environmentId"]))
            await asyncio.to_thread(folder.lay_out, self._cloud, self._blobs)
        except (EnvironmentBuildError, MissingError, LocationError, ValueError) as error:
            raise JobError("UserError", str(error)) from error
        except AzureError as error:
            raise JobError("ServiceError", f"Storage: {error}") from error
        self._refuse_canceled(name)
        process.start(folder.command(), self._environment(name, folder, python))
        await self._book.move(name, "Running", started=now(), started_s=time.time())

    def _environment(self, name: str, folder: JobFolder, python: Path) -> dict[str, str]:
        tracking = f"{self._cloud.gateway_url}/mlflow/v1.0{WORKSPACE_ID}"
        base = self._cloud.child_env()
        path = f"{python.parent}:{base.get('PATH', '/usr/bin:/bin')}"
        own = {"PATH": path, "VIRTUAL_ENV": str(python.parent.parent), "PYTHONUNBUFFERED": "1"}
        return {**base, **own, **folder.variables(name, tracking, "local")}

    async def _watch(self, name: str, process: JobProcess) -> None:
        """Until the process has ended: pass its log on, end it when asked to or when its time is over."""
        next_log_s = 0.0
        stop: str | None = None
        while process.runs():
            if stop is None and (stop := self._stop_reason(name)):
                await end(process)
            if time.monotonic() >= next_log_s:
                await self._upload_log(name)
                next_log_s = time.monotonic() + _LOG_EVERY_S
            await asyncio.sleep(_POLL_S)
        process.send(signal.SIGKILL)  # as on Azure, nothing outlives the command
        await self._upload_log(name)
        # A job that ended by itself just before the order came has ended by itself.
        if process.exit_code() is None or stop:
            self._refuse_canceled(name)
        if stop:
            raise Canceled(stop)
        if process.exit_code() is None:
            raise JobError("NodeLost", "The job's process vanished without an exit code.")

    def _stop_reason(self, name: str) -> str | None:
        job = self._book.get(name)
        if _status(job) == "CancelRequested":
            return "canceled"
        limit = (job["resource"]["properties"].get("limits") or {}).get("timeout")
        limit_s = duration_s(limit) if limit else None
        started_s = job["run"].get("started_s", time.time())
        if limit_s is not None and time.time() - started_s > limit_s:
            return f"The job ran longer than its limit of {limit_s:g} seconds and was ended."
        return None

    async def _finish(self, name: str, folder: JobFolder, process: JobProcess) -> None:
        code = process.exit_code()
        if _status(self._book.get(name)) == "CancelRequested" and code != 0:
            raise Canceled
        if code != 0:
            raise JobError("UserError", await asyncio.to_thread(_failure, folder.path, code))
        await self._book.move(name, "Finalizing")
        try:
            await asyncio.to_thread(self._upload_outputs, name, folder)
        except (AzureError, LocationError) as error:
            raise JobError("ServiceError", f"An output could not be uploaded: {error}") from error

    def _upload_outputs(self, name: str, folder: JobFolder) -> None:
        for key, output in folder.properties["outputs"].items():
            source, location = folder.output(key, output), locate(output["uri"])
            if source.is_file():
                self._blobs.upload(location, source)
            elif source.is_dir():
                self._blobs.upload_folder(source, location)
        for default in ("outputs", "logs"):  # what Azure ML keeps of the working directory
            if (folder.path / "code" / default).is_dir():
                self._blobs.upload_folder(folder.path / "code" / default, artifact(name, default))

    async def _upload_log(self, name: str) -> None:
        path = self.folder(name) / "user_logs" / "std_log.txt"
        size = path.stat().st_size if path.exists() else 0
        if size and size != self._book.get(name)["run"].get("log_bytes"):
            try:
                await asyncio.to_thread(self._blobs.upload, artifact(name, "user_logs/std_log.txt"), path)
            except AzureError as error:
                # A job does not fail because its log could not be shown; the next look tries again.
                log.warning("job.log_not_uploaded job=%s error=%s", name, error)
            else:
                self._book.note(name, log_bytes=size)

    def _refuse_canceled(self, name: str) -> None:
        if _status(self._book.get(name)) == "CancelRequested":
            raise Canceled


def duration_s(text: str) -> float | None:
    """Seconds of an ISO 8601 duration such as PT1H30M; None when it is not one."""
    found = _DURATION.match(text)
    if not found:
        return None
    days, hours, minutes, seconds = (float(part or 0) for part in found.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


async def end(process: JobProcess, grace_s: float = _GRACE_S) -> None:
    """Ask the process group to end; kill what is left of it after the grace."""
    process.send(signal.SIGTERM)
    deadline = time.monotonic() + grace_s
    while process.leaves_children():
        if time.monotonic() > deadline:
            process.send(signal.SIGKILL)
        await asyncio.sleep(_POLL_S)


def _status(job: Document) -> str:
    return str(job["resource"]["properties"]["status"])


def _error(code: str, message: str) -> dict[str, Any]:
    return {"code": code, "message": message}


def _failure(folder: Path, code: int | None) -> str:
    path = folder / "user_logs" / "std_log.txt"
    last = path.read_text(errors="replace")[-2000:].strip() if path.exists() else ""
    return f"Execution failed. The process exited with code {code}.\n{last}".strip()
