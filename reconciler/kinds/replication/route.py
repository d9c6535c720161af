"""Replication routes, resolved: through which vault, between which places, and how the topology is addressed.

Addresses say what a thing is, not what Azure calls it (`fabric.prod/rg-dr/rsv-dr/westeurope`), so that what exists
under other names is reused. Their scope is that of the route's vault.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from reconciler.kinds.located_vault import LocatedVault, declared_vaults
from reconciler.model.address import Address
from reconciler.model.arm_id import ArmId
from reconciler.model.casing import fold
from reconciler.model.document import Declared, Document
from reconciler.model.location import normalise_location
from reconciler.model.replication import POLICY as POLICY_DOCUMENT
from reconciler.model.replication import ROUTE as ROUTE_DOCUMENT
from reconciler.model.replication import ReplicationRoute

POLICY = "replication_policy"
FABRIC = "fabric"
CONTAINER = "protection_container"
MAPPING = "container_mapping"
NETWORK_MAPPING = "network_mapping"


@dataclass(frozen=True, slots=True)
class Place:
    """One end of a route: a region, or the zone that VMs of the same region are replicated into."""

    region: str
    zone: str = ""

    def __str__(self) -> str:
        return f"{self.region}-z{self.zone}" if self.zone else self.region


@dataclass(frozen=True, slots=True)
class Leg:
    """One direction of a route: what a container mapping and network mappings are for."""

    start: Place
    end: Place

    @property
    def back(self) -> Leg:
        return Leg(self.end, self.start)


@dataclass(frozen=True, slots=True)
class LocatedRoute:
    """A ReplicationRoute whose vault is declared. `policy` is the name of its ReplicationPolicy, as declared."""

    document: Document[ReplicationRoute]
    vault: LocatedVault
    leg: Leg
    policy: str

    @property
    def name(self) -> str:
        return self.document.name

    @property
    def value(self) -> ReplicationRoute:
        return self.document.value

    @property
    def scope(self) -> str:
        """The address scope of everything that the route needs in its vault."""
        return self.vault.scope

    @property
    def zone_to_zone(self) -> bool:
        return self.leg.start.region == self.leg.end.region

    @property
    def legs(self) -> tuple[Leg, Leg]:
        """There, and back: failing back needs the second (ASR-54)."""
        return self.leg, self.leg.back

    @property
    def mapping(self) -> Address:
        """The container mapping that VMs replicate through."""
        return mapping_address(self.scope, self.leg, self.policy)

    @property
    def way_back(self) -> Address:
        """The container mapping that they will be replicated back through."""
        return mapping_address(self.scope, self.leg.back, self.policy)

    @property
    def network_mappings(self) -> tuple[Address, ...]:
        """Those of its networks, there; none from zone to zone, where a VM's interfaces name their network."""
        if self.zone_to_zone:
            return ()
        return tuple(network_mapping_address(self.scope, self.leg, ArmId(one.from_)) for one in self.value.networks)


def policy_address(scope: str, name: str) -> Address:
    return Address(POLICY, scope, name)


def fabric_address(scope: str, region: str) -> Address:
    return Address(FABRIC, scope, region)


def container_address(scope: str, place: Place) -> Address:
    return Address(CONTAINER, scope, str(place))


def mapping_address(scope: str, leg: Leg, policy: str) -> Address:
    return Address(MAPPING, scope, f"{leg.start}-to-{leg.end}-{policy}")


def network_mapping_address(scope: str, leg: Leg, network: ArmId) -> Address:
    """The mapping of one virtual network of the leg's start."""
    return Address(
        NETWORK_MAPPING,
        scope,
        f"{leg.start.region}-to-{leg.end.region}-{network.resource_group}-{network.name}",
    )


def located_routes(declared: Declared) -> tuple[LocatedRoute, ...]:
    """The routes that the policies declare, in order of name. Unknown vaults are the rules' business."""
    vaults = {fold(vault.name): vault for vault in declared_vaults(declared).values()}
    policies = {fold(name): name for name in declared.of(POLICY_DOCUMENT)}
    found: list[LocatedRoute] = []
    for _, document in sorted(declared.of(ROUTE_DOCUMENT, ReplicationRoute).items()):
        vault = vaults.get(fold(document.value.vault))
        if vault is not None:
            policy = policies.get(fold(document.value.policy), document.value.policy)
            found.append(LocatedRoute(document, vault, leg_of(document.value), policy))
    return tuple(found)


def leg_of(route: ReplicationRoute) -> Leg:
    """From where to where, regions normalised; the zone counts only within one region (ASR-10)."""
    source, target = normalise_location(route.from_), normalise_location(route.to)
    zone = (route.availability.zone or "") if source == target else ""
    return Leg(Place(source), Place(target, zone))


def routes_between(declared: Declared, source: str, target: str) -> Iterator[LocatedRoute]:
    """The routes from one region to another, both normalised."""
    for route in located_routes(declared):
        if route.leg.start.region == source and route.leg.end.region == target:
            yield route


def replication_vaults(declared: Declared) -> dict[ArmId, LocatedVault]:
    """The vaults that routes name, by ARM id: nothing of Site Recovery is read in any other."""
    return {route.vault.arm_id: route.vault for route in located_routes(declared)}
