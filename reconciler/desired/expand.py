"""What is declared, on the VMs that there are → the desired State."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from reconciler.desired.roster import Roster
from reconciler.desired.select import Selection, select
from reconciler.kinds.base import Assignment, Expansion, Kind
from reconciler.model.address import Address
from reconciler.model.document import Declared, Document, Path
from reconciler.model.live import Live
from reconciler.model.machine import Machine
from reconciler.model.resource import Resource, State
from reconciler.plan.finding import Finding


@dataclass(frozen=True, slots=True)
class Desired:
    """The desired State, who asked for what, the VMs that nobody covers, and what is wrong."""

    state: State
    assignments: tuple[Assignment, ...]
    uncovered: tuple[Machine, ...]
    findings: tuple[Finding, ...]


def expand(declared: Declared, live: Live, kinds: Sequence[Kind[Any]], now: datetime) -> Desired:
    """Resolve the selectors, then let each kind turn its share into resources: dependants first, so that every kind
    knows which of its resources are wanted. Pure. `now` is aware UTC."""
    aspects = [kind.aspect.name for kind in kinds if kind.aspect]
    selection = select(declared, live, aspects, now)
    growth = _Growth()
    roster = Roster(live.selectable)
    for kind in kinds:
        selected = dict(_selected(kind, declared, roster))
        growth.add(kind, Expansion(declared, _share(kind, selection), live, growth.wanted, now, selected))
    findings = (*selection.findings, *growth.findings, *_dangling(growth))
    return Desired(growth.state, selection.assignments, selection.uncovered, findings)


def _share(kind: Kind[Any], selection: Selection) -> tuple[Assignment, ...]:
    name = kind.aspect.name if kind.aspect else kind.serves
    return tuple(assignment for assignment in selection.assignments if assignment.aspect == name)


def _selected(
    kind: Kind[Any], declared: Declared, roster: Roster
) -> Iterator[tuple[tuple[str, str, Path], tuple[Machine, ...]]]:
    """The VMs that the selectors of the kind's own documents match."""
    for shape in kind.documents:
        documents: Iterable[Document[Any]] = declared.of(shape.name).values()
        for document in documents:
            for path, selector in shape.selectors(document.value):
                machines = (roster.machines[position] for position in sorted(roster.select(selector)))
                yield (shape.name, document.name, path), tuple(machines)


class _Growth:
    """The State while it grows, and what its resources refer to."""

    def __init__(self) -> None:
        self.state: dict[Address, Resource] = {}
        self.findings: list[Finding] = []
        self.referrers: dict[Address, tuple[Resource, str]] = {}
        """Address → the first resource that refers to it, and by which field."""

    @property
    def wanted(self) -> frozenset[Address]:
        return frozenset(self.referrers.keys() - self.state.keys())

    def add(self, kind: Kind[Any], expansion: Expansion) -> None:
        spellings: dict[str, Address] = {}
        for item in kind.expand(expansion):
            if isinstance(item, Finding):
                self.findings.append(item)
                continue
            first = self.state.setdefault(item.address, item)
            if first is not item:
                self.findings.append(_collision(first, item))
                continue
            for field, reference in item.spec.refs():
                target = spellings.get(reference.to)
                if target is None:
                    target = spellings[reference.to] = reference.address
                self.referrers.setdefault(target, (item, field))


def _collision(first: Resource, second: Resource) -> Finding:
    return Finding(
        code="collision",
        message=f"two declarations ask for {first.address}",
        advice=f"remove one; the first is at {first.source}" if first.source else "remove one",
        source=second.source,
        also=(first.source,) if first.source else (),
        address=str(first.address),
    )


def _dangling(growth: _Growth) -> Iterator[Finding]:
    """References to resources that no kind has made."""
    referrers: Mapping[Address, tuple[Resource, str]] = growth.referrers
    for address in sorted(growth.wanted):
        resource, field = referrers[address]
        yield Finding(
            code="dangling",
            message=f"{resource.address} refers to {address}, which nothing declares",
            advice="declare it, or refer to another",
            source=resource.origins.get(field, resource.source),
            address=str(resource.address),
        )
