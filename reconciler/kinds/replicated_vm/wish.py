"""What the policies say of one VM's replication, its route and its overrides resolved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from reconciler.kinds.replicated_vm.spec import TargetDisk, TargetInterface
from reconciler.model.arm_id import ArmId
from reconciler.model.casing import fold
from reconciler.model.replicated import SourceInterface
from reconciler.model.replication import Nic, Replication, ReplicationOverride, RouteNetwork

if TYPE_CHECKING:
    from reconciler.kinds.base import Assignment
    from reconciler.kinds.replication.route import LocatedRoute
    from reconciler.model.disk import Disk
    from reconciler.model.machine import Machine


class Destination(msgspec.Struct, frozen=True, kw_only=True):
    """What can be said of size, networks and interfaces only once Azure has looked at the VM; "" and () say nothing,
    and what nothing is said of stays as it is."""

    size: str = ""
    networks: tuple[RouteNetwork, ...] = ()
    test_network: str = ""
    nics: tuple[Nic, ...] = ()

    @property
    def silent(self) -> bool:
        """Whether all of it is left to Azure."""
        return self == Destination()

    def size_over(self, present: str) -> str:
        """The size to fail over to, laid over the present one: Azure's spelling where it is the same."""
        return self.size if self.size and fold(self.size) != fold(present) else present

    def network(self, interfaces: Iterable[SourceInterface]) -> str:
        """The network to fail over to: that of the first interface. Without one, the only one there is, or ""."""
        for interface in interfaces:
            return next((one.to for one in self.networks if ArmId(one.from_) == interface.network), "")
        targets = {ArmId(one.to): one.to for one in self.networks}
        return next(iter(targets.values())) if len(targets) == 1 else ""

    def interfaces(
        self, sources: Iterable[SourceInterface], present: Iterable[TargetInterface]
    ) -> tuple[TargetInterface, ...]:
        """Where each interface is to go, laid over where it goes now."""
        there = {fold(one.name): one for one in present}
        return tuple(self._interface(one, there.get(fold(one.name))) for one in sources)

    def _interface(self, source: SourceInterface, present: TargetInterface | None) -> TargetInterface:
        held = present or TargetInterface(name=source.name)
        said = next((one for one in self.nics if fold(one.name) == fold(source.name)), None)
        route = next((one for one in self.networks if ArmId(one.from_) == source.network), None)
        subnet = held.subnet
        if route is not None:
            subnets = {fold(here): there for here, there in (route.subnets or {}).items()}
            subnet = subnets.get(fold(source.subnet), source.subnet)
        return TargetInterface(
            name=held.name,
            subnet=(said and said.subnet) or subnet,
            address=(said and said.address) or held.address,
            test_subnet=(said and said.test_subnet) or held.test_subnet,
            test_address=(said and said.test_address) or held.test_address,
        )


@dataclass(frozen=True, slots=True)
class Wish:
    """One VM is to be replicated by one route. `observed` of a desired `replicated_vm` resource.

    `disks` are those to replicate, `gib` their size; `os_disk` is the ARM id of the OS disk, "" where it has none that
    is managed.
    """

    assignment: Assignment
    route: LocatedRoute
    destination: Destination
    target_resource_group: str
    multi_vm_group: str
    disks: tuple[TargetDisk, ...]
    sizes: tuple[tuple[str, int], ...] = ()
    os_disk: str = ""
    override: int | None = None
    """Which override of the Protection speaks of this VM."""
    left_out: frozenset[int] = frozenset()
    """LUNs of data disks that are not replicated."""

    @property
    def machine(self) -> Machine:
        return self.assignment.machine

    @property
    def gib(self) -> int:
        return sum(size for _, size in self.sizes)


@dataclass(frozen=True, slots=True)
class Overrides:
    """The overrides of one Protection by what they call their VM: name, group/name, alias/group/name or ARM id."""

    all: tuple[ReplicationOverride, ...]
    places: Mapping[str, int]

    @classmethod
    def of(cls, aspect: Replication) -> Overrides:
        places: dict[str, int] = {}
        for index, one in enumerate(aspect.overrides):
            places.setdefault(ArmId(one.vm).key if one.vm.startswith("/") else fold(one.vm), index)
        return cls(aspect.overrides, places)

    def place(self, machine: Machine) -> int | None:
        """Which of them speaks of a VM: the first that does."""
        name, group = fold(machine.name), fold(machine.resource_group)
        spellings = (name, f"{group}/{name}", f"{fold(machine.subscription)}/{group}/{name}", machine.arm_id.key)
        return min((self.places[one] for one in spellings if one in self.places), default=None)


def excluded_luns(aspect: Replication, override: ReplicationOverride | None) -> frozenset[int]:
    """The data disks that are left out: those of the override where it says any."""
    said = override.exclude_disks if override and override.exclude_disks is not None else aspect.exclude_disks
    return frozenset(said or ())


def target_type(disk: Disk | None, route: LocatedRoute) -> str:
    """The type of a disk after failover: by the route, or the same; "" where its type is not known."""
    sku = disk.sku if disk else ""
    types = {fold(source): target for source, target in (route.value.disk_types or {}).items()}
    return types.get(fold(sku), sku)
