"""The file under a store: opened for one process, quick rather than proof against power cuts."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

Row = tuple[str, str, str, bytes, bytes, bytes]
"""Key, id, type, body, hidden, facets."""

_SCHEMA = """
create table if not exists resources (key text primary key, id text, type text, body blob, hidden blob, facets blob);
create table if not exists documents (collection text, key text, value blob, primary key (collection, key));
"""
_CONTENT = {
    "body": "select body from resources where key = ?",
    "hidden": "select hidden from resources where key = ?",
}


class Database:
    """Everything written is one transaction until ``commit`` or ``rollback``. Reads see it at once.

    Raises sqlite3.Error where another process holds the file.
    """

    def __init__(self, path: Path) -> None:
        # pytest looks into a server's store from its own thread; SQLite itself serialises
        self._connection = sqlite3.connect(path, timeout=0, check_same_thread=False)
        self._connection.execute("pragma page_size = 32768")  # bodies of 2 kB, estates of 100 MB: a third of the time
        self._connection.execute("pragma locking_mode = exclusive")
        self._connection.execute("pragma journal_mode = wal")
        self._connection.execute("pragma synchronous = off")  # survives a killed process, if not a power cut
        self._connection.executescript(_SCHEMA)
        path.chmod(0o600)

    def entries(self) -> Iterator[tuple[str, str, str, bytes]]:
        """Key, id, type and facets of every resource, in the order of the keys."""
        yield from self._connection.execute("select key, id, type, facets from resources order by key")

    def documents(self) -> Iterator[tuple[str, str, bytes]]:
        yield from self._connection.execute("select collection, key, value from documents")

    def content(self, column: Literal["body", "hidden"], key: str) -> bytes:
        """The body or the hidden state of a resource that is there."""
        (found,) = self._connection.execute(_CONTENT[column], (key,)).fetchone()
        content: bytes = found
        return content

    def write(self, rows: Iterable[Row], gone: Iterable[str]) -> None:
        self._connection.executemany("delete from resources where key = ?", ((key,) for key in gone))
        self._connection.executemany("replace into resources values (?, ?, ?, ?, ?, ?)", rows)

    def write_document(self, collection: str, key: str, value: bytes | None) -> None:
        """None removes it."""
        if value is None:
            self._connection.execute("delete from documents where collection = ? and key = ?", (collection, key))
        else:
            self._connection.execute("replace into documents values (?, ?, ?)", (collection, key, value))

    def empty(self) -> None:
        self._connection.execute("delete from resources")
        self._connection.execute("delete from documents")

    def commit(self) -> None:
        self._connection.commit()

    def rollback(self) -> None:
        self._connection.rollback()

    def close(self) -> None:
        self._connection.close()
