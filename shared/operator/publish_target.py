"""What publishing writes to, and what it writes: the ports, and one step of the plan. Used by publish*.py."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol

import msgspec

from shared.adapters.azureml_files import EnvironmentFile
from shared.adapters.azureml_schedule_file import ScheduleFile
from shared.adapters.azureml_schedules import ScheduleSeen
from shared.reconcile.ports import Archive, StateStore


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that publishing writes or switches off: `what` is its kind, such as code or endpoint."""

    what: str
    name: str
    how: Literal["write", "switch off"] = "write"


class Registry(Protocol):
    """Azure ML's assets and endpoints, as far as publishing needs them."""

    def id_of(self, kind: str, name: str, version: str) -> str:
        """Full id of an asset version, whether or not it is there yet."""
        ...

    def has_environment(self, name: str, version: str) -> bool:
        """Whether the version is registered."""
        ...

    def register_environment(self, name: str, version: str, wanted: EnvironmentFile) -> None:
        """Register an image with its conda file."""
        ...

    def has_code(self, name: str, version: str) -> bool:
        """Whether the version is registered."""
        ...

    def register_code(self, name: str, version: str, folder: Path) -> None:
        """Upload a folder and register it as code."""
        ...

    def has_component(self, name: str, version: str) -> bool:
        """Whether the version is registered."""
        ...

    def register_component(self, text: str) -> None:
        """Register a component from the text of its YAML."""
        ...

    def has_endpoint(self, name: str) -> bool:
        """Whether the endpoint is there."""
        ...

    def create_endpoint(self, wanted: Any) -> None:
        """Begin to create an endpoint."""
        ...


class Schedules(Protocol):
    """Azure ML's schedules."""

    def seen(self) -> list[ScheduleSeen]:
        """All that are there."""
        ...

    def put(self, model: str, content: str, wanted: ScheduleFile, *, enabled: bool) -> None:
        """Begin to create or change one."""
        ...

    def switch_off(self, name: str) -> None:
        """Begin to switch one off whose file is gone."""
        ...


class Blobs(Archive, Protocol):
    """The archive, with the folder for jobs that have no champion."""

    def has_no_champion(self) -> bool:
        """Whether the folder is there."""
        ...

    def put_no_champion(self) -> None:
        """Make the folder."""
        ...


@dataclass(frozen=True)
class Target:
    """Where a folder is published to."""

    state: StateStore
    blobs: Blobs
    registry: Registry
    schedules: Schedules


class Step(NamedTuple):
    """One change and the call that makes it."""

    change: Change
    make: Callable[[], None]
