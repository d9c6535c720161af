"""Where resources are found: by type and scope in the order of their ids, and by what they were indexed under."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping


def normal(resource_id: str) -> str:
    """The spelling under which ids are equal: lower case, single slashes."""
    lowered = resource_id.lower()
    if lowered.startswith("/") and "//" not in lowered and not lowered.endswith("/"):
        return lowered
    return "/" + "/".join(part for part in lowered.split("/") if part)


class Index:
    """Keys are normal ids. Sorted when they are next looked at: an estate is loaded in one go."""

    def __init__(self) -> None:
        self._keys: defaultdict[str, list[str]] = defaultdict(list)
        self._unsorted: set[str] = set()
        self._facets: dict[tuple[str, str, str], set[str]] = {}

    def add(self, key: str, type_: str) -> None:
        """A key that is not there yet."""
        keys = self._keys[type_.lower()]
        if keys and key < keys[-1]:
            self._unsorted.add(type_.lower())
        keys.append(key)

    def remove(self, key: str, type_: str) -> None:
        keys = self._sorted(type_.lower())
        del keys[bisect_left(keys, key)]

    def mark(self, key: str, type_: str, facets: Mapping[str, str]) -> None:
        """Makes ``find`` know the key by these values."""
        for name, value in facets.items():
            self._facets.setdefault((type_.lower(), name, value), set()).add(key)

    def unmark(self, key: str, type_: str, facets: Mapping[str, str]) -> None:
        for name, value in facets.items():
            place = (type_.lower(), name, value)
            self._facets[place].discard(key)
            if not self._facets[place]:
                del self._facets[place]

    def find(self, type_: str, facets: Mapping[str, str]) -> list[str]:
        """Keys of one type that are marked with all of these values, sorted."""
        empty: set[str] = set()
        sets = [self._facets.get((type_.lower(), name, value.lower()), empty) for name, value in facets.items()]
        return sorted(set.intersection(*sets))

    def span(self, type_: str, scope: str) -> list[str]:
        """Keys of one type at any depth below a scope ("" = everywhere), sorted."""
        keys = self._sorted(type_.lower())
        prefix = normal(scope)
        if prefix == "/":
            return keys
        return keys[bisect_left(keys, prefix + "/") : bisect_left(keys, prefix + "0")]

    def types(self) -> tuple[str, ...]:
        """The types that have keys, lower-cased, sorted."""
        return tuple(sorted(type_ for type_, keys in self._keys.items() if keys))

    def _sorted(self, type_: str) -> list[str]:
        if type_ in self._unsorted:
            self._keys[type_].sort()
            self._unsorted.discard(type_)
        return self._keys.get(type_, [])
