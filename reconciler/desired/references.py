"""Offline checks on what documents say of each other: names, aliases, aspects, dates."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from reconciler.desired.suggest import did_you_mean
from reconciler.kinds.base import Aspect, Kind
from reconciler.model.arm_id import ArmId
from reconciler.model.counting import count
from reconciler.model.document import Declared, Document, Path
from reconciler.model.protection import Exemption, Protection
from reconciler.model.selector import Selector
from reconciler.plan.finding import Finding, Severity

_VM_ID = re.compile(
    r"/subscriptions/[^/*?\s]+/resourceGroups/[^/*?]+/providers/Microsoft\.Compute/virtualMachines/[^/*?\s]+",
    re.IGNORECASE,
)
EXPIRED = "exemption-expired"
ENDING = "exemption-ending"
ABOUT_EXEMPTIONS = frozenset({EXPIRED, ENDING})
"""What a plan says again, with the VMs that are concerned."""
_NOTICE = dt.timedelta(days=14)
"""How long before its end an exemption is announced."""
_SHORTEST_REASON = 5
"""Letters; the schema asks for ten characters, which may be blanks."""


@dataclass(frozen=True, slots=True)
class Names:
    """The names there are, by kind, those of documents with mistakes included: a reference to one is no mistake.

    References are spelled as the name is: what is looked up by name later finds it without folding.
    """

    written: Mapping[str, Collection[str]]

    def lacks(self, kind: str, name: str) -> bool:
        return name not in self.written.get(kind, ())


def check_references(declared: Declared, kinds: Sequence[Kind[Any]], names: Names) -> Iterator[Finding]:
    """Unknown names, aliases and aspects; selectors that name no condition; policies that nobody uses."""
    aspects = {kind.aspect.name: kind.aspect for kind in kinds if kind.aspect}
    shapes = {shape.name: shape for kind in kinds for shape in kind.documents}
    used: set[tuple[str, str]] = set()
    yield from _check_scope(declared)
    for document in declared.documents:
        if isinstance(document.value, Protection):
            yield from _check_protection(document, aspects, names, used)
            yield from check_selector(document.value.select, ("select",), document, declared)
        elif isinstance(document.value, Exemption):
            yield from _check_exemption(document, aspects)
            yield from check_selector(document.value.select, ("select",), document, declared)
        elif document.kind in shapes:
            shape = shapes[document.kind]
            yield from _check_names(document, document.value, (), shape.references, names, used)
            for path, selector in shape.selectors(document.value):
                yield from check_selector(selector, path, document, declared)
    yield from _unused(declared, aspects.values(), used)


def check_expiry(declared: Declared, today: dt.date) -> Iterator[Finding]:
    """An exemption that has run out is an error: somebody must decide again. One that is about to is announced."""
    for document in declared.of("Exemption", Exemption).values():
        if document.value.until < today:
            yield Finding(
                code=EXPIRED,
                message=f"exemption `{document.name}` ran out on {document.value.until}: {document.value.reason}",
                advice="set a later day in `until`, or remove the exemption and protect its VMs",
                source=document.at("until"),
            )
        elif document.value.until - today <= _NOTICE:
            yield Finding(
                code=ENDING,
                severity=Severity.WARNING,
                message=f"exemption `{document.name}` ends {_in_days((document.value.until - today).days)} "
                f"({document.value.until}): {document.value.reason}",
                advice="decide before: set a later day in `until`, or remove it and protect its VMs; after that day it "
                "excuses nobody, and its having run out is an error that stops every apply",
                source=document.at("until"),
            )


def _in_days(days: int) -> str:
    return f"in {count(days, 'day')}" if days else "today"


def check_selector(selector: Selector, path: Path, document: Document[Any], declared: Declared) -> Iterator[Finding]:
    """What can be said of a selector without knowing any VM."""
    given = [key for key, _ in selector.given()]
    if not given:
        yield Finding(
            code="selector",
            message="selects every VM without saying so",
            advice="name a condition; write names: ['*'] where every VM is meant",
            source=document.at(*path),
        )
    for index, alias in enumerate(selector.subscriptions or ()):
        if alias not in declared.subscriptions:
            yield Finding(
                code="reference",
                message=f"the Scope knows no subscription `{alias}`",
                advice=did_you_mean(alias, declared.subscriptions),
                source=document.at(*path, "subscriptions", index),
                also=(declared.scope.at("subscriptions"),),
            )
    for index, text in enumerate(selector.ids or ()):
        yield from _check_id(text, (*path, "ids", index), document, declared)
    spelled: dict[str, str] = {}
    for name in selector.tags or {}:
        first = spelled.setdefault(name.casefold(), name)
        if first != name:
            yield Finding(
                code="selector",
                message=f"`{first}` and `{name}` are one tag: Azure does not tell them apart by casing",
                advice="keep one of them; a list of values means any of these",
                source=document.at(*path, "tags", name),
                also=(document.at(*path, "tags", first),),
            )
    for key in ("all", "any"):
        for index, part in enumerate(getattr(selector, key) or ()):
            yield from check_selector(part, (*path, key, index), document, declared)
    if selector.not_:
        yield from check_selector(selector.not_, (*path, "not"), document, declared)


def _check_scope(declared: Declared) -> Iterator[Finding]:
    """One subscription under two aliases would give every VM two addresses."""
    first: dict[str, str] = {}
    for alias, identity in declared.subscriptions.items():
        other = first.setdefault(identity.lower(), alias)
        if other != alias:
            yield Finding(
                code="scope",
                message=f"`{alias}` and `{other}` are the same subscription {identity}",
                advice="keep one alias",
                source=declared.scope.at("subscriptions", alias),
                also=(declared.scope.at("subscriptions", other),),
            )


def _check_id(text: str, path: Path, document: Document[Any], declared: Declared) -> Iterator[Finding]:
    arm_id = ArmId(text)
    if not _VM_ID.fullmatch(str(arm_id)):
        yield Finding(
            code="selector",
            message=f"`{text}` is not the id of a VM",
            advice="write /subscriptions/…/resourceGroups/…/providers/Microsoft.Compute/virtualMachines/…",
            source=document.at(*path),
        )
    elif declared.alias(arm_id.subscription) is None:
        yield Finding(
            code="reference",
            message=f"subscription {arm_id.subscription} of this VM is not in the Scope",
            advice="add it to `subscriptions` of the Scope, or remove the id",
            source=document.at(*path),
            also=(declared.scope.at("subscriptions"),),
        )


def _check_protection(
    document: Document[Protection], aspects: Mapping[str, Aspect], names: Names, used: set[tuple[str, str]]
) -> Iterator[Finding]:
    if not document.value.aspects and aspects:
        yield Finding(
            code="schema",
            message=f"protection `{document.name}` gives its VMs nothing",
            advice="add " + " or ".join(f"{name}: …" for name in aspects),
            source=document.source,
        )
    for name, value in document.value.aspects.items():
        yield from _check_names(document, value, (name,), aspects[name].references, names, used)


def _check_names(
    document: Document[Any],
    value: msgspec.Struct,
    at: Path,
    references: Mapping[str, str],
    names: Names,
    used: set[tuple[str, str]],
) -> Iterator[Finding]:
    """The names that the fields of `value`, which stands at a path, hold of other documents."""
    for field, kind in references.items():
        for path, target in _targets(value, field):
            used.add((kind, target))
            if names.lacks(kind, target):
                yield Finding(
                    code="reference",
                    message=f"there is no {kind} `{target}`",
                    advice=did_you_mean(target, names.written.get(kind, ())),
                    source=document.at(*at, *path),
                )


def _targets(value: msgspec.Struct, field: str) -> Iterator[tuple[Path, str]]:
    """The names that a field of an aspect holds, each with its path in YAML."""
    written = next((item.encode_name for item in msgspec.structs.fields(value) if item.name == field), field)
    content = getattr(value, field)
    if isinstance(content, str):
        yield (written,), content
    elif isinstance(content, tuple):
        yield from (((written, index), item) for index, item in enumerate(content) if isinstance(item, str))


def _check_exemption(document: Document[Exemption], aspects: Collection[str]) -> Iterator[Finding]:
    if len("".join(document.value.reason.split())) < _SHORTEST_REASON:
        yield Finding(
            code="schema",
            message="`reason` says nothing",
            advice="write why these VMs need no protection: it is shown in reports",
            source=document.at("reason"),
        )
    for index, name in enumerate(document.value.from_ or ()):
        if name not in aspects:
            yield Finding(
                code="reference",
                message=f"there is no aspect `{name}` to be excused from",
                advice=did_you_mean(name, aspects),
                source=document.at("from", index),
            )


def _unused(declared: Declared, aspects: Collection[Aspect], used: set[tuple[str, str]]) -> Iterator[Finding]:
    """Documents that do nothing because no Protection names them. Only of kinds that every Protection must name: a
    Vault is used without being named."""
    needed = {
        aspect.references[field.name]
        for aspect in aspects
        for field in msgspec.structs.fields(aspect.type)
        if field.required and field.name in aspect.references
    }
    for document in declared.documents:
        if document.kind in needed and (document.kind, document.name) not in used:
            yield Finding(
                code="unused",
                message=f"no Protection uses {document.kind} `{document.name}`",
                severity=Severity.INFO,
                advice="it is not created anywhere; remove it, or name it in a Protection",
                source=document.source,
            )
