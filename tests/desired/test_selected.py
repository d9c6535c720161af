"""Selectors inside the documents of a kind: checked like those of a Protection, and resolved for the kind."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from reconciler.desired.expand import expand
from reconciler.desired.validate import validate
from reconciler.kinds.base import DocumentKind, Expansion, Rule
from reconciler.model.address import Address
from reconciler.model.document import Path as YamlPath
from reconciler.model.live import Live
from reconciler.model.resource import Resource, Spec
from reconciler.model.selector import Selector
from reconciler.plan.finding import Finding
from tests.desired.conftest import LockKind, _Inert
from tests.desired.test_expand import NOW, declare, machine


class Shift(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    who: Selector


class Rota(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    shifts: tuple[Shift, ...]
    lock: str | None = None


class RotaSpec(Spec, frozen=True, kw_only=True):
    shifts: tuple[tuple[str, ...], ...]


def selectors_of(rota: Rota) -> Iterable[tuple[YamlPath, Selector]]:
    return [(("shifts", index, "who"), shift.who) for index, shift in enumerate(rota.shifts)]


class RotaKind(_Inert):
    name = "rota"
    title = "rota"
    spec = RotaSpec
    rules: ClassVar = {"shifts": Rule.UPDATE}
    documents = (DocumentKind("Rota", Rota, lambda *_: (), "Who watches when.", selectors_of, {"lock": "Lock"}),)

    def expand(self, expansion: Expansion) -> Iterator[Resource | Finding]:
        for name, document in expansion.declared.of("Rota", Rota).items():
            chosen = [expansion.selected["Rota", name, path] for path, _ in selectors_of(document.value)]
            names = tuple(tuple(one.name for one in group) for group in chosen)
            yield Resource(Address("rota", "shop", name), RotaSpec(shifts=names))


KINDS: tuple[Any, ...] = (RotaKind(),)


def test_a_kind_is_handed_the_vms_of_the_selectors_in_its_documents(policies: Path, today: dt.date) -> None:
    rota = {"kind": "Rota", "name": "night", "shifts": [{"who": {"tags": {"tier": "web"}}}, {"who": {"names": ["z"]}}]}
    declared = declare(policies, [rota], (*KINDS, LockKind()), today)
    machines = (machine("prod/rg/b", {"tier": "web"}), machine("prod/rg/a", {"tier": "web"}), machine("prod/rg/c"))
    (resource,) = expand(declared, Live({}, machines), KINDS, NOW).state.values()
    assert resource.spec == RotaSpec(shifts=(("b", "a"), ()))


def test_they_are_checked_like_those_of_a_protection(policies: Path, today: dt.date) -> None:
    (policies / "rota.yaml").write_text(
        "apiVersion: reconciler/v1\nkind: Scope\nname: s\n"
        "subscriptions: {prod: 00000000-0000-0000-0000-00000000000a}\n---\n"
        "apiVersion: reconciler/v1\nkind: Rota\nname: night\nshifts:\n"
        "  - who: {}\n  - who: {subscriptions: [moon]}\n  - who: {ids: [nonsense]}\nlock: lost\n",
        encoding="utf-8",
    )
    findings = validate([policies], today, KINDS).findings
    assert [(item.code, item.source.line if item.source else 0) for item in findings] == [
        ("selector", 10),
        ("reference", 11),
        ("selector", 12),
        ("reference", 13),
    ]
