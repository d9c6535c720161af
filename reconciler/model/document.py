"""One YAML document, decoded and still knowing where each of its values stands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar, cast

import msgspec

from reconciler.model.scope import Scope
from reconciler.model.source import Source

T_co = TypeVar("T_co", bound=msgspec.Struct, covariant=True)
T = TypeVar("T", bound=msgspec.Struct)
Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Document(Generic[T_co]):
    """`kind` and `name` as written; `value` is the decoded struct; `positions` maps a path of YAML keys (camelCase) and
    list indexes to where the *value* stands. The document itself is path `()`."""

    kind: str
    name: str
    value: T_co
    source: Source
    positions: Mapping[Path, Source] = field(default_factory=dict)

    def at(self, *path: str | int) -> Source:
        """Where the value at `path` stands; the nearest written ancestor where it was left out."""
        for length in range(len(path), 0, -1):
            found = self.positions.get(path[:length])
            if found:
                return found
        return self.source


@dataclass(frozen=True)
class Declared:
    """Everything the policies of one directory say, decoded. Names are unique per kind, casing aside."""

    scope: Document[Scope]
    documents: tuple[Document[Any], ...] = ()

    def of(self, kind: str, _type: type[T] | None = None) -> Mapping[str, Document[T]]:
        """The documents of one kind, by name."""
        return {item.name: cast("Document[T]", item) for item in self.documents if item.kind == kind}

    @property
    def subscriptions(self) -> Mapping[str, str]:
        """Alias → subscription id."""
        return self.scope.value.subscriptions

    def alias(self, subscription_id: str) -> str | None:
        """The alias of a subscription id, in any casing; None when it is not in the Scope."""
        wanted = subscription_id.lower()
        pairs: Iterable[tuple[str, str]] = self.subscriptions.items()
        return next((alias for alias, known in pairs if known.lower() == wanted), None)
