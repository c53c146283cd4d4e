"""The intake's Ledger over Azure Table Storage, table `uploads`: one partition a model, conditional writes.

Called through the port. Rows: KEY (an upload: state, tries, blob, blob_etag, part, at, why) and `part|PART`, which
says that the part's arrival was recorded, and is kept for ever: `seen` rows of the inbox are not.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from azure.core import MatchConditions
from azure.core.credentials import TokenCredential
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.data.tables import TableClient, UpdateMode

from shared.adapters.faults import TABLE_ROLE, code_of, status_of, translated
from shared.errors import LostRace
from shared.intake.ledger import Row, State

TABLE = "uploads"
PART = "part|"
_LONGEST_WHY = 2_000
_LOST = {404, 409, 412}
_OPEN = (State.SEEN, State.QUARANTINED, State.GIVEN_UP)


class TableLedger:
    """One table. Safe to share between threads, as the client is."""

    def __init__(self, service: str, credential: TokenCredential) -> None:
        self._table = TableClient(
            service, TABLE, credential=credential, retry_total=3, connection_timeout=5, read_timeout=30
        )

    def get(self, model: str, key: str) -> tuple[Row, str] | None:
        """A row and its ETag."""
        with translated(f"reading upload {key} of {model}", TABLE_ROLE):
            found = self._get(model, key)
        return (_row(found), str(found.metadata["etag"])) if found else None

    def put(self, row: Row, version: str | None) -> str:
        """Insert or replace a row; its new ETag."""
        entity = _entity(row)
        with translated(f"writing upload {row.key} of {row.model}", TABLE_ROLE):
            try:
                if version is None:
                    return str(self._table.create_entity(entity)["etag"])
                condition = MatchConditions.IfNotModified
                answer = self._table.update_entity(
                    entity, mode=UpdateMode.REPLACE, etag=version, match_condition=condition
                )
                return str(answer["etag"])
            except HttpResponseError as error:
                if status_of(error) in _LOST and code_of(error) != "TableNotFound":
                    raise LostRace(f"somebody else wrote upload {row.key} first") from error
                raise

    def knows_part(self, model: str, part: str) -> bool:
        """Whether the part's arrival was recorded."""
        with translated(f"looking for part {part} of {model}", TABLE_ROLE):
            return self._get(model, PART + part) is not None

    def note_part(self, model: str, part: str) -> None:
        """Remember that it was."""
        with translated(f"noting part {part} of {model}", TABLE_ROLE):
            self._table.upsert_entity({"PartitionKey": model, "RowKey": PART + part})

    def open(self, model: str, most: int) -> list[Row]:
        """Rows that are not accepted, the newest first. The service filters; a year of uploads is one short scan."""
        states = " or ".join(f"state eq '{state}'" for state in _OPEN)
        with translated(f"listing open uploads of {model}", TABLE_ROLE):
            found = self._table.query_entities(f"PartitionKey eq @model and ({states})", parameters={"model": model})
            rows = [_row(each) for each in found]
        return sorted(rows, key=lambda row: row.at, reverse=True)[:most]

    def _get(self, model: str, key: str) -> Any:
        try:
            return self._table.get_entity(model, key)
        except ResourceNotFoundError as error:
            if code_of(error) == "TableNotFound":
                raise
            return None


def _entity(row: Row) -> dict[str, Any]:
    return {
        "PartitionKey": row.model,
        "RowKey": row.key,
        "state": row.state.value,
        "tries": row.tries,
        "blob": row.blob,
        "blob_etag": row.etag,
        "part": row.part,
        "at": row.at.isoformat(),
        "why": row.why[:_LONGEST_WHY],
    }


def _row(found: Mapping[str, Any]) -> Row:
    return Row(
        model=found["PartitionKey"],
        key=found["RowKey"],
        blob=found["blob"],
        etag=found["blob_etag"],
        state=State(found["state"]),
        at=datetime.fromisoformat(found["at"]),
        tries=found["tries"],
        part=found["part"],
        why=found["why"],
    )
