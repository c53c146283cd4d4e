"""Takes uploads in: from the landing container to an accepted part, or to quarantine. It never loses a file.

Called by the triggers of the queue `uploads` and of the sweep. The writes of one upload come in this order: ledger
(seen), part and profile, DataArrived, the part's row, ledger (accepted), copy of the original, deletion from landing.
Each is safe to repeat, so that a crash between any two is healed by the message's next delivery, or by the sweep.
"""

import logging
import tempfile
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from shared.domain.events import DataArrived
from shared.domain.spec import Data
from shared.errors import BadInput, LostRace, NeedsPerson, RetryLater
from shared.intake import ledger as rules
from shared.intake import message as wire
from shared.intake.ledger import NOBODY, Row, State
from shared.intake.ports import Landed, Landing, Ledger, Uploads
from shared.intake.report import Finding, Findings, Report, Rule
from shared.reconcile.inbox import Inbox
from shared.reconcile.ports import Archive, Clock, StateStore

MOST_ENQUEUED = 200
"""Messages that one sweep sends at most: a queue that is full is slow, and the next sweep comes in a minute."""
MOST_FINDINGS = 20
RETRY_S = 10.0
OLD = timedelta(days=7)
TOLD_FOR = timedelta(days=30)
"""How long a quarantined file is a finding; the file and its report stay for as long as the storage keeps them."""

log = logging.getLogger(__name__)


@dataclass(kw_only=True)
class _Turn:
    """One try at one upload: its contract, its row, and the version under which the row may be replaced."""

    landed: Landed
    data: Data
    row: Row
    version: str | None
    ledger: Ledger

    def write(self, row: Row) -> None:
        """Replace the row. LostRace when another worker, or the sweep, has taken the upload up meanwhile."""
        self.version = self.ledger.put(row, self.version)
        self.row = row


@dataclass(frozen=True, kw_only=True)
class Intake:
    """The way in. One for the process; safe to call from several threads, for the same upload, too."""

    state: StateStore
    archive: Archive
    landing: Landing
    ledger: Ledger
    uploads: Uploads
    inbox: Inbox
    clock: Clock

    def handle(self, text: str) -> None:
        """Handle one message of the queue `uploads`. Raises whatever makes a later delivery worth while."""
        upload = wire.parse(text)
        if upload is None:
            log.info("intake.ignored")
            return
        landed = self.landing.look(upload.blob)
        if landed is None or landed.etag != upload.etag:
            # Taken in by an earlier delivery, or overwritten: then another event, or the sweep, tells of the new one.
            log.info("intake.gone", extra={"blob": upload.blob, "etag": upload.etag})
            return
        model = landed.name.partition("/")[0]
        data = self._contract(model, landed.name)
        if data is None:
            self._leave(landed)
        else:
            self._take(landed, model, data)

    def sweep(self) -> int:
        """Enqueue the blobs of the landing container that no message seems to be under way for; how many."""
        published = self._published()
        sent = 0
        for landed in self.landing.list():
            owner = _owner(landed.name, published)
            found = self.ledger.get(owner, rules.key_of(landed.name, landed.etag))
            if not rules.wants_message(found[0] if found else None, landed.modified, self.clock.now()):
                continue
            if sent == MOST_ENQUEUED:
                log.warning("intake.crowded", extra={"enqueued": sent})
                break
            self._enqueue(landed, owner, found)
            sent += 1
        return sent

    def findings(self, model: str) -> list[Row]:
        """What a person should look at: quarantined files, files given up, and those whose handling fails."""
        return [row for row in self.ledger.open(model, MOST_FINDINGS) if self._still_true(row)]

    def unowned(self) -> list[Row]:
        """Files that lie in no published model's folder."""
        published = self._published()
        return [row for row in self.findings(NOBODY) if _owner(row.blob, published) == NOBODY]

    def _still_true(self, row: Row) -> bool:
        if row.state is State.QUARANTINED:
            return row.at > self.clock.now() - TOLD_FOR
        landed = self.landing.look(row.blob)
        trouble = row.state is State.GIVEN_UP or bool(row.why)
        return trouble and landed is not None and landed.etag == row.etag

    def _published(self) -> dict[str, str]:
        return {pointer.model: pointer.publication for pointer in self.state.pointers()}

    def _contract(self, model: str, blob: str) -> Data | None:
        published = self._published()
        if _owner(blob, published) == NOBODY:
            return None
        return self.archive.publication(model, published[model]).spec.data

    def _enqueue(self, landed: Landed, owner: str, found: tuple[Row, str] | None) -> None:
        """Message first: a crash before the row costs a second message, the other way round it would cost a delay."""
        now = self.clock.now()
        self.uploads.send(wire.render(wire.Upload(landed.name, landed.etag), landed.size, now))
        row, version = found or (_new_row(landed, owner, now), None)
        try:
            self.ledger.put(msgspec.structs.replace(row, at=now), version)
        except LostRace:
            log.info("intake.elsewhere", extra={"blob": landed.name})

    def _leave(self, landed: Landed) -> None:
        """A file of nobody's stays where it is, and is told; once its model is published, the sweep takes it up."""
        now = self.clock.now()
        row = _new_row(landed, NOBODY, now)
        found = self.ledger.get(NOBODY, row.key)
        if found and found[0].state is State.GIVEN_UP:
            return
        why = "It lies in no published model's folder: move it to MODEL/NAME.csv, or publish the model."
        try:
            self.ledger.put(rules.given_up(row, now, why), found[1] if found else None)
        except LostRace:
            log.info("intake.elsewhere", extra={"blob": landed.name})
        log.warning("intake.unowned", extra={"blob": landed.name})

    def _take(self, landed: Landed, model: str, data: Data) -> None:
        now = self.clock.now()
        key = rules.key_of(landed.name, landed.etag)
        row, version = self.ledger.get(model, key) or (_new_row(landed, model, now), None)
        if row.state is State.GIVEN_UP:
            log.info("intake.given_up_before", extra={"model": model, "blob": landed.name})
            return
        turn = _Turn(landed=landed, data=data, row=row, version=version, ledger=self.ledger)
        try:
            if rules.exhausted(row):
                self._give_up(turn, row.why or "its handling ended without a word, as when memory runs out")
                return
            turn.write(rules.begun(row, now))
            self._try(turn)
        except LostRace as lost:
            # The blob has changed, or another worker has it in hand, or the answer to our own write was lost. The
            # next delivery tells: it finds the file gone, or goes on from the row as it is.
            raise RetryLater(f"Upload {key} of {model} is not this worker's any more.", RETRY_S) from lost

    def _try(self, turn: _Turn) -> None:
        try:
            self._work(turn)
        except LostRace:
            raise
        except RetryLater as error:
            turn.write(rules.uncounted(turn.row, str(error)))
            raise
        except Exception as error:
            if not rules.exhausted(turn.row):
                turn.write(msgspec.structs.replace(turn.row, why=_sentence(error)))
                raise
            self._give_up(turn, _sentence(error), error)

    def _give_up(self, turn: _Turn, why: str, cause: Exception | None = None) -> None:
        row = turn.row
        text = f"Given up after {row.tries} tries: {why}. Upload it anew to try again."
        turn.write(rules.given_up(row, self.clock.now(), text))
        facts = {"model": row.model, "blob": row.blob, "tries": row.tries}
        log.error("intake.given_up", exc_info=cause, extra=facts)

    def _work(self, turn: _Turn) -> None:
        if turn.row.state is State.ACCEPTED:
            self._move_accepted(turn)
        elif turn.row.state is State.QUARANTINED:
            self.landing.remove(turn.landed)
        elif turn.landed.size > turn.data.max_bytes:
            findings = Findings()
            text = f"The file has {turn.landed.size} bytes, more than the {turn.data.max_bytes} of data.max_bytes."
            findings.add(Finding(rule=Rule.TOO_LARGE, text=text))
            self._quarantine(turn, turn.row.key, "", 0, findings)
        else:
            self._read(turn)

    def _read(self, turn: _Turn) -> None:
        from shared.intake import reading  # late: it brings pyarrow, which no other trigger needs

        model = turn.row.model
        with tempfile.TemporaryDirectory(prefix="upkeep-") as folder:
            parquet = Path(folder) / "part.parquet"
            read = reading.read(self.landing.read(turn.landed), turn.data, parquet)
            if read.part is None:
                self._quarantine(turn, read.name, read.sha256, read.rows, read.findings)
                return
            self.landing.put_part(model, read.name, parquet, msgspec.json.encode(read.profile))
        known = self.ledger.knows_part(model, read.name)
        if not known:
            at = _arrival(turn.landed, self.clock.now())
            self.inbox.record(model, DataArrived(at=at, part=read.part, source=turn.landed.name))
            self.ledger.note_part(model, read.name)
        self._advance(turn, State.ACCEPTED, read.name, "")
        log.info(
            "intake.accepted",
            extra={"model": model, "blob": turn.landed.name, "part": read.name, "rows": read.rows, "known": known},
        )
        self._move_accepted(turn)

    def _move_accepted(self, turn: _Turn) -> None:
        self.landing.keep_original(turn.landed, turn.row.model, turn.row.part)
        self.landing.remove(turn.landed)

    def _quarantine(self, turn: _Turn, folder: str, sha256: str, rows: int, findings: Findings) -> None:
        landed, model = turn.landed, turn.row.model
        report = Report(
            model=model,
            blob=landed.name,
            uploaded_at=landed.modified,
            bytes=landed.size,
            sha256=sha256,
            rows_read=rows,
            total=len(findings),
            counts=findings.counts,
            findings=findings.kept,
        )
        self.landing.quarantine(landed, model, folder, msgspec.json.format(msgspec.json.encode(report)))
        self._advance(turn, State.QUARANTINED, folder, findings.sentence)
        log.warning(
            "intake.quarantined",
            extra={"model": model, "blob": landed.name, "part": folder, "mistakes": len(findings)},
        )
        self.landing.remove(landed)

    def _advance(self, turn: _Turn, state: State, part: str, why: str) -> None:
        turn.write(msgspec.structs.replace(turn.row, state=state, part=part, why=why, at=self.clock.now()))


def _new_row(landed: Landed, model: str, now: datetime) -> Row:
    key = rules.key_of(landed.name, landed.etag)
    return Row(model=model, key=key, blob=landed.name, etag=landed.etag, state=State.SEEN, at=now)


def _owner(blob: str, published: dict[str, str]) -> str:
    """The published model in whose folder the blob lies, or NOBODY."""
    model, slash, name = blob.partition("/")
    return model if slash and name and model in published else NOBODY


def _arrival(landed: Landed, now: datetime) -> datetime:
    """When the data arrived: as it was uploaded, equal in every delivery.

    A file that waited long (for its model to be published, for the app to come back) arrives now: the inbox
    passes over events that are older than its memory.
    """
    return landed.modified if landed.modified > now - OLD else now


def _sentence(error: Exception) -> str:
    """The error in words, without what may be data."""
    return str(error) if isinstance(error, BadInput | NeedsPerson) else type(error).__name__
