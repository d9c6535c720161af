"""Documents of the right shape → typed documents."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from reconciler.desired.load import Raw
from reconciler.desired.schema import HEADER, Types
from reconciler.desired.shape import place, spell
from reconciler.model.document import Document, Path
from reconciler.model.protection import Protection
from reconciler.plan.finding import Finding


def decode(raw: Raw, types: Types, aspects: Collection[str]) -> Document[Any] | Finding:
    """The typed document, or what msgspec still finds wrong with it (a value that the schema is too wide for)."""
    kind, name = raw.value["kind"], raw.value["name"]
    body = {key: value for key, value in raw.value.items() if key not in HEADER}
    try:
        value = msgspec.convert(body, types[kind])
    except msgspec.ValidationError as error:
        message, _, where = str(error).partition(" - at ")
        path = _path(where)
        return Finding(code="schema", message=f"`{spell(path)}`: {message}", source=place(raw, path))
    if kind == "Protection":
        value = _protection(value, aspects)
    return Document(kind=kind, name=name, value=value, source=raw.source, positions=raw.positions)


def salvage_scope(raw: Raw) -> dict[str, Any]:
    """What a Scope of a wrong shape still says, so that the other documents can be checked against it: aliases and
    ids that are text. Its own mistakes are reported already."""
    subscriptions = raw.value.get("subscriptions") if isinstance(raw.value, Mapping) else None
    if not isinstance(subscriptions, Mapping):
        return {}
    return {alias: identity for alias, identity in subscriptions.items() if isinstance(identity, str)}


def _protection(value: Any, aspects: Collection[str]) -> Protection:
    """The one type of all Protections, from the struct that was composed for the kinds at hand."""
    given = {name: getattr(value, name) for name in aspects}
    return Protection(
        select=value.select,
        aspects={name: aspect for name, aspect in given.items() if aspect is not None},
        objectives=value.objectives,
        priority=value.priority,
        allow_empty=value.allow_empty,
    )


def _path(where: str) -> Path:
    """msgspec's "`$.limits.count`" as a path."""
    parts = re.findall(r"\.([^.\[\]`]+)|\[(\d+)\]", where)
    return tuple(int(index) if index else key for key, index in parts)
