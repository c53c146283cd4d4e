"""Small steps that build the next record. Used by the parts of decide; each returns a new value."""

from datetime import datetime
from typing import Any

import msgspec

from shared.domain.base import Kept
from shared.domain.lifecycle import TRANSITIONS, Phase, Signal
from shared.domain.reasons import Fact, Reason, Why
from shared.domain.record import BAR_CHARACTERS, MAX_BARRED, MAX_BARRED_BEFORE, Bar, Outcome, Record, Release


class Draft(Kept, frozen=True, kw_only=True):
    """A record on its way to be decided, with the reasons so far."""

    record: Record
    reasons: tuple[Reason, ...] = ()

    def because(self, why: Why, text: str, facts: dict[str, Fact] | None = None) -> "Draft":
        """Add a reason."""
        return Draft(record=self.record, reasons=(*self.reasons, Reason(why=why, text=text, facts=facts or {})))

    def with_record(self, **changes: Any) -> "Draft":
        """Change fields of the record."""
        return Draft(record=msgspec.structs.replace(self.record, **changes), reasons=self.reasons)

    def with_release(self, **changes: Any) -> "Draft":
        """Change fields of the release in flight."""
        return self.with_record(release=msgspec.structs.replace(self.release, **changes))

    @property
    def release(self) -> Release:
        """The release in flight; only asked for where the phase says that there is one."""
        assert self.record.release is not None
        return self.record.release

    def signal(self, signal: Signal, now: datetime, **changes: Any) -> "Draft":
        """Follow the table of the life. An illegal signal leaves everything as it was."""
        after = TRANSITIONS.get((self.release.phase, signal))
        if after is None:
            return self
        return self.with_release(phase=after, since=now, waiting="", **changes)

    def waiting(self, why: Why, text: str, facts: dict[str, Fact] | None = None) -> "Draft":
        """Hold the release and say why, once for as long as it stays the same."""
        if self.release.waiting == text:
            return self
        return self.with_release(waiting=text).because(why, text, facts)

    def end(self, now: datetime, text: str) -> "Draft":
        """Take the release out of flight; its phase is an end of the table."""
        release = self.release
        outcome = Outcome(
            release=release.number,
            phase=release.phase,
            at=now,
            text=text,
            data_version=release.manifest.version if release.manifest else "",
        )
        failed = release.phase is Phase.FAILED and release.manifest is not None
        return self.with_record(release=None, last=outcome, trained_on="" if failed else self.record.trained_on)

    def barred(self, artifact: str, release: int, why: str, now: datetime) -> "Draft":
        """Keep an artifact from ever being promoted by automation again."""
        if not artifact or self.record.bar_on(artifact):
            return self
        bar = Bar(artifact=artifact, release=release, why=why, at=now)
        bars = (*self.record.barred, bar)
        old = tuple(each.artifact[:BAR_CHARACTERS] for each in bars[:-MAX_BARRED])
        before = (*self.record.barred_before, *old)[-MAX_BARRED_BEFORE:]
        return self.with_record(barred=bars[-MAX_BARRED:], barred_before=before)

    def retiring(self, deployment: str) -> "Draft":
        """Have a deployment deleted once it is seen without traffic."""
        if deployment in self.record.retiring:
            return self
        return self.with_record(retiring=(*self.record.retiring, deployment))
