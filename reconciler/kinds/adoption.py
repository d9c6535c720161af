"""What `adopt` asks of a kind: live resources, told in the policy language.

A kind answers with documents, with what single VMs have of an aspect, and with findings on what it leaves out. Nothing
is written that would not expand to what Azure has: what cannot be said exactly stays unmanaged.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

import msgspec

from reconciler.model.address import Address
from reconciler.model.arm_id import ArmId
from reconciler.model.document import Declared
from reconciler.model.live import Live
from reconciler.model.machine import Machine
from reconciler.model.observed import ItemFacts
from reconciler.model.replicated import ReplicationFacts
from reconciler.model.replication import ReplicationRoute
from reconciler.model.resource import Resource
from reconciler.plan.finding import Finding, Severity

NOT_ADOPTED = "not-adopted"
"""The code of what protects something and cannot be written: it stays unmanaged, and the exit code says so."""
LEFT = "left-out"
"""The code of what nobody misses in the policies: unused policies, empty vaults."""


@dataclass(frozen=True, slots=True)
class Written:
    """A document, or a part of one: parts of one kind and name are merged, and may not contradict each other.

    `value` is what stands below the header, as plain values in the spelling of the language; `origin` is a
    sentence for the comment above it.
    """

    kind: str
    name: str
    value: Mapping[str, Any]
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Chosen:
    """Stands in a value of `Written` for a selector of exactly these VMs; None of them says nobody."""

    machines: frozenset[ArmId]


@dataclass(frozen=True, slots=True)
class Held:
    """What one VM has of an aspect: the aspect's own struct, hashable. `along` is the document that it takes part in,
    for the kinds that are asked later."""

    machine: ArmId
    aspect: str
    value: msgspec.Struct
    origin: str = ""
    along: str = ""


@dataclass(frozen=True, slots=True)
class Leave:
    """The other resources can only be written if this one is not. Everything is asked again without it."""

    address: Address
    finding: Finding


Adopted = Written | Held | Leave | Finding


@dataclass(frozen=True)
class AdoptedEstate:
    """Everything that was read, and what was decided so far. `survey` is what it was read with: its Scope holds the
    subscriptions, its other documents say nothing. `left` are the addresses that cannot be written, `refused` the
    documents (kind and folded name) that broke a rule. Of the kinds that were asked before, `written` are the documents
    (kind and folded name), `along` what VMs take part in."""

    live: Live
    survey: Declared
    now: datetime
    left: frozenset[Address] = frozenset()
    refused: frozenset[tuple[str, str]] = frozenset()
    written: frozenset[tuple[str, str]] = field(default_factory=frozenset)
    along: Mapping[ArmId, str] = field(default_factory=dict)

    def resources(self, kind: str) -> Iterator[Resource]:
        """The live resources of a kind, in order of address, without those that are left out."""
        return (self.live.state[address] for address in self._by_kind.get(kind, ()) if address not in self.left)

    @cached_property
    def _by_kind(self) -> Mapping[str, list[Address]]:
        found: dict[str, list[Address]] = {}
        for address in self.live.state:
            found.setdefault(address.kind, []).append(address)
        return {kind: sorted(addresses, key=lambda one: one.key) for kind, addresses in found.items()}

    @cached_property
    def machines(self) -> Mapping[ArmId, Machine]:
        """The VMs that policies can speak of."""
        return {machine.arm_id: machine for machine in self.live.selectable}

    @cached_property
    def held_by_vault(self) -> Counter[ArmId]:
        """How many VMs each vault holds anything of: protected, stopped, soft-deleted, replicated."""
        found: Counter[ArmId] = Counter()
        for resource in self.live.state.values():
            facts = resource.observed
            if isinstance(facts, ItemFacts):
                found.update([facts.vault_id, *(other.vault_id for other in facts.others)])
            elif isinstance(facts, ReplicationFacts):
                found[facts.vault_id] += 1
        return found

    def has(self, kind: str, name: str) -> bool:
        """Whether a document of this kind and name is written."""
        return (kind, name.casefold()) in self.written

    def having(self, written: frozenset[tuple[str, str]], along: Mapping[ArmId, str]) -> AdoptedEstate:
        return dataclasses.replace(self, written=written, along=along)


def is_survey(route: ReplicationRoute) -> bool:
    """Whether a route stands for everything that its vault replicates: it leads nowhere, and no schema lets it pass."""
    return not route.from_


def not_adopted(address: Address | str, message: str, advice: str = "") -> Finding:
    """It protects something, and cannot be said exactly."""
    return Finding(
        code=NOT_ADOPTED,
        message=message,
        severity=Severity.WARNING,
        advice=advice,
        address=str(address),
        topic="unmanaged",
    )


def left_out(address: Address | str, message: str, advice: str = "") -> Finding:
    """Nobody misses it in the policies."""
    return Finding(
        code=LEFT, message=message, severity=Severity.INFO, advice=advice, address=str(address), topic="unmanaged"
    )
