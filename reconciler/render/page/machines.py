"""The VMs of a page: why each is protected as it is, what changes of it, and what was found."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from reconciler.model.address import Address
from reconciler.model.arm_id import ArmId
from reconciler.model.casing import fold
from reconciler.model.explanation import Explanation, Setting
from reconciler.model.machine import Machine
from reconciler.plan.change import Change, Effect
from reconciler.plan.finding import Finding
from reconciler.plan.plan import Plan

MOST_MACHINES = 2_000
"""VMs that are explained on one page: 3 KiB each. Of a larger estate only those of which there is something to tell."""
_ORDER = tuple(Effect)
_Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Vm:
    """One VM: `changes` are those of its own resources, with their places on the page."""

    anchor: str
    explanation: Explanation
    changes: tuple[tuple[str, Change], ...]
    findings: tuple[Finding, ...]

    own: tuple[Setting, ...]
    shared: tuple[tuple[str, str], ...]
    """Address and place on the page of the values that it shares with other VMs: policies and vaults."""

    @property
    def machine(self) -> Machine:
        return self.explanation.machine

    @property
    def label(self) -> str:
        return f"{self.machine.scope}/{self.machine.name}"

    @property
    def found_by(self) -> str:
        """What a search looks at: names, tags, who decides and the values; not the selectors that do not match."""
        item = self.explanation
        tags = (f"{name}={text}" for name, text in self.machine.tags.items())
        decided = (f"{decision.aspect} {decision.outcome} {decision.document or ''}" for decision in item.decisions)
        values = (f"{setting.path}: {setting.value}" for setting in self.own)
        policies = (address for address, _ in self.shared)
        told = (f"{finding.code} {finding.message}" for finding in self.findings)
        return " ".join(
            (self.label, str(self.machine.arm_id), *tags, *decided, *values, *policies, *told, *item.remarks)
        )


@dataclass(frozen=True, slots=True)
class Terms:
    """What a policy or a vault says, once for all VMs that have it."""

    anchor: str
    address: str
    settings: tuple[Setting, ...]


class Estate:
    """Which VM a change or a finding speaks of."""

    def __init__(self, plan: Plan, explanations: Sequence[Explanation]) -> None:
        everything = (*plan.changes, *plan.deferred)
        self.anchors: Mapping[int, str] = {id(change): f"c-{number}" for number, change in enumerate(everything, 1)}
        """Place on the page of each change, by its identity: an address may be changed now and put off as well."""
        self._directory = Directory([item.machine for item in explanations])
        changes: dict[ArmId, list[tuple[str, Change]]] = defaultdict(list)
        for change in everything:
            machine = self._directory.of_change(change)
            if machine:
                changes[machine.arm_id].append((self.anchors[id(change)], change))
        findings: dict[ArmId, list[Finding]] = defaultdict(list)
        for finding in plan.findings:
            machine = self._directory.of_address(finding.address)
            if machine:
                findings[machine.arm_id].append(finding)
        self.terms: dict[str, Terms] = {}
        """Address → the values that many VMs share."""
        self.vms: tuple[Vm, ...] = tuple(
            self._vm(f"vm-{number}", item, tuple(changes[item.machine.arm_id]), tuple(findings[item.machine.arm_id]))
            for number, item in enumerate(explanations, 1)
        )
        self._by_id = {vm.machine.arm_id: vm for vm in self.vms}

    def _vm(
        self, anchor: str, item: Explanation, changes: tuple[tuple[str, Change], ...], findings: tuple[Finding, ...]
    ) -> Vm:
        own: list[Setting] = []
        shared: dict[str, list[Setting]] = defaultdict(list)
        for setting in item.settings:
            if self._directory.of_address(setting.address) == item.machine:
                own.append(setting)
            else:
                shared[setting.address].append(setting)
        for address, settings in shared.items():
            if address not in self.terms:
                self.terms[address] = Terms(f"r-{len(self.terms) + 1}", address, tuple(settings))
        places = tuple((address, self.terms[address].anchor) for address in shared)
        return Vm(anchor, item, changes, findings, tuple(own), places)

    def place_of(self, change: Change) -> str:
        """The place on the page of a group, by its first change."""
        return f"g{self.anchors[id(change)]}"

    def vm_of(self, change: Change) -> Vm | None:
        """The VM whose resource it is, where the page has it."""
        machine = self._directory.of_change(change)
        return self._by_id.get(machine.arm_id) if machine else None

    def machine_of(self, change: Change) -> Machine | None:
        return self._directory.of_change(change)


class Directory:
    """VMs by the addresses of their own resources, and by their disks."""

    def __init__(self, machines: Sequence[Machine]) -> None:
        self._named: dict[_Key, Machine] = {(fold(item.scope), fold(item.name)): item for item in machines}
        self._parts: dict[ArmId, Machine] = {
            ArmId(part): item for item in machines for part in (str(item.arm_id), *(disk.disk for disk in item.disks))
        }

    def of_address(self, address: str) -> Machine | None:
        try:
            return self._named.get(Address.parse(address).key[1:])
        except ValueError:
            return None

    def of_change(self, change: Change) -> Machine | None:
        """By its name, or because it is written in the lane of the VM or of one of its disks, as snapshots are."""
        found = self.of_address(change.address)
        lanes = dict.fromkeys(step.lane for step in change.steps if step.lane)
        return found or next((self._parts[ArmId(lane)] for lane in lanes if ArmId(lane) in self._parts), None)


def worth_explaining(plan: Plan, machines: Sequence[Machine]) -> tuple[Machine, ...]:
    """All VMs of an estate that fits on a page; of a larger one those with changes or findings, the alarming first."""
    if len(machines) <= MOST_MACHINES:
        return tuple(machines)
    weights: dict[ArmId, int] = {}
    for machine, weight in _weighed(plan, Directory(machines)):
        weights[machine.arm_id] = max(weight, weights.get(machine.arm_id, weight))
    told = (machine for machine in machines if machine.arm_id in weights)
    return tuple(sorted(told, key=lambda machine: -weights[machine.arm_id])[:MOST_MACHINES])


def _weighed(plan: Plan, directory: Directory) -> Iterator[tuple[Machine, int]]:
    """Who is spoken of, and how alarming that is."""
    for change in (*plan.changes, *plan.deferred):
        machine = directory.of_change(change)
        if machine:
            yield machine, _ORDER.index(change.effect)
    for finding in plan.findings:
        machine = directory.of_address(finding.address)
        if machine:
            yield machine, 0
