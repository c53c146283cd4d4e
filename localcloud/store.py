"""Documents of the local cloud, kept in one SQLite file so that they survive a restart.

Every emulated resource (a job, a model version, a deployment …) is one JSON document under a kind and a
key. Keys are slash-separated and compared without case, as Azure compares resource ids.
"""

import json
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Document = dict[str, Any]


class Store:
    """A thread-safe map of (kind, key) to a JSON document, written through to disk."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.execute("pragma journal_mode = wal")
        self._db.execute("pragma synchronous = normal")
        self._db.execute(
            "create table if not exists document ("
            " kind text not null, key text not null collate nocase, body text not null,"
            " primary key (kind, key)) without rowid"
        )

    def get(self, kind: str, key: str) -> Document | None:
        """The document, or None."""
        with self._lock:
            row = self._db.execute("select body from document where kind = ? and key = ?", (kind, key)).fetchone()
        return None if row is None else json.loads(row[0])

    def put(self, kind: str, key: str, body: Document) -> None:
        """Write or replace the document."""
        with self._lock:
            self._db.execute("insert or replace into document values (?, ?, ?)", (kind, key, json.dumps(body)))

    def delete(self, kind: str, key: str) -> bool:
        """Remove the document; False when there was none."""
        with self._lock:
            return self._db.execute("delete from document where kind = ? and key = ?", (kind, key)).rowcount > 0

    def items(self, kind: str, prefix: str = "") -> Iterator[tuple[str, Document]]:
        """All documents of a kind whose key begins with the prefix, in the order of their keys."""
        with self._lock:
            rows = self._db.execute(
                "select key, body from document where kind = ? and substr(key, 1, ?) = ? collate nocase order by key",
                (kind, len(prefix), prefix),
            ).fetchall()
        for key, body in rows:
            yield key, json.loads(body)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._db.execute("delete from document")

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()
