"""What a spec says, for people: in the words and the names of the policies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from reconciler.model.resource import Ref, Spec

_SHOWN = 3
"""VMs that a sentence names."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """One thing that a spec says, for people: `name` as the policies write it (`softDelete.days`), `text` in words.

    `field` is the spec field that it comes from. What is `usual` is not worth a word of a new resource.
    """

    field: str
    name: str
    text: str
    usual: bool = False


def spoken(spec: Spec) -> Iterator[Phrase]:
    """Every field that is set, by its dotted path, in camelCase as the policies write it; a reference by its name."""
    for field in spec.__struct_fields__:
        value = getattr(spec, field)
        plain = _named(value)
        for path, leaf in _leaves(camel(field), plain):
            text = ", ".join(map(str, leaf)) if isinstance(leaf, list) else str(leaf)
            yield Phrase(field, path, text)


def _named(value: Any) -> Any:
    if isinstance(value, Ref):
        return value.address.name
    if isinstance(value, tuple):
        return [_named(item) for item in value]
    return msgspec.to_builtins(value, str_keys=True)


def camel(name: str) -> str:
    """`soft_delete_days` → `softDeleteDays`."""
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def _leaves(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(f"{path}.{key}", inner)
    elif value is not None and value != "" and value != []:
        yield path, str(value).lower() if isinstance(value, bool) else value


def some_names(names: Sequence[str]) -> str:
    """`vm-1, vm-2, vm-3 and 9 more VMs`; `VM vm-1` for one. A single one that is left is named as well."""
    if len(names) == 1:
        return f"VM {names[0]}"
    rest = len(names) - _SHOWN
    return f"{', '.join(names[:_SHOWN])} and {rest} more VMs" if rest > 1 else f"VMs {', '.join(names)}"
