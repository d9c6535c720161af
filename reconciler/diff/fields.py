"""What differs between two specs. Equal specs cost one `==`; equal pairs of specs are worked out once."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from reconciler.kinds.base import Kind, Rule
from reconciler.kinds.phrases import Phrase
from reconciler.model.resource import Ref, Resource, Spec
from reconciler.plan.change import Detail, FieldChange

Path = tuple[str | int, ...]


def plain(spec: Spec) -> dict[str, Any]:
    """The spec as plain JSON values; a reference is the address it points to."""
    values = {name: _spelled(getattr(spec, name)) for name in spec.__struct_fields__}
    plain_values: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(values))
    return plain_values


def _spelled(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_spelled(item) for item in value]
    return str(value) if isinstance(value, Ref) else value


class SpecComparer:
    """Normalises and compares the specs of one plan, remembering what it has seen.

    10,000 VMs that all change in the same way cost one DeepDiff. Normal forms are remembered by identity, which is
    sound because both states hold their specs for as long as the comparison lasts.
    """

    def __init__(self) -> None:
        self._normal: dict[int, Spec] = {}
        self._plain: dict[tuple[type[Spec], bytes], dict[str, Any]] = {}
        self._told: dict[tuple[type[Spec], bytes], tuple[Phrase, ...]] = {}
        self._fields: dict[tuple[type[Spec], bytes, bytes], tuple[FieldChange, ...]] = {}

    def normal(self, kind: Kind[Any], spec: Spec) -> Spec:
        """The one spelling of this spec; the caller keeps `spec` alive."""
        found = self._normal.get(id(spec))
        if found is None:
            found = self._normal[id(spec)] = kind.normalise(spec)
        return found

    def plain(self, spec: Spec) -> dict[str, Any]:
        key = (type(spec), msgspec.json.encode(spec))
        found = self._plain.get(key)
        if found is None:
            found = self._plain[key] = plain(spec)
        return found

    def details(self, kind: Kind[Any], live: Resource | None, desired: Resource | None) -> tuple[Detail, ...]:
        """What differs, as the kind puts it for people; of a new resource, what is worth a word. Specs are in normal
        form."""
        if desired is None:
            return ()
        before = {phrase.name: phrase for phrase in self._phrases(kind, live.spec)} if live else {}
        after = {phrase.name: phrase for phrase in self._phrases(kind, desired.spec)}
        if live is not None:
            _tell_apart(before, live.spec, after, desired.spec)
        return tuple(
            Detail(
                name=name,
                before=before[name].text if name in before else "",
                after=after[name].text if name in after else "",
                source=desired.origins.get((after.get(name) or before[name]).field),
            )
            for name in dict.fromkeys((*after, *before))
            if _worth_telling(before.get(name), after.get(name), new=live is None)
        )

    def _phrases(self, kind: Kind[Any], spec: Spec) -> tuple[Phrase, ...]:
        key = (type(spec), msgspec.json.encode(spec))
        found = self._told.get(key)
        if found is None:
            rules: Mapping[str, Rule] = kind.rules
            told = (phrase for phrase in kind.describe(spec) if rules[phrase.field] is not Rule.IGNORE)
            found = self._told[key] = tuple(told)
        return found

    def differences(self, kind: Kind[Any], before: Spec, after: Spec) -> tuple[FieldChange, ...]:
        """The differences that count (rule not `ignore`), in spec order. Both specs are in normal form."""
        if before == after:
            return ()
        key = (type(after), msgspec.json.encode(before), msgspec.json.encode(after))
        found = self._fields.get(key)
        if found is None:
            rules: Mapping[str, Rule] = kind.rules
            found = self._fields[key] = tuple(
                change
                for name in after.__struct_fields__
                if rules[name] is not Rule.IGNORE and getattr(before, name) != getattr(after, name)
                for change in compare_values(name, self.plain(before)[name], self.plain(after)[name])
            )
        return found


def _tell_apart(before: dict[str, Phrase], live: Spec, after: dict[str, Phrase], desired: Spec) -> None:
    """Two things may have one name, as a resource group in two subscriptions: then the values themselves are told."""
    for name in before.keys() & after.keys():
        there, wanted = getattr(live, before[name].field), getattr(desired, after[name].field)
        texts = isinstance(there, str) and isinstance(wanted, str)
        if texts and there != wanted and before[name].text == after[name].text:
            before[name] = dataclasses.replace(before[name], text=there)
            after[name] = dataclasses.replace(after[name], text=wanted)


def _worth_telling(before: Phrase | None, after: Phrase | None, *, new: bool) -> bool:
    if new:
        return after is not None and not after.usual
    return (before and before.text) != (after and after.text)


def compare_values(name: str, before: Any, after: Any) -> tuple[FieldChange, ...]:
    """The differences inside one field, as deep as both sides have the same shape; lists of plain values as a whole."""
    whole = (FieldChange(path=name, before=before, after=after),)
    if not (isinstance(before, (dict, list)) and isinstance(after, (dict, list))):
        return whole
    from deepdiff import DeepDiff

    found = DeepDiff(before, after, view="tree", threshold_to_diff_deeper=0)
    paths = {
        _shorten(tuple(level.path(output_format="list")), before, after)
        for levels in found.values()
        for level in levels
    }
    changes = tuple(
        FieldChange(path=spell(name, path), before=_walk(before, path), after=_walk(after, path))
        for path in sorted(paths, key=lambda path: [f"{part:06d}" if isinstance(part, int) else part for part in path])
    )
    return changes or whole


def spell(name: str, path: Path) -> str:
    """`retention.daily`, `rules[2].days`, `tags["cost.center"]`."""
    return name + "".join(_spell(part) for part in path)


def _spell(part: str | int) -> str:
    if isinstance(part, int):
        return f"[{part}]"
    if part.replace("_", "a").replace("-", "a").isalnum():
        return f".{part}"
    return "[" + msgspec.json.encode(part).decode() + "]"


def _shorten(path: Path, before: Any, after: Any) -> Path:
    """The path up to the first list of plain values (or of a type that differs): such a list is shown whole."""
    for length in range(len(path)):
        sides = (_walk(before, path[:length]), _walk(after, path[:length]))
        if isinstance(path[length], int) and not all(_holds_dicts(side) for side in sides):
            return path[:length]
    return path


def _holds_dicts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)


def _walk(value: Any, path: Path) -> Any:
    for part in path:
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def fields_named(changes: tuple[FieldChange, ...]) -> Iterator[str]:
    """The top-level spec fields that these differences are in, each once."""
    seen = set()
    for change in changes:
        name = change.path.split(".", 1)[0].split("[", 1)[0]
        if name not in seen:
            seen.add(name)
            yield name
