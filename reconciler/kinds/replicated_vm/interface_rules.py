"""Rules of where network interfaces go (ASR-14): they and the subnets that policies name are there.

Azure refuses an unknown subnet after minutes, and takes no notice of an interface that the VM does not have.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from reconciler.kinds.remarks import Remark
from reconciler.kinds.replicated_vm.spec import ReplicatedVmSpec, TargetInterface
from reconciler.kinds.replicated_vm.wish import Wish
from reconciler.model.arm_id import ArmId
from reconciler.model.casing import fold
from reconciler.model.document import Path
from reconciler.model.replicated import SourceInterface
from reconciler.model.replication_site import ReplicationSite, VirtualNetwork
from reconciler.model.source import Source
from reconciler.plan.finding import Severity


@dataclass(frozen=True, slots=True)
class InterfaceCheck:
    """One VM and where its interfaces would go. `sources` are empty as long as it is not protected: then they are not
    known, and what the policies say of subnets is all that can be checked."""

    wish: Wish
    spec: ReplicatedVmSpec
    sources: Sequence[SourceInterface]
    site: ReplicationSite

    def remarks(self) -> Iterator[Remark]:
        """Interfaces that the VM does not have, and subnets that the target and test networks do not have."""
        yield from self._unknown_interfaces()
        network, test_network = self._network(self.spec.network), self._network(self.spec.test_network)
        for nic in self._targets():
            yield from self._subnet(nic, "subnet", nic.subnet, network)
            yield from self._subnet(nic, "testSubnet", nic.test_subnet, test_network)

    def _unknown_interfaces(self) -> Iterator[Remark]:
        known = {fold(one.name): one.name for one in self.sources}
        for place, nic in enumerate(self.wish.destination.nics):
            if known and fold(nic.name) not in known:
                there = ", ".join(sorted(known.values()))
                yield self._remark(
                    f"it has no network interface {nic.name}", f"write one of its own: {there}", self._at(place, "name")
                )

    def _targets(self) -> Sequence[TargetInterface]:
        if self.sources:
            return self.spec.nics
        return [
            TargetInterface(name=nic.name, subnet=nic.subnet or "", test_subnet=nic.test_subnet or "")
            for nic in self.wish.destination.nics
        ]

    def _network(self, network: str) -> VirtualNetwork | None:
        """What is known of a network that the route names; others are not looked at."""
        return self.site.networks.get(ArmId(network)) if network else None

    def _subnet(self, nic: TargetInterface, key: str, name: str, network: VirtualNetwork | None) -> Iterator[Remark]:
        if network is None or not name or fold(name) in {fold(one) for one in network.subnets}:
            return
        there = ", ".join(sorted(network.subnets)) or "none"
        yield self._remark(
            f"a network interface of it would go to subnet {name}, which virtual network {network.arm_id.name} does "
            "not have",
            f"write one of its subnets: {there}; in the route for all VMs (networks.subnets), or in overrides for one",
            self._said_at(nic, key),
        )

    def _said_at(self, nic: TargetInterface, key: str) -> Source | None:
        for place, said in enumerate(self.wish.destination.nics):
            if fold(said.name) == fold(nic.name) and (said.subnet if key == "subnet" else said.test_subnet):
                return self._at(place, key)
        return self.wish.route.document.at("networks" if key == "subnet" else "testNetwork")

    def _at(self, place: int, key: str) -> Source | None:
        path: Path = ("replication", "overrides", self.wish.override or 0, "nics", place, key)
        return self.wish.assignment.protection.at(*path)

    def _remark(self, message: str, advice: str, source: Source | None) -> Remark:
        return Remark(
            code="ASR-14",
            subject=f"Protection {self.wish.assignment.protection.name}",
            message=message,
            advice=advice,
            severity=Severity.ERROR,
            source=source,
            rule_source="tf-rvm:653, net",
        )
