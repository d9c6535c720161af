"""Which VMs a recovery plan is for: those that its selectors match, as far as they are replicated by its route."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from reconciler.kinds.base import Assignment, Expansion
from reconciler.kinds.phrases import some_names
from reconciler.kinds.recovery_plan.rules import members_path
from reconciler.kinds.replication.route import LocatedRoute, routes_between
from reconciler.model.address import Address
from reconciler.model.arm_id import ArmId
from reconciler.model.casing import fold
from reconciler.model.document import Document
from reconciler.model.location import normalise_location
from reconciler.model.machine import Machine
from reconciler.model.recovery_plan import DOCUMENT, RecoveryGroup, RecoveryPlan, RecoveryPlanFacts
from reconciler.model.replicated import ReplicationFacts
from reconciler.model.replication import Replication
from reconciler.plan.finding import Finding

REPLICATED = "replicated_vm"
MOST_MACHINES = 100
Groups = tuple[tuple[Machine, ...], ...]


def replicated_address(machine: Machine) -> Address:
    """The replication of one VM."""
    return Address(REPLICATED, machine.scope, machine.name)


@dataclass
class Muster:
    """Goes through the groups of one plan. `groups` holds the VMs of each, `findings` what is wrong."""

    expansion: Expansion
    document: Document[RecoveryPlan]
    route: LocatedRoute
    findings: list[Finding] = field(default_factory=list)

    def selected(self) -> Groups:
        """What the selectors match, without the copies that failovers and drills made of VMs: those are no members."""
        copies = frozenset(_copies(self.expansion))
        return tuple(
            tuple(one for one in self._matched(index) if one.arm_id not in copies)
            for index in range(len(self.document.value.groups))
        )

    def groups(self) -> Groups:
        """The VMs that each group gets: replicated by the plan's route, and in no group before it."""
        assigned = {item.machine.arm_id: item for item in self.expansion.assignments}
        taken: dict[ArmId, int] = {}
        result: list[tuple[Machine, ...]] = []
        for index, machines in enumerate(self.selected()):
            strange = [one for one in machines if not self._is_routed(assigned.get(one.arm_id))]
            twice = [one for one in machines if one.arm_id in taken]
            self._tell_strange(index, strange)
            self._tell_twice(index, twice, taken)
            fitting = tuple(one for one in machines if one not in strange and one not in twice)
            taken.update((one.arm_id, index) for one in fitting)
            result.append(fitting)
            if not machines and not self.document.value.groups[index].allow_empty:
                self._tell_empty(index)
        self._tell_size(len(taken))
        return tuple(result)

    def _matched(self, index: int) -> tuple[Machine, ...]:
        return self.expansion.selected.get((DOCUMENT, self.document.name, members_path(index)), ())

    def _is_routed(self, item: Assignment | None) -> bool:
        """Whether a VM takes the plan's route: because its Protection names it, or because it leads where it says."""
        if item is None:
            return False
        aspect: Replication = item.value
        if aspect.route is not None:
            return fold(aspect.route) == fold(self.route.name)
        target = normalise_location(aspect.target_region or "")
        between = routes_between(self.expansion.declared, item.machine.location, target)
        return [route.name for route in between] == [self.route.name]

    def _tell_strange(self, index: int, machines: list[Machine]) -> None:
        if machines:
            self._tell(
                "ASR-61",
                index,
                f"{some_names([one.name for one in machines])}: not replicated by route {self.route.name}",
                f"give them replication: {{route: {self.route.name}}} in a Protection, or narrow the selector",
            )

    def _tell_twice(self, index: int, machines: list[Machine], taken: dict[ArmId, int]) -> None:
        if machines:
            others = sorted({taken[one.arm_id] for one in machines})
            names = " and ".join(self._group(other).name for other in others)
            self._tell(
                "ASR-61",
                index,
                f"{some_names([one.name for one in machines])} would be in two groups: group {names} has them already",
                "narrow one of the selectors: a VM is in one group of a plan",
            )

    def _tell_empty(self, index: int) -> None:
        self._tell(
            "no-match",
            index,
            f"matches none of {len(self.expansion.live.machines)} VMs",
            "correct the selector, or write allowEmpty: true where the group holds actions only",
        )

    def _tell_size(self, number: int) -> None:
        if number > MOST_MACHINES:
            self.findings.append(
                Finding(
                    code="ASR-60",
                    message=f"RecoveryPlan {self.document.name} would have {number} VMs; Azure takes {MOST_MACHINES}",
                    advice="divide it into plans that fail over one after the other",
                    source=self.document.at("groups"),
                    rule_source="rpc",
                )
            )

    def _tell(self, code: str, index: int, message: str, advice: str) -> None:
        subject = f"RecoveryPlan {self.document.name}, group {self._group(index).name}"
        self.findings.append(
            Finding(
                code=code,
                message=f"{subject}: {message}",
                advice=advice,
                source=self.document.at(*members_path(index)),
                rule_source="rpc, tf-plan" if code.startswith("ASR") else "",
            )
        )

    def _group(self, index: int) -> RecoveryGroup:
        return self.document.value.groups[index]


def frozen_machines(expansion: Expansion, groups: Groups, facts: RecoveryPlanFacts | None) -> list[str]:
    """The names of members, wanted or live, that are failed over, in a drill, or on their way back.

    A reprotect moves an item into the other container under its old name, and whether a plan's ids move along is not
    documented: members are told by vault and name.
    """
    wanted = {replicated_address(machine) for group in groups for machine in group}
    held = frozenset(fold(item.name) for item in facts.items) if facts else frozenset()
    return sorted(
        address.name
        for address, resource in expansion.live.state.items()
        if isinstance(seen := resource.observed, ReplicationFacts)
        and seen.frozen
        and (address in wanted or (facts and seen.vault_id == facts.vault_id and fold(seen.item_id.name) in held))
    )


def vanished_machines(expansion: Expansion, facts: RecoveryPlanFacts | None) -> list[str]:
    """The names of live members whose VM is gone while Site Recovery still holds its replication: the plan is how it is
    brought up."""
    held = frozenset(facts.items) if facts else frozenset()
    return sorted(
        address.name
        for address, resource in expansion.live.state.items()
        if isinstance(seen := resource.observed, ReplicationFacts)
        and seen.item_id in held
        and seen.machine_id not in expansion.live.machines_by_id
    )


def _copies(expansion: Expansion) -> Iterator[ArmId]:
    for resource in expansion.live.state.values():
        if isinstance(resource.observed, ReplicationFacts):
            yield from resource.observed.copies
