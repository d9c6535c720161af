"""Resources by id: ready JSON and an index of it, written through to SQLite so that a killed server loses nothing.

With a file under it, a store keeps in memory only the bodies that changed since the last commit: 100,000 VMs are a
gigabyte of JSON. ``get`` decodes a fresh copy, so nobody can change a stored resource but by ``put``. Hidden state
(what a service knows of a resource and never serves) lies beside the body.
"""

from __future__ import annotations

import base64
import sys
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec

from reconciler.emulator.database import Database, Row
from reconciler.emulator.index import Index, normal

Body = dict[str, Any]
Bodies = list[Body]
Where = Callable[[Body], bool]

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode
_NO_FACETS: Mapping[str, str] = {}
_MANY = 20_000
"""Changes after which a store that is to take the place of another one writes what it has: memory stays small."""


@dataclass(slots=True)
class Entry:
    """One resource: ``body`` and ``hidden`` are JSON (None: in the file), ``facets`` what it is found by."""

    id: str
    type: str
    body: bytes | None
    hidden: bytes | None
    facets: Mapping[str, str]


class Page(NamedTuple):
    """One page of serialised bodies and the token of the next one (None on the last page)."""

    bodies: list[bytes]
    token: str | None


class Store:
    """``path`` None keeps everything in memory. Only one process may hold a path at a time."""

    def __init__(self, path: Path | None = None) -> None:
        self._entries: dict[str, Entry] = {}
        self._index = Index()
        self._documents: defaultdict[str, dict[str, bytes]] = defaultdict(dict)
        self._changed: set[str] = set()
        self._changed_documents: set[tuple[str, str]] = set()
        self._provisional = False
        self._database = Database(path) if path else None
        if self._database:
            self._load(self._database)

    # resources

    def put(self, resource_id: str, type_: str, body: Body, *, hidden: Body | None = None, **index: str) -> None:
        """Creates or replaces. ``hidden`` None keeps what was hidden; ``index`` values are found with ``find``."""
        key = normal(resource_id)
        entry = self._entries.get(key)
        concealed = b"{}"
        if hidden is not None:
            concealed = _encode(hidden)
        elif entry is not None:
            concealed = self._hidden(key, entry)
        facets = {name: value.lower() for name, value in index.items()} if index else _NO_FACETS
        if entry is None:
            self._index.add(key, type_)
        else:
            self._index.unmark(key, entry.type, entry.facets)
        self._insert(key, Entry(resource_id, sys.intern(type_), _encode(body), concealed, facets))
        self._changed.add(key)
        if self._provisional and len(self._changed) >= _MANY:
            self._flush()

    def replace(self, resource_id: str, body: Body) -> None:
        """A new body for a resource that exists; its type, index and hidden state stay. Raises KeyError."""
        key = normal(resource_id)
        entry = self._entries[key]
        entry.hidden, entry.body = self._hidden(key, entry), _encode(body)
        self._changed.add(key)

    def get(self, resource_id: str) -> Body | None:
        body = self.raw(resource_id)
        return None if body is None else _decode(body)

    def raw(self, resource_id: str) -> bytes | None:
        key = normal(resource_id)
        entry = self._entries.get(key)
        return self._body(key, entry) if entry else None

    def has(self, resource_id: str) -> bool:
        return normal(resource_id) in self._entries

    def type_of(self, resource_id: str) -> str | None:
        entry = self._entries.get(normal(resource_id))
        return entry.type if entry else None

    def hidden(self, resource_id: str) -> Body:
        """What the service knows but does not serve; empty for an unknown id."""
        key = normal(resource_id)
        entry = self._entries.get(key)
        return _decode(self._hidden(key, entry)) if entry else {}

    def hide(self, resource_id: str, hidden: Body) -> None:
        """Replaces the hidden state; raises KeyError for an unknown id."""
        key = normal(resource_id)
        entry = self._entries[key]
        entry.body, entry.hidden = self._body(key, entry), _encode(hidden)
        self._changed.add(key)

    def delete(self, resource_id: str) -> bool:
        """Removes one resource, not what lies below it; False when there was none."""
        key = normal(resource_id)
        entry = self._entries.get(key)
        if entry is not None:
            self._take_out(key, entry)
            self._changed.add(key)
        return entry is not None

    def delete_under(self, scope: str) -> int:
        """Removes everything below a resource (not itself); answers how many."""
        prefix = normal(scope) + "/"
        return sum(self.delete(key) for key in [*self._entries] if key.startswith(prefix))

    def find(self, type_: str, **index: str) -> list[str]:
        """Ids of one type that were put with these index values, sorted."""
        return [self._entries[key].id for key in self._index.find(type_, index)]

    def ids(self, type_: str, scope: str = "") -> list[str]:
        """Ids of one type at any depth below a scope ("" = everywhere), sorted."""
        return [self._entries[key].id for key in self._index.span(type_, scope)]

    def types(self) -> tuple[str, ...]:
        """The types that have resources, lower-cased, sorted."""
        return self._index.types()

    def size(self) -> int:
        """How many resources there are, of all types."""
        return len(self._entries)

    def count(self, type_: str, scope: str = "") -> int:
        return len(self._index.span(type_, scope))

    def page(
        self, type_: str, scope: str = "", *, size: int, token: str | None = None, where: Where | None = None
    ) -> Page:
        """Serialised bodies in the order of their ids. A token stays valid while resources come and go.

        Raises ValueError for a token that this store did not make.
        """
        keys = self._index.span(type_, scope)
        position = bisect_right(keys, _untoken(token)) if token else 0
        bodies: list[bytes] = []
        for index in range(position, len(keys)):
            if len(bodies) == size:
                return Page(bodies, base64.urlsafe_b64encode(keys[index - 1].encode()).decode())
            body = self._body(keys[index], self._entries[keys[index]])
            if where is None or where(_decode(body)):
                bodies.append(body)
        return Page(bodies, None)

    def entry(self, resource_id: str) -> Entry | None:
        """A copy of all that is kept of a resource, for ``show``."""
        key = normal(resource_id)
        entry = self._entries.get(key)
        return replace(entry, body=self._body(key, entry), hidden=self._hidden(key, entry)) if entry else None

    def show(self, key: str, entry: Entry | None) -> None:
        """Makes a resource be as ``entry`` says, or absent, for readers only: nothing of it becomes durable."""
        if held := self._entries.get(key):
            self._take_out(key, held)
        if entry is not None:
            self._index.add(key, entry.type)
            self._insert(key, replace(entry))

    # documents: everything that is not a resource (operations, faults, the clock)

    def document(self, collection: str, key: str) -> Any:
        return _decode(self._documents[collection].get(key, b"null"))

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
        if self._provisional or not self.dirty:
            return
        self._flush()
        if self._database:
            self._database.commit()

    @contextmanager
    def successor(self) -> Iterator[Store]:
        """An empty store that takes the place of this one, and its file, at the end of the block; where that raises,
        nothing has changed. What is written in the block becomes durable as a whole."""
        self.commit()
        fresh = Store()
        fresh._database = self._database.begin_successor() if self._database else None
        fresh._provisional = True
        try:
            yield fresh
            fresh._flush()
        except BaseException:
            if fresh._database:
                fresh._database.discard()
            raise
        if fresh._database and self._database:
            fresh._database.succeed(self._database)
        fresh._provisional, self._database = False, None

    def close(self) -> None:
        self.commit()
        if self._database:
            self._database.close()

    def _insert(self, key: str, entry: Entry) -> None:
        self._entries[key] = entry
        self._index.mark(key, entry.type, entry.facets)

    def _take_out(self, key: str, entry: Entry) -> None:
        del self._entries[key]
        self._index.remove(key, entry.type)
        self._index.unmark(key, entry.type, entry.facets)

    def _load(self, database: Database) -> None:
        for key, id_, type_, facets in database.entries():
            self._insert(key, Entry(id_, sys.intern(type_), None, None, _decode(facets) or _NO_FACETS))
            self._index.add(key, type_)
        for collection, key, value in database.documents():
            self._documents[collection][key] = value

    def _body(self, key: str, entry: Entry) -> bytes:
        return self._filed("body", key) if entry.body is None else entry.body

    def _hidden(self, key: str, entry: Entry) -> bytes:
        return self._filed("hidden", key) if entry.hidden is None else entry.hidden

    def _filed(self, column: Literal["body", "hidden"], key: str) -> bytes:
        assert self._database, "what is not in memory is in the file"
        return self._database.content(column, key)

    def _flush(self) -> None:
        """Into the transaction of the file, if there is one: what is there needs no memory."""
        if self._database:
            kept = [(key, entry) for key in sorted(self._changed) if (entry := self._entries.get(key))]
            self._database.write((_row(*pair) for pair in kept), self._changed - self._entries.keys())
            for collection, key in self._changed_documents:
                self._database.write_document(collection, key, self._documents[collection].get(key))
            for _, entry in kept:
                entry.body = entry.hidden = None
        self._changed.clear()
        self._changed_documents.clear()

    def list(self, type_: str, scope: str = "", *, where: Where | None = None) -> Bodies:
        """Decoded bodies of one type below a scope, in the order of their ids."""
        keys = self._index.span(type_, scope)
        bodies: Iterable[Body] = (_decode(self._body(key, self._entries[key])) for key in keys)
        return [body for body in bodies if where is None or where(body)]


def _row(key: str, entry: Entry) -> Row:
    assert entry.body is not None
    assert entry.hidden is not None
    return key, entry.id, entry.type, entry.body, entry.hidden, _encode(entry.facets)


def _untoken(token: str) -> str:
    try:
        return base64.urlsafe_b64decode(token.encode()).decode()
    except ValueError as error:
        raise ValueError(f"not a continuation token: {token}") from error
