"""The StateStore over Azure Table Storage: one partition a model, conditional writes, entity-group transactions.

Called through the port. Rows of a model's partition: `record`, `lease`, `inbox|TIME|KEY`, `seen|KEY`,
`decision|SEQ`. The pointers of all models share one partition of their own, `_models`, because the sweep reads
them every minute and a row key alone would make the service scan the whole table.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from azure.core import MatchConditions
from azure.core.credentials import TokenCredential
from azure.core.exceptions import (
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.data.tables import TableClient, UpdateMode

from shared.adapters import table_rows as rows
from shared.adapters.faults import TABLE_ROLE, code_of, status_of, translated
from shared.domain.events import Event
from shared.errors import LostRace
from shared.reconcile.ports import DecisionRow, Lease, Loaded, Pointer, Unread

if TYPE_CHECKING:
    from shared.domain.record import Record

TABLE = "upkeep"
_TRANSACTION = 100  # operations that one transaction takes at most
_LOST = {404, 409, 412}


class TableState:
    """One table. Safe to share between threads, as the client is."""

    def __init__(self, service: str, credential: TokenCredential) -> None:
        self._table = TableClient(
            service, TABLE, credential=credential, retry_total=3, connection_timeout=5, read_timeout=30
        )

    def pointers(self) -> list[Pointer]:
        """All published models."""
        with translated("listing the models", TABLE_ROLE):
            found = self._table.query_entities("PartitionKey eq @models", parameters={"models": rows.MODELS})
            return [rows.value(each, Pointer) for each in found]

    def publish(self, pointer: Pointer) -> None:
        """Write or replace a model's pointer."""
        with translated(f"publishing {pointer.model}", TABLE_ROLE):
            self._table.upsert_entity(rows.entity(rows.MODELS, pointer.model, pointer), mode=UpdateMode.REPLACE)

    def load(self, model: str, most_events: int) -> Loaded | None:
        """Pointer, record and the oldest unread events."""
        from shared.domain.record import Record

        with translated(f"loading {model}", TABLE_ROLE):
            pointer = self._get(rows.MODELS, model)
            if pointer is None:
                return None
            record = self._get(model, rows.RECORD)
            unread = _first(most_events, self._range(model, rows.INBOX, size=most_events))
            return Loaded(
                pointer=rows.value(pointer, Pointer),
                record=rows.value(record, Record) if record else Record(model=model),
                etag=_etag(record) if record else None,
                # A union is no type to mypy, but it is one to msgspec.
                unread=tuple(Unread(each["RowKey"], rows.value(each, Event)) for each in unread),  # type: ignore[arg-type]
            )

    def record_event(self, model: str, event: Event, now: datetime) -> bool:
        """Insert the inbox row and the seen row together; False when the key was seen before."""
        seen = {"PartitionKey": model, "RowKey": rows.seen_row(event.key), "key": event.key, "at": rows.stamp(now)}
        inbox = rows.entity(model, rows.inbox_row(now, event.key), event)
        with translated(f"recording an event of {model}", TABLE_ROLE):
            try:
                self._table.submit_transaction([("create", seen), ("create", inbox)])
            except HttpResponseError as error:
                if status_of(error) == 409:
                    return False
                raise
        return True

    def commit(self, record: "Record", etag: str | None, consumed: tuple[Unread, ...], decision: DecisionRow) -> str:
        """Record, consumed events and decision in one transaction; its first operation gives the new ETag."""
        model = record.model
        row = {**rows.entity(model, rows.RECORD, record), "seq": record.seq}
        operations: list[Any] = [_conditional(row, etag)]
        operations += [("delete", {"PartitionKey": model, "RowKey": each.row}) for each in consumed]
        operations.append(("create", rows.entity(model, rows.decision_row(decision.seq), decision)))
        assert len(operations) <= _TRANSACTION, f"{len(consumed)} events do not fit into one transaction"
        with translated(f"committing {model}", TABLE_ROLE):
            try:
                answers = self._table.submit_transaction(operations)
            except HttpResponseError as error:
                if status_of(error) in _LOST and not _table_is_missing(error):
                    raise LostRace(f"somebody else wrote {model} first") from error
                raise
        return str(answers[0]["etag"])

    def etag(self, model: str) -> str | None:
        """The record's ETag at this moment."""
        with translated(f"reading the ETag of {model}", TABLE_ROLE):
            record = self._get(model, rows.RECORD, select=["PartitionKey"])
            return _etag(record) if record else None

    def take_lease(self, model: str, owner: str, now: datetime, ttl_s: float) -> Lease | None:
        """Insert or take over the lease row; who loses the race for it gets None."""
        with translated(f"taking the lease of {model}", TABLE_ROLE):
            found = self._get(model, rows.LEASE)
            # Its own worker is refused as well: two of its threads may want the same model.
            if found and found["owner"] and found["expires"] > now.timestamp():
                return None
            look_at = found.get("look_at") if found else None
            expires_s = now.timestamp() + ttl_s
            try:
                etag = self._put_lease(model, owner, expires_s, look_at, _etag(found) if found else None)
            except (ResourceExistsError, ResourceModifiedError, ResourceNotFoundError):
                return None
        return Lease(
            model=model,
            owner=owner,
            expires=datetime.fromtimestamp(expires_s, now.tzinfo),
            etag=etag,
            look_at=datetime.fromtimestamp(look_at, now.tzinfo) if look_at else None,
        )

    def drop_lease(self, lease: Lease, look_at: datetime | None) -> None:
        """Empty the owner; a lease that another took meanwhile is left alone."""
        with translated(f"dropping the lease of {lease.model}", TABLE_ROLE):
            try:
                self._put_lease(lease.model, "", 0.0, look_at.timestamp() if look_at else None, lease.etag)
            except (ResourceModifiedError, ResourceNotFoundError):
                return

    def history(self, model: str, most: int) -> list[DecisionRow]:
        """The newest decisions, found by counting back from the record's sequence number."""
        with translated(f"reading the history of {model}", TABLE_ROLE):
            record = self._get(model, rows.RECORD, select=["PartitionKey", "seq"])
            if record is None:
                return []
            oldest = rows.decision_row(max(record["seq"] - most + 1, 0))
            found = [rows.value(each, DecisionRow) for each in self._range(model, rows.DECISION, start=oldest)]
        return sorted(found, key=lambda decision: decision.seq, reverse=True)[:most]

    def forget_seen(self, model: str, before: datetime) -> int:
        """Delete old seen rows, a transaction at a time."""
        with translated(f"forgetting seen events of {model}", TABLE_ROLE):
            found = self._table.query_entities(
                "PartitionKey eq @model and RowKey ge @start and RowKey lt @end and at lt @before",
                parameters={
                    "model": model,
                    "start": rows.SEEN,
                    "end": rows.SEEN[:-1] + rows.AFTER_BAR,
                    "before": rows.stamp(before),
                },
                select=["PartitionKey", "RowKey"],
            )
            old = [{"PartitionKey": each["PartitionKey"], "RowKey": each["RowKey"]} for each in found]
            for at in range(0, len(old), _TRANSACTION):
                try:
                    self._table.submit_transaction([("delete", row) for row in old[at : at + _TRANSACTION]])
                except HttpResponseError as error:
                    if status_of(error) == 404:  # another sweep is at it
                        return at
                    raise
        return len(old)

    def _get(self, partition: str, row: str, select: list[str] | None = None) -> Mapping[str, Any] | None:
        try:
            return self._table.get_entity(partition, row, select=select)
        except ResourceNotFoundError as error:
            if _table_is_missing(error):
                raise
            return None

    def _range(
        self, model: str, prefix: str, start: str | None = None, size: int | None = None
    ) -> Iterable[Mapping[str, Any]]:
        return self._table.query_entities(
            "PartitionKey eq @model and RowKey ge @start and RowKey lt @end",
            parameters={"model": model, "start": start or prefix, "end": prefix[:-1] + rows.AFTER_BAR},
            results_per_page=size,
        )

    def _put_lease(self, model: str, owner: str, expires_s: float, look_at: float | None, etag: str | None) -> str:
        row: rows.Entity = {"PartitionKey": model, "RowKey": rows.LEASE, "owner": owner, "expires": expires_s}
        if look_at is not None:
            row["look_at"] = look_at
        if etag is None:
            return str(self._table.create_entity(row)["etag"])
        condition = MatchConditions.IfNotModified
        answer = self._table.update_entity(row, mode=UpdateMode.REPLACE, etag=etag, match_condition=condition)
        return str(answer["etag"])


def _conditional(row: rows.Entity, etag: str | None) -> Any:
    if etag is None:
        return ("create", row)
    condition = {"mode": UpdateMode.REPLACE, "etag": etag, "match_condition": MatchConditions.IfNotModified}
    return ("update", row, condition)


def _etag(found: Mapping[str, Any]) -> str:
    return str(found.metadata["etag"])  # type: ignore[attr-defined]  # TableEntity, which types itself a Mapping


def _first(most: int, found: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [each for _, each in zip(range(most), found, strict=False)]


def _table_is_missing(error: HttpResponseError) -> bool:
    return code_of(error) == "TableNotFound"
