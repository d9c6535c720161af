"""Resources by id: served from memory as ready JSON, written through to SQLite so that a killed server loses nothing.

Bodies are kept as the bytes that lists join; ``get`` decodes a fresh copy, so nobody can change a stored resource
but by ``put``. Hidden state (what a service knows of a resource and never serves) lies beside the body.
"""

from __future__ import annotations

import base64
import sqlite3
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from reconciler.emulator.database import open_database

Body = dict[str, Any]
Bodies = list[Body]
Where = Callable[[Body], bool]

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


@dataclass(slots=True)
class Entry:
    """One resource: ``body`` and ``hidden`` are JSON, ``facets`` what it is found by."""

    id: str
    type: str
    body: bytes
    hidden: bytes
    facets: dict[str, str]


class Page(NamedTuple):
    """One page of serialised bodies and the token of the next one (None on the last page)."""

    bodies: list[bytes]
    token: str | None


def normal(resource_id: str) -> str:
    """The spelling under which ids are equal: lower case, single slashes."""
    lowered = resource_id.lower()
    if lowered.startswith("/") and "//" not in lowered and not lowered.endswith("/"):
        return lowered
    return "/" + "/".join(part for part in lowered.split("/") if part)


class Store:
    """``path`` None keeps everything in memory. Only one process may hold a path at a time."""

    def __init__(self, path: Path | None = None) -> None:
        self._entries: dict[str, Entry] = {}
        self._keys: defaultdict[str, list[str]] = defaultdict(list)
        self._unsorted: set[str] = set()
        self._facets: defaultdict[tuple[str, str, str], set[str]] = defaultdict(set)
        self._documents: defaultdict[str, dict[str, bytes]] = defaultdict(dict)
        self._changed: set[str] = set()
        self._changed_documents: set[tuple[str, str]] = set()
        self._database = open_database(path) if path else None
        if self._database:
            self._load(self._database)

    # resources

    def put(self, resource_id: str, type_: str, body: Body, *, hidden: Body | None = None, **index: str) -> None:
        """Creates or replaces. ``hidden`` None keeps what was hidden; ``index`` values are found with ``find``."""
        key = normal(resource_id)
        entry = self._entries.get(key)
        kept = entry.hidden if entry else b"{}"
        concealed = kept if hidden is None else _encode(hidden)
        fresh = Entry(resource_id, type_, _encode(body), concealed, {k: v.lower() for k, v in index.items()})
        if entry is None:
            self._append(type_.lower(), key)
        else:
            self._unindex(key, entry)
        self._insert(key, fresh)
        self._changed.add(key)

    def replace(self, resource_id: str, body: Body) -> None:
        """A new body for a resource that exists; its type, index and hidden state stay. Raises KeyError."""
        key = normal(resource_id)
        self._entries[key].body = _encode(body)
        self._changed.add(key)

    def get(self, resource_id: str) -> Body | None:
        entry = self._entries.get(normal(resource_id))
        return _decode(entry.body) if entry else None

    def raw(self, resource_id: str) -> bytes | None:
        entry = self._entries.get(normal(resource_id))
        return entry.body if entry else None

    def has(self, resource_id: str) -> bool:
        return normal(resource_id) in self._entries

    def type_of(self, resource_id: str) -> str | None:
        entry = self._entries.get(normal(resource_id))
        return entry.type if entry else None

    def hidden(self, resource_id: str) -> Body:
        """What the service knows but does not serve; empty for an unknown id."""
        entry = self._entries.get(normal(resource_id))
        return _decode(entry.hidden) if entry else {}

    def hide(self, resource_id: str, hidden: Body) -> None:
        """Replaces the hidden state; raises KeyError for an unknown id."""
        key = normal(resource_id)
        self._entries[key].hidden = _encode(hidden)
        self._changed.add(key)

    def delete(self, resource_id: str) -> bool:
        """Removes one resource, not what lies below it; False when there was none."""
        key = normal(resource_id)
        entry = self._entries.pop(key, None)
        if entry is None:
            return False
        keys = self._sorted(entry.type.lower())
        del keys[bisect_left(keys, key)]
        self._unindex(key, entry)
        self._changed.add(key)
        return True

    def delete_under(self, scope: str) -> int:
        """Removes everything below a resource (not itself); answers how many."""
        prefix = normal(scope) + "/"
        doomed = [key for key in self._entries if key.startswith(prefix)]
        for key in doomed:
            self.delete(key)
        return len(doomed)

    def find(self, type_: str, **index: str) -> list[str]:
        """Ids of one type that were put with these index values, sorted."""
        sets = [self._facets[(type_.lower(), name, value.lower())] for name, value in index.items()]
        return [self._entries[key].id for key in sorted(set.intersection(*sets))]

    def ids(self, type_: str, scope: str = "") -> list[str]:
        """Ids of one type at any depth below a scope ("" = everywhere), sorted."""
        return [self._entries[key].id for key in self._span(type_, scope)]

    def types(self) -> tuple[str, ...]:
        """The types that have resources, lower-cased, sorted."""
        return tuple(sorted(type_ for type_, keys in self._keys.items() if keys))

    def size(self) -> int:
        """How many resources there are, of all types."""
        return len(self._entries)

    def count(self, type_: str, scope: str = "") -> int:
        return len(self._span(type_, scope))

    def page(
        self, type_: str, scope: str = "", *, size: int, token: str | None = None, where: Where | None = None
    ) -> Page:
        """Serialised bodies in the order of their ids. A token stays valid while resources come and go.

        Raises ValueError for a token that this store did not make.
        """
        keys = self._span(type_, scope)
        position = bisect_right(keys, _untoken(token)) if token else 0
        bodies: list[bytes] = []
        for index in range(position, len(keys)):
            if len(bodies) == size:
                return Page(bodies, base64.urlsafe_b64encode(keys[index - 1].encode()).decode())
            body = self._entries[keys[index]].body
            if where is None or where(_decode(body)):
                bodies.append(body)
        return Page(bodies, None)

    def entry(self, resource_id: str) -> Entry | None:
        """A copy of all that is kept of a resource, for ``show``."""
        entry = self._entries.get(normal(resource_id))
        return replace(entry) if entry else None

    def show(self, key: str, entry: Entry | None) -> None:
        """Makes a resource be as ``entry`` says, or absent, for readers only: nothing of it becomes durable."""
        held = self._entries.pop(key, None)
        if held is not None:
            keys = self._sorted(held.type.lower())
            del keys[bisect_left(keys, key)]
            self._unindex(key, held)
        if entry is not None:
            self._append(entry.type.lower(), key)
            self._insert(key, replace(entry))

    # documents: everything that is not a resource (operations, faults, the clock)

    def document(self, collection: str, key: str) -> Any:
        value = self._documents[collection].get(key)
        return None if value is None else _decode(value)

    def documents(self, collection: str) -> list[Any]:
        return [_decode(value) for _, value in sorted(self._documents[collection].items())]

    def put_document(self, collection: str, key: str, value: Any) -> None:
        self._documents[collection][key] = _encode(value)
        self._changed_documents.add((collection, key))

    def delete_document(self, collection: str, key: str) -> None:
        self._documents[collection].pop(key, None)
        self._changed_documents.add((collection, key))

    # durability

    @property
    def dirty(self) -> bool:
        return bool(self._changed or self._changed_documents)

    def commit(self) -> None:
        """Makes all changes since the last commit durable, in one transaction."""
        if self._database and self.dirty:
            with self._database:
                self._write(self._database)
        self._changed.clear()
        self._changed_documents.clear()

    def succeed(self, old: Store) -> None:
        """Takes the place of another store, and its file; what only the other one held is gone with the next commit."""
        self._database, old._database = old._database, None
        self._changed |= old._entries.keys() | self._entries.keys()
        for documents in (old._documents, self._documents):
            self._changed_documents |= {(name, key) for name, held in documents.items() for key in held}

    def close(self) -> None:
        self.commit()
        if self._database:
            self._database.close()

    def _span(self, type_: str, scope: str) -> list[str]:
        keys = self._sorted(type_.lower())
        prefix = normal(scope)
        if prefix == "/":
            return keys
        return keys[bisect_left(keys, prefix + "/") : bisect_left(keys, prefix + "0")]

    def _append(self, type_: str, key: str) -> None:
        keys = self._keys[type_]
        if keys and key < keys[-1]:
            self._unsorted.add(type_)
        keys.append(key)

    def _sorted(self, type_: str) -> list[str]:
        if type_ in self._unsorted:
            self._keys[type_].sort()
            self._unsorted.discard(type_)
        return self._keys.get(type_, [])

    def _insert(self, key: str, entry: Entry) -> None:
        self._entries[key] = entry
        for name, value in entry.facets.items():
            self._facets[(entry.type.lower(), name, value)].add(key)

    def _unindex(self, key: str, entry: Entry) -> None:
        for name, value in entry.facets.items():
            self._facets[(entry.type.lower(), name, value)].discard(key)

    def _load(self, database: sqlite3.Connection) -> None:
        for key, id_, type_, body, hidden, facets in database.execute("select * from resources order by key"):
            self._insert(key, Entry(id_, type_, body, hidden, _decode(facets)))
            self._keys[type_.lower()].append(key)
        for collection, key, value in database.execute("select * from documents"):
            self._documents[collection][key] = value

    def _write(self, database: sqlite3.Connection) -> None:
        gone = [(key,) for key in self._changed if key not in self._entries]
        kept = ((key, self._entries[key]) for key in sorted(self._changed) if key in self._entries)
        database.executemany("delete from resources where key = ?", gone)
        database.executemany("replace into resources values (?, ?, ?, ?, ?, ?)", (_row(key, e) for key, e in kept))
        for collection, key in self._changed_documents:
            value = self._documents[collection].get(key)
            if value is None:
                database.execute("delete from documents where collection = ? and key = ?", (collection, key))
            else:
                database.execute("replace into documents values (?, ?, ?)", (collection, key, value))

    def list(self, type_: str, scope: str = "", *, where: Where | None = None) -> Bodies:
        """Decoded bodies of one type below a scope, in the order of their ids."""
        decoded: Iterable[Body] = (_decode(self._entries[key].body) for key in self._span(type_, scope))
        return [body for body in decoded if where is None or where(body)]


def _row(key: str, entry: Entry) -> tuple[str, str, str, bytes, bytes, bytes]:
    return key, entry.id, entry.type, entry.body, entry.hidden, _encode(entry.facets)


def _untoken(token: str) -> str:
    try:
        return base64.urlsafe_b64decode(token.encode()).decode()
    except ValueError as error:
        raise ValueError(f"not a continuation token: {token}") from error
