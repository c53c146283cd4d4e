"""Things that happened, as recorded in a model's inbox. The key makes recording twice recording once."""

from datetime import datetime
from enum import StrEnum

from shared.domain.base import Kept
from shared.domain.manifest import Part


class DataArrived(Kept, frozen=True, kw_only=True, tag="DataArrived"):
    """The intake accepted an upload as a part."""

    at: datetime
    part: Part
    source: str = ""

    @property
    def key(self) -> str:
        """One part, one event, however often it was uploaded."""
        return f"data|{self.part.name}"


class JobEnded(Kept, frozen=True, kw_only=True, tag="JobEnded"):
    """Azure ML says that a job reached an end. Only a prompt: the job itself is looked at."""

    at: datetime
    job: str
    status: str

    @property
    def key(self) -> str:
        """One job ends once."""
        return f"job|{self.job}|{self.status}"


class AlertFired(Kept, frozen=True, kw_only=True, tag="AlertFired"):
    """Azure Monitor says that a rule fired. Resolved alerts are never recorded."""

    at: datetime
    rule: str
    alert_id: str
    severity: str = ""
    summary: str = ""

    @property
    def key(self) -> str:
        """One firing: a rule that fires again later has another time."""
        return f"alert|{self.alert_id}|{self.at.isoformat()}"


class ScheduleDue(Kept, frozen=True, kw_only=True, tag="ScheduleDue"):
    """The retraining schedule of the spec came due."""

    at: datetime

    @property
    def key(self) -> str:
        """One due time, however many sweeps see it."""
        return f"schedule|{self.at.isoformat()}"


class Command(StrEnum):
    """What a person may ask for."""

    RETRAIN = "retrain"
    PAUSE = "pause"
    RESUME = "resume"
    ROLLBACK = "rollback"
    APPROVE = "approve"
    REJECT = "reject"
    ABORT = "abort"
    PROMOTE = "promote"
    TAKE = "take"


class CommandGiven(Kept, frozen=True, kw_only=True, tag="CommandGiven"):
    """A person asked for something. `id` is chosen by the client, so that a repeat is one command.

    `version` goes with rollback, the registered version to bring back (None: the one before the live one), and with
    take, the version of the registry (None: the one of the highest number when it is looked at). `release` is the one
    that the person looked at: what was meant for it is not done to another.
    """

    at: datetime
    command: Command
    id: str
    by: str
    reason: str = ""
    version: int | None = None
    release: int | None = None

    @property
    def key(self) -> str:
        """One command."""
        return f"command|{self.id}"


Event = DataArrived | JobEnded | AlertFired | ScheduleDue | CommandGiven
