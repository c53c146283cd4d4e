"""The state table in memory: rows with ETags, and transactions that happen whole or not at all."""

import hashlib
from datetime import datetime, timedelta
from itertools import count

import msgspec

from shared.domain.events import Event
from shared.domain.record import Record
from shared.errors import LostRace
from shared.reconcile.ports import DecisionRow, Lease, Loaded, Pointer, Unread
from tests.fakes.points import Interrupt, around, never

_ENCODER = msgspec.msgpack.Encoder()
_RECORD = msgspec.msgpack.Decoder(Record)
_EVENT: msgspec.msgpack.Decoder[Event] = msgspec.msgpack.Decoder(Event)


class FakeStateStore:
    """One partition a model. Values are kept as bytes, so that what is not stored is really forgotten."""

    def __init__(self, interrupt: Interrupt = never) -> None:
        self.interrupt = interrupt
        self.rows: dict[tuple[str, str], tuple[str, bytes]] = {}
        self.known: dict[str, Pointer] = {}
        self.leases: dict[str, Lease] = {}
        self.decisions: dict[str, list[DecisionRow]] = {}
        self._etags = count(1)

    def pointers(self) -> list[Pointer]:
        with around(self.interrupt, "pointers"):
            return list(self.known.values())

    def publish(self, pointer: Pointer) -> None:
        with around(self.interrupt, "publish"):
            self.known[pointer.model] = pointer

    def load(self, model: str, most_events: int) -> Loaded | None:
        with around(self.interrupt, "load"):
            pointer = self.known.get(model)
            if pointer is None:
                return None
            row = self.rows.get((model, "record"))
            return Loaded(
                pointer=pointer,
                record=_RECORD.decode(row[1]) if row else Record(model=model),
                etag=row[0] if row else None,
                unread=self._unread(model)[:most_events],
            )

    def _unread(self, model: str) -> tuple[Unread, ...]:
        keys = sorted(key for of, key in self.rows if of == model and key.startswith("inbox|"))
        return tuple(Unread(key, _EVENT.decode(self.rows[model, key][1])) for key in keys)

    def record_event(self, model: str, event: Event, now: datetime) -> bool:
        with around(self.interrupt, "record_event"):
            digest = hashlib.sha256(event.key.encode()).hexdigest()
            seen = (model, f"seen|{digest[:32]}")
            if seen in self.rows:
                return False
            self._put(seen, msgspec.msgpack.encode(now))
            self._put((model, f"inbox|{now:%Y%m%dT%H%M%S%f}|{digest[:24]}"), _ENCODER.encode(event))
            return True

    def commit(self, record: Record, etag: str | None, consumed: tuple[Unread, ...], decision: DecisionRow) -> str:
        with around(self.interrupt, "commit"):
            key = (record.model, "record")
            present = self.rows[key][0] if key in self.rows else None
            missing = [unread for unread in consumed if (record.model, unread.row) not in self.rows]
            if present != etag or missing:
                raise LostRace(f"{record.model} was written by another pass")
            for unread in consumed:
                del self.rows[record.model, unread.row]
            self.decisions.setdefault(record.model, []).append(decision)
            return self._put(key, _ENCODER.encode(record))

    def _put(self, key: tuple[str, str], body: bytes) -> str:
        etag = f"e{next(self._etags)}"
        self.rows[key] = (etag, body)
        return etag

    def etag(self, model: str) -> str | None:
        with around(self.interrupt, "etag"):
            row = self.rows.get((model, "record"))
            return row[0] if row else None

    def take_lease(self, model: str, owner: str, now: datetime, ttl_s: float) -> Lease | None:
        with around(self.interrupt, "take_lease"):
            held = self.leases.get(model)
            if held is not None and held.owner and held.expires > now:
                return None
            lease = Lease(
                model=model,
                owner=owner,
                expires=now + timedelta(seconds=ttl_s),
                etag=f"e{next(self._etags)}",
                look_at=held.look_at if held else None,
            )
            self.leases[model] = lease
            return lease

    def drop_lease(self, lease: Lease, look_at: datetime | None) -> None:
        with around(self.interrupt, "drop_lease"):
            held = self.leases.get(lease.model)
            if held is not None and held.etag == lease.etag:
                self.leases[lease.model] = msgspec.structs.replace(
                    lease, owner="", etag=f"e{next(self._etags)}", look_at=look_at
                )

    def history(self, model: str, most: int) -> list[DecisionRow]:
        with around(self.interrupt, "history"):
            return self.decisions.get(model, [])[::-1][:most]

    def forget_seen(self, model: str, before: datetime) -> int:
        with around(self.interrupt, "forget_seen"):
            old = [
                key
                for key, (_, body) in self.rows.items()
                if key[0] == model
                and key[1].startswith("seen|")
                and msgspec.msgpack.decode(body, type=datetime) < before
            ]
            for key in old:
                del self.rows[key]
            return len(old)
