"""Assignments → desired replicated VMs. What is failed over, in a drill or on its way back is desired as it is."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from reconciler.kinds.base import Assignment, Expansion
from reconciler.kinds.remarks import Remark, Remarks
from reconciler.kinds.replicated_vm.frozen import frozen_findings, stand_ins
from reconciler.kinds.replicated_vm.interface_rules import InterfaceCheck
from reconciler.kinds.replicated_vm.machine_rules import Candidate, remarks_on, remarks_on_groups
from reconciler.kinds.replicated_vm.orphans import orphan_findings
from reconciler.kinds.replicated_vm.routing import Routing
from reconciler.kinds.replicated_vm.spec import NAME, ReplicatedVmSpec, TargetDisk
from reconciler.kinds.replicated_vm.wish import Destination, Overrides, Wish, excluded_luns, target_type
from reconciler.kinds.replication.route import LocatedRoute
from reconciler.model.address import Address
from reconciler.model.arm_id import ArmId
from reconciler.model.disk import Disk
from reconciler.model.machine import Machine
from reconciler.model.replicated import ReplicationFacts
from reconciler.model.replication import Replication
from reconciler.model.resource import Ref, Resource
from reconciler.plan.finding import Finding, Severity


def expand_replications(expansion: Expansion) -> Iterator[Resource | Finding]:
    """One desired resource for each VM that can be replicated, then everything the reader must know."""
    survey = Survey(expansion, Routing.of(expansion.declared), stand_ins(expansion.live))
    mappings = frozenset(route.mapping for route in survey.routing.routes)
    wishes: list[Wish] = []
    frozen: dict[Address, Resource] = {}
    for item in sorted(expansion.assignments, key=lambda one: one.machine.arm_id):
        survey.meet(item)
        held = survey.held(item.machine)
        if held is not None and held.observed.frozen:
            if any(ref.address in mappings for _, ref in held.spec.refs()):
                frozen.setdefault(held.address, _as_it_is(held, item))
            continue
        if item.machine.arm_id in survey.replacements:
            survey.leave(item)
            continue
        wish = survey.wish(item)
        if wish is not None:
            wishes.append(wish)
    refused = {wish.machine.arm_id for remark, wish in survey.remark_groups(wishes)}
    for wish in wishes:
        if wish.machine.arm_id not in refused:
            yield survey.resource(wish)
    yield from frozen.values()
    yield from survey.findings()
    yield from frozen_findings(expansion)
    yield from orphan_findings(expansion)


@dataclass(slots=True)
class Survey:
    """What is there, what is wanted of it, and what is to be said of that."""

    expansion: Expansion
    routing: Routing
    replacements: Mapping[ArmId, Resource]
    """VM that a failover or a drill made → the replicated VM it stands for."""
    remarks: Remarks = field(default_factory=Remarks)
    overrides: dict[str, Overrides] = field(default_factory=dict)
    met: dict[str, tuple[Assignment, set[int | None]]] = field(default_factory=dict)
    """Protection → one of its assignments, and which of its overrides speak of a VM that it has."""

    def meet(self, item: Assignment) -> int | None:
        """Which override of its Protection speaks of a VM."""
        name = item.protection.name
        if name not in self.overrides:
            self.overrides[name] = Overrides.of(item.value)
        place = self.overrides[name].place(item.machine)
        self.met.setdefault(name, (item, set()))[1].add(place)
        return place

    def held(self, machine: Machine) -> Resource | None:
        """The live replication of a VM, or of the one that it stands for."""
        live = self.expansion.live.state
        return self.replacements.get(machine.arm_id) or live.get(Address(NAME, machine.scope, machine.name))

    def wish(self, item: Assignment) -> Wish | None:
        """What one VM is to get; None where it cannot have it, which is remarked."""
        route = self.routing.choose(item)
        if isinstance(route, Remark):
            self.remarks.add(route, item.machine.name)
            return None
        found = self._wish(item, route)
        candidate = self._candidate(found)
        broken = list(remarks_on(candidate))
        for remark in broken:
            self.remarks.add(remark, item.machine.name)
        return None if any(remark.severity is Severity.ERROR for remark in broken) else found

    def leave(self, item: Assignment) -> None:
        """A VM that a failback left behind, or that stands where the next failover goes, is none of its own."""
        self.remarks.add(
            Remark(
                code="left-behind",
                subject=f"Protection {item.protection.name}",
                message="stands where failovers of a replicated VM go, so it is not replicated itself",
                advice="delete what a failback left behind once nobody needs it: the next failover makes it anew",
                severity=Severity.INFO,
                source=item.source,
            ),
            item.machine.name,
        )

    def remark_groups(self, wishes: list[Wish]) -> list[tuple[Remark, Wish]]:
        """The VMs whose multi-VM group cannot be."""
        found = list(remarks_on_groups(wishes))
        for remark, wish in found:
            self.remarks.add(remark, wish.machine.name)
        return found

    def resource(self, wish: Wish) -> Resource:
        """The desired resource: what the policies say, laid over what is there where they say nothing."""
        address = Address(NAME, wish.machine.scope, wish.machine.name)
        document, override = wish.assignment.protection, _place(wish)
        route = wish.route.document
        live = self.expansion.live.state.get(address)
        spec = self._spec(wish, live)
        self._check_interfaces(wish, spec, live)
        return Resource(
            address=address,
            spec=spec,
            location=wish.machine.location,
            observed=wish,
            source=wish.assignment.source,
            origins={
                "mapping": document.at("replication", "route" if wish.assignment.value.route else "targetRegion"),
                "target_resource_group": route.at("targetResourceGroup"),
                "zone": route.at("availability", "zone"),
                "availability_set": route.at("availability", "availabilitySet"),
                "cache_storage_account": route.at("cacheStorageAccount"),
                "disk_encryption_set": route.at("diskEncryptionSet"),
                "multi_vm_group": document.at(*override, "multiVmGroup"),
                "disks": document.at(*override, "excludeDisks"),
                "target_size": document.at(*override, "targetSize"),
                "network": route.at("networks"),
                "test_network": route.at("testNetwork"),
                "nics": document.at(*override, "nics"),
            },
        )

    def findings(self) -> Iterator[Finding]:
        yield from self.remarks.findings()
        yield from self._unknown_overrides()

    def _check_interfaces(self, wish: Wish, spec: ReplicatedVmSpec, live: Resource | None) -> None:
        facts = live.observed if live is not None else None
        sources = facts.interfaces if isinstance(facts, ReplicationFacts) else ()
        for remark in InterfaceCheck(wish, spec, sources, self.expansion.live.site).remarks():
            self.remarks.add(remark, wish.machine.name)

    def _spec(self, wish: Wish, live: Resource | None) -> ReplicatedVmSpec:
        route, destination = wish.route, wish.destination
        facts = live.observed if live is not None else None
        held: ReplicatedVmSpec | None = live.spec if live is not None else None  # type: ignore[assignment]
        interfaces = facts.interfaces if isinstance(facts, ReplicationFacts) else ()
        present = held.nics if held else ()
        types = {ArmId(disk.disk): disk.type for disk in held.disks} if held else {}
        return ReplicatedVmSpec(
            mapping=Ref.of(route.mapping),
            networks=tuple(Ref.of(one) for one in route.network_mappings),
            target_resource_group=wish.target_resource_group,
            zone=route.value.availability.zone or "",
            availability_set=route.value.availability.availability_set or "",
            multi_vm_group=wish.multi_vm_group,
            cache_storage_account=route.value.cache_storage_account,
            disk_encryption_set=route.value.disk_encryption_set or "",
            disks=tuple(
                TargetDisk(disk=one.disk, type=one.type or types.get(ArmId(one.disk), "")) for one in wish.disks
            ),
            target_size=destination.size_over(held.target_size if held else ""),
            network=destination.network(interfaces) or (held.network if held else ""),
            test_network=destination.test_network or (held.test_network if held else ""),
            nics=destination.interfaces(interfaces, present),
        )

    def _wish(self, item: Assignment, route: LocatedRoute) -> Wish:
        aspect: Replication = item.value
        machine = item.machine
        place = self.meet(item)
        override = aspect.overrides[place] if place is not None else None
        left = excluded_luns(aspect, override)
        attached = [one for one in machine.disks if one.lun is None or one.lun not in left]
        disks = self.expansion.live.disks_by_id
        seen = [(one, disks.get(ArmId(one.disk))) for one in attached]
        return Wish(
            assignment=item,
            route=route,
            destination=Destination(
                size=(override and override.target_size) or aspect.target_size or "",
                networks=route.value.networks,
                test_network=route.value.test_network or "",
                nics=override.nics if override else (),
            ),
            target_resource_group=self._group(machine, route),
            multi_vm_group=(override and override.multi_vm_group) or aspect.multi_vm_group or "",
            disks=tuple(TargetDisk(disk=one.disk, type=target_type(disk, route)) for one, disk in seen),
            sizes=tuple((ArmId(one.disk).key, disk.size_gib if disk else 0) for one, disk in seen),
            os_disk=next((one.disk for one, _ in seen if one.lun is None), ""),
            override=place,
            left_out=left,
        )

    def _group(self, machine: Machine, route: LocatedRoute) -> str:
        alias = route.value.target_subscription or machine.subscription
        subscription = self.expansion.declared.subscriptions.get(alias, machine.arm_id.subscription)
        name = route.value.target_resource_group.replace("{resourceGroup}", machine.resource_group)
        return f"/subscriptions/{subscription}/resourceGroups/{name}"

    def _candidate(self, wish: Wish) -> Candidate:
        disks = self.expansion.live.disks_by_id
        found = [(one.disk, disks.get(ArmId(one.disk))) for one in wish.disks]
        data: tuple[Disk, ...] = tuple(disk for name, disk in found if disk is not None and name != wish.os_disk)
        return Candidate(wish, next((disk for name, disk in found if name == wish.os_disk), None), data)

    def _unknown_overrides(self) -> Iterator[Finding]:
        """Overrides for VMs that their Protection does not give its replication: a typing mistake, most likely."""
        for name, (item, met) in sorted(self.met.items()):
            for index, one in enumerate(item.value.overrides):
                if index not in met:
                    yield Finding(
                        code="replication",
                        severity=Severity.WARNING,
                        message=f"Protection {name} replication.overrides.{index}: it replicates no VM {one.vm}",
                        advice="correct the name, or remove the override; other VMs are not affected",
                        source=item.protection.at("replication", "overrides", index, "vm"),
                    )


def _as_it_is(held: Resource, item: Assignment) -> Resource:
    """What is there, wanted by the Protection that would say otherwise."""
    return dataclasses.replace(
        held, source=item.source, origins=dict.fromkeys(held.spec.__struct_fields__, item.source)
    )


def _place(wish: Wish) -> tuple[str | int, ...]:
    """Where the Protection speaks of this VM: its override, or the aspect itself."""
    return ("replication",) if wish.override is None else ("replication", "overrides", wish.override)
