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
    """Everything written is one transaction until ``commit``. Reads see it at once.

    Raises sqlite3.Error where another process holds the file.
    """

    def __init__(self, path: Path, *, journal: Literal["wal", "off"] = "wal") -> None:
        self._path = path
        self._connection = _connect(path, journal)

    def begin_successor(self) -> Database:
        """An empty file beside this one, with nothing to roll back to."""
        path = self._path.with_suffix(".new")
        path.unlink(missing_ok=True)
        return Database(path, journal="off")

    def succeed(self, old: Database) -> None:
        """Takes the place of another file, at once."""
        self.commit()
        self.close()
        old.close()
        self._path = self._path.replace(old._path)
        self._connection = _connect(self._path, "wal")

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

    def commit(self) -> None:
        self._connection.commit()

    def discard(self) -> None:
        """Closes and removes the file."""
        self.close()
        self._path.unlink()

    def close(self) -> None:
        self._connection.close()


def _connect(path: Path, journal: str) -> sqlite3.Connection:
    # tests look into a server's store from a thread of their own; SQLite itself serialises
    connection = sqlite3.connect(path, timeout=0, check_same_thread=False)
    connection.execute("pragma page_size = 32768")  # bodies of 2 kB and estates of 1 GB: a third of the time
    connection.execute("pragma cache_size = -65536")  # KiB
    connection.execute("pragma locking_mode = exclusive")
    connection.execute(f"pragma journal_mode = {journal}")
    connection.execute("pragma synchronous = off")  # survives a killed process, if not a power cut
    connection.executescript(_SCHEMA)
    path.chmod(0o600)
    return connection
