"""Which of the live objects of a vault stand for what: reuse under other names, one choice for every kind.

A region has one fabric. Of its containers, the one that has mappings stands for the region, then the first by name;
from zone to zone a second container of the same fabric stands for the zone.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from reconciler.azure.clients import Azure
from reconciler.kinds.located_vault import LocatedVault
from reconciler.kinds.replication.listing import (
    ContainerBody,
    FabricBody,
    MappingBody,
    NetworkMappingBody,
    replication_list,
)
from reconciler.kinds.replication.route import Leg, Place
from reconciler.model.arm_id import ArmId

_ZONE = re.compile(r"-z([1-9])(-container)?$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Topology:
    """The fabrics of a vault by region, its containers by place, and its container mappings between those."""

    fabrics: dict[str, FabricBody] = field(default_factory=dict)
    containers: dict[Place, ContainerBody] = field(default_factory=dict)
    mappings: tuple[tuple[Leg, MappingBody], ...] = ()

    def region_of(self, fabric: ArmId) -> str:
        """The region of a fabric, "" where it is not one of those that count."""
        return next((region for region, body in self.fabrics.items() if ArmId(body.id) == fabric), "")


async def read_topology(azure: Azure, vault: LocatedVault) -> Topology:
    """From three lists, which the kinds share. Raises what they raise: with one of them missing, none can be told
    from the others."""
    fabrics, containers, mappings = await asyncio.gather(
        replication_list(azure, vault.arm_id, "replicationFabrics", FabricBody),
        replication_list(azure, vault.arm_id, "replicationProtectionContainers", ContainerBody),
        replication_list(azure, vault.arm_id, "replicationProtectionContainerMappings", MappingBody),
    )
    return topology_of(fabrics, containers, mappings)


async def read_network_mappings(azure: Azure, vault: LocatedVault) -> tuple[NetworkMappingBody, ...]:
    return await replication_list(azure, vault.arm_id, "replicationNetworkMappings", NetworkMappingBody)


def topology_of(
    fabrics: tuple[FabricBody, ...], containers: tuple[ContainerBody, ...], mappings: tuple[MappingBody, ...]
) -> Topology:
    """Pure: the same lists in another order give the same choice."""
    chosen = dict(_choose_fabrics(fabrics, containers))
    places: dict[Place, ContainerBody] = {}
    for region, fabric in sorted(chosen.items()):
        inside = [body for body in containers if ArmId(body.id).parent() == ArmId(fabric.id)]
        for place, body in _choose_containers(region, inside, mappings):
            places.setdefault(place, body)
    known = {ArmId(body.id): place for place, body in places.items()}
    between = (
        (Leg(known[body.source], known[body.target]), body)
        for body in sorted(mappings, key=lambda one: ArmId(one.id).key)
        if body.source in known and body.target in known
    )
    return Topology(chosen, places, tuple(between))


def _choose_fabrics(
    fabrics: tuple[FabricBody, ...], containers: tuple[ContainerBody, ...]
) -> Iterator[tuple[str, FabricBody]]:
    """Azure allows one a region; should there be two, the one with containers, then the first by name."""
    used = {ArmId(body.id).parent() for body in containers}
    ordered = sorted(fabrics, key=lambda one: (ArmId(one.id) not in used, ArmId(one.id).key))
    first: dict[str, FabricBody] = {}
    for body in ordered:
        if body.region:
            first.setdefault(body.region, body)
    yield from first.items()


def _choose_containers(
    region: str, containers: list[ContainerBody], mappings: tuple[MappingBody, ...]
) -> Iterator[tuple[Place, ContainerBody]]:
    """The best first: who takes a place keeps it. That a container is a zone's, only its name tells."""
    mapped = {end for body in mappings for end in (body.source, body.target)}
    for body in sorted(containers, key=lambda one: (ArmId(one.id) not in mapped, ArmId(one.id).key)):
        zone = _ZONE.search(ArmId(body.id).name)
        yield Place(region, zone[1] if zone else ""), body
