"""Kinds and what was read → documents: asked dependencies first, again where one had to be left out."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from reconciler.adopt.census import Census, sayable
from reconciler.adopt.protections import Drafted, draft_protections
from reconciler.adopt.selectors import Selectors
from reconciler.kinds.adoption import AdoptedEstate, Chosen, Held, Leave, Written, not_adopted
from reconciler.kinds.base import Kind
from reconciler.model.address import Address
from reconciler.model.arm_id import ArmId
from reconciler.plan.finding import Finding


@dataclass(slots=True)
class Sheet:
    """One document, and where its parts were found."""

    kind: str
    name: str
    value: dict[str, Any]
    origins: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Draft:
    """What is to be written, and what is left out. `left` are the addresses that it had to do without."""

    sheets: tuple[Sheet, ...]
    protections: tuple[Drafted, ...]
    findings: tuple[Finding, ...]
    left: frozenset[Address]


def draft(estate: AdoptedEstate, kinds: Sequence[Kind[Any]]) -> Draft:
    """Everything that the kinds can say. Ends: each round leaves out at least one address more."""
    told: list[Finding] = []
    while True:
        answers = _Answers(estate)
        for kind in reversed(kinds):
            answers.ask(kind)
        left = {leave.address for leave in answers.leaves} - estate.left
        if not left:
            break
        told.extend(leave.finding for leave in answers.leaves if leave.address in left)
        estate = dataclasses.replace(estate, left=estate.left | left)
    census = Census(estate.live.selectable)
    selectors = Selectors(census)
    drafted = draft_protections(list(answers.held.values()), census, selectors)
    protections = [one for one in drafted if ("Protection", one.name.casefold()) not in estate.refused]
    for sheet in answers.sheets.values():
        sheet.value = _resolved(sheet.value, census, selectors)
    findings = tuple(dict.fromkeys((*told, *answers.findings)))
    return Draft(tuple(answers.sheets.values()), tuple(protections), findings, estate.left)


class _Answers:
    """What the kinds have said so far."""

    def __init__(self, estate: AdoptedEstate) -> None:
        self.estate = estate
        self.sheets: dict[tuple[str, str], Sheet] = {}
        self.held: dict[tuple[ArmId, str], Held] = {}
        self.along: dict[ArmId, str] = {}
        self.leaves: list[Leave] = []
        self.findings: list[Finding] = []

    def ask(self, kind: Kind[Any]) -> None:
        for item in kind.adopt(self.estate.having(frozenset(self.sheets), self.along)):
            if isinstance(item, Finding):
                self.findings.append(item)
            elif isinstance(item, Leave):
                self.leaves.append(item)
            elif isinstance(item, Written):
                self._write(item)
            else:
                self._hold(item)

    def _write(self, item: Written) -> None:
        if (item.kind, item.name.casefold()) in self.estate.refused:
            return
        strange = next((text for text in (item.name, *_texts(item.value)) if not text.isprintable()), None)
        if strange is not None:
            what = f"{item.kind} {item.name!r} holds characters that nobody can see ({strange!r}); it is not written"
            self.findings.append(not_adopted("", what, "rename it in Azure"))
            return
        sheet = self.sheets.setdefault((item.kind, item.name.casefold()), Sheet(item.kind, item.name, {}))
        for key, value in item.value.items():
            known = sheet.value.setdefault(key, value)
            assert known == value, f"{item.kind} {item.name}: {key} is {known!r} and {value!r}"
        if item.origin:
            sheet.origins.append(item.origin)

    def _hold(self, item: Held) -> None:
        machine = self.estate.machines[item.machine]
        if sayable(machine.name) and sayable(machine.resource_group):
            self.held.setdefault((item.machine, item.aspect), item)
            if item.along:
                self.along[item.machine] = item.along
            return
        address = Address("virtual_machine", machine.scope, machine.name)
        what = "its name cannot stand in a selector (unseen characters or wildcards); its protection is not written"
        self.findings.append(not_adopted(address, what))


def _resolved(value: Any, census: Census, selectors: Selectors) -> Any:
    """The value with a selector for each set of VMs in it."""
    if isinstance(value, Chosen):
        everyone = selectors.name(census.everyone).selector
        mask = census.mask(value.machines)
        return dict(selectors.name(mask).selector) if mask else {"not": dict(everyone)}
    if isinstance(value, dict):
        return {key: _resolved(part, census, selectors) for key, part in value.items()}
    return [_resolved(part, census, selectors) for part in value] if isinstance(value, list) else value


def _texts(value: Any) -> list[str]:
    """Every text in a value, keys too."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        return [text for pair in value.items() for part in pair for text in _texts(part)]
    return [text for part in value for text in _texts(part)] if isinstance(value, list | tuple) else []
