"""What is remembered of a model between passes. Nothing in it ticks: no ages, only times at which things changed."""

from datetime import datetime
from enum import StrEnum

from shared.domain import names
from shared.domain.analysis import Finding
from shared.domain.artifact import Expected
from shared.domain.base import Kept
from shared.domain.gatecheck import SliceTable
from shared.domain.lifecycle import Phase
from shared.domain.manifest import Manifest, Part
from shared.domain.reasons import Fact
from shared.domain.split import Split
from shared.domain.stages import StageMove
from shared.domain.tally import Probing, Tally

MAX_BARRED = 200
"""How many bars are kept with their words. Of older ones the beginning of the hash stays, in `barred_before`."""
MAX_BARRED_BEFORE = 20_000
BAR_CHARACTERS = 16
MAX_PARTS = 400
MAX_KEPT = 10
MAX_HELD_OUT = 20


class CauseKind(StrEnum):
    """What made a release begin."""

    DATA = "data"
    SCHEDULE = "schedule"
    ALERT = "alert"
    COMMAND = "command"
    REPAIR = "repair"


class Cause(Kept, frozen=True, kw_only=True):
    """Why a release began, and at whose word."""

    kind: CauseKind
    at: datetime
    text: str


class Serving(Kept, frozen=True, kw_only=True):
    """A model version that serves, or served, live traffic, and the deployment that carries it.

    `folder` is the hash of its files when it was registered; empty for one of before they were hashed. `registry` is
    where it was taken from; its version and job are then those of the registry. `inputs`
    are the columns that it takes, with their types, as far as its evaluation told. `endpoint` is where it served.
    `passed_over`: an older version was brought back in its place, so that only a person's word brings it back.
    """

    release: int
    version: int
    deployment: str
    job: str
    artifact: str
    publication: str
    since: datetime
    folder: str = ""
    registry: str = ""
    inputs: dict[str, str] = {}
    endpoint: str = ""
    passed_over: bool = False


class HeldOutRows(Kept, frozen=True, kw_only=True):
    """Held-out rows as an evaluation told of them. `of` names the parts, and the code that read them."""

    of: str
    rows: int
    sha256: str


class Bar(Kept, frozen=True, kw_only=True):
    """An artifact that automation may never promote again."""

    artifact: str
    release: int
    why: str
    at: datetime


class Pause(Kept, frozen=True, kw_only=True):
    """Nothing new begins and no traffic moves forward until someone resumes."""

    by: str
    at: datetime
    reason: str = ""


class Origin(Kept, frozen=True, kw_only=True):
    """The version of a registry that a release takes over. Version 0: the newest, until it was looked up."""

    registry: str
    version: int = 0
    job: str = ""
    marks: dict[str, str] = {}
    """Its lineage, as it was shared."""


class AskedBack(Kept, frozen=True, kw_only=True):
    """A rollback that waits for the end of the release in flight. `version` is the one that a person named."""

    cause: Cause
    version: int | None = None


class AskedTake(Kept, frozen=True, kw_only=True):
    """A take that waits for the end of the release in flight. No version: the newest when its turn comes."""

    cause: Cause
    version: int | None = None


class Share(Kept, frozen=True, kw_only=True):
    """A live version that is still to be seen in a registry."""

    registry: str
    version: int


class Judged(Kept, frozen=True, kw_only=True):
    """The verdict that a candidate goes on with, kept until it is registered with it.

    `outcome` is pass, or inconclusive where a person was asked; None for a verdict of before it was kept.
    """

    text: str
    facts: dict[str, Fact] = {}
    outcome: Finding | None = None
    slices: SliceTable | None = None


class HandMade(Kept, frozen=True, kw_only=True):
    """What another hand made of the endpoint, as it was first seen; kept until the endpoint is as wanted again.

    `split` is the traffic if it was changed, `missing` the live deployment if it is gone. `respected`: nothing moves
    until a person decides.
    """

    at: datetime
    split: Split | None = None
    missing: str = ""
    respected: bool = True


class Doubt(Kept, frozen=True, kw_only=True):
    """Looks in a row at which only checks failed that may fail by chance, in the window that began at `since`.

    `facts` are what the last of them saw: the same numbers seen again are no new look.
    """

    since: datetime
    looks: int
    facts: dict[str, Fact]


class Release(Kept, frozen=True, kw_only=True):
    """The release in flight. `publication` is the hash of the published spec that decides it to its end.

    `restores` is set when a version that served before is brought back, `origin` when one of a registry is taken
    over; nothing is trained then. `step_since` is when the step's traffic was first seen in force; None until then.
    `stop` says at whose word its training is to end: the release fails once the job is seen to have ended.
    `superseded` is set while a release gives way to a newer one: it ends as superseded, and is not barred. Nor is
    one that is `spared`: a person broke off that it was brought back. `artifact`
    is the hash of the file that was evaluated, `folder` that of all of the model's files, from the look before they
    were registered on. `ordered` is when its deployment was found to have room; `hurried` is set when a
    person's `promote` is still to be carried out: after its tests, or once its traffic is in force.
    """

    number: int
    phase: Phase
    since: datetime
    began: datetime
    cause: Cause
    publication: str
    attempt: int = 1
    manifest: Manifest | None = None
    restores: Serving | None = None
    origin: Origin | None = None
    artifact: str = ""
    artifact_path: str = ""
    folder: str = ""
    judged: Judged | None = None
    step: int = 0
    step_since: datetime | None = None
    doubt: Doubt | None = None
    smoke_failures: int = 0
    load: Tally | None = None
    load_failures: int = 0
    probing: Probing | None = None
    because: str = ""
    waiting: str = ""
    stop: str = ""
    approved_by: str = ""
    superseded: bool = False
    spared: bool = False
    ordered: datetime | None = None
    hurried: bool = False
    inputs: dict[str, str] = {}

    def job(self, model: str) -> str:
        """Name of the job of the present attempt."""
        known = self.restores or self.origin
        return known.job if known else names.job(model, self.number, self.attempt)

    @property
    def version(self) -> int:
        """Registered model version: the release's own number, or that of the version brought back or taken over."""
        known = self.restores or self.origin
        return known.version if known else self.number

    @property
    def registry(self) -> str:
        """The registry that holds the version; empty for one of the workspace."""
        known = self.restores or self.origin
        return known.registry if known else ""

    @property
    def deployment(self) -> str:
        """Name of the release's deployment."""
        return names.deployment(self.number)

    @property
    def expected(self) -> Expected:
        """What the model's files have to hash to before they are registered, and again before they are deployed."""
        return Expected(folder_sha256=self.folder, file_sha256=self.artifact, path=self.artifact_path)


class Outcome(Kept, frozen=True, kw_only=True):
    """How a release ended."""

    release: int
    phase: Phase
    at: datetime
    text: str
    data_version: str = ""


class Record(Kept, frozen=True, kw_only=True):
    """Everything that a decision may lean on, besides what is observed and what newly happened.

    `parts` are the accepted parts that a training could still read, oldest data first; `fresh` names those
    that no release has been trained on, with the time of their arrival. `runs` are the starts of the last day.
    `kept` are versions that were live before, newest last: what can be rolled back to. `stages`, `shares` and
    `monitors` are what is left to do: registered versions' stages, sharing them, monitors that do not watch the live
    deployment yet. `held_up` is what the next release was last
    told to wait for. `compute_hours` are the node hours of trainings in the last thirty days, by the day (UTC) on
    which they ended. `held_out` are the rows of the last evaluations: the same parts must not have other rows
    next time. `hands` is what somebody changed on the endpoint, `strangers` its deployments that are not ours;
    `alarm` says that nothing which has live traffic is healthy.
    """

    model: str
    seq: int = 0
    last_release: int = 0
    parts: tuple[Part, ...] = ()
    fresh: dict[str, datetime] = {}
    asked: Cause | None = None
    asked_back: AskedBack | None = None
    asked_take: AskedTake | None = None
    release: Release | None = None
    live: Serving | None = None
    kept: tuple[Serving, ...] = ()
    retiring: tuple[str, ...] = ()
    stages: tuple[StageMove, ...] = ()
    shares: tuple[Share, ...] = ()
    monitors: tuple[str, ...] = ()
    barred: tuple[Bar, ...] = ()
    barred_before: tuple[str, ...] = ()
    paused: Pause | None = None
    runs: tuple[datetime, ...] = ()
    trained_on: str = ""
    held_up: str = ""
    compute_hours: dict[str, float] = {}
    held_out: tuple[HeldOutRows, ...] = ()
    hands: HandMade | None = None
    strangers: tuple[str, ...] = ()
    alarm: str = ""
    last: Outcome | None = None

    @property
    def previous(self) -> Serving | None:
        """The version that was live before the present one, if it may be brought back."""
        return next((each for each in self.kept[::-1] if not each.passed_over), None)

    def bar_on(self, artifact: str) -> str:
        """What was said against an artifact, if automation may not promote it; empty otherwise."""
        known = next((bar for bar in self.barred if bar.artifact == artifact), None)
        if known is not None:
            return f"The artifact is that of release {known.release}, which was taken out: {known.why}"
        return "The artifact was taken out long ago." if artifact[:BAR_CHARACTERS] in self.barred_before else ""

    @property
    def hand_stands(self) -> bool:
        """Whether a change by hand stands until a person decides."""
        return self.hands is not None and self.hands.respected

    @property
    def waits_for_person(self) -> bool:
        """Whether nothing goes on before somebody decides, or mends what is told."""
        held = self.release is not None and bool(self.release.waiting)
        return held or self.hand_stands or self.phase is Phase.AWAITING_APPROVAL

    @property
    def phase(self) -> Phase:
        """The phase of the release in flight, or collecting."""
        return self.release.phase if self.release else Phase.COLLECTING
