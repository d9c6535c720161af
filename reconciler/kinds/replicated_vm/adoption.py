"""Live replicated VMs → what each has of the aspect `replication`, and the routes that they take.

A route is what VMs of one region have in common: vault, regions, policy, cache account, networks, target. What a policy
does not say of a VM (its size, the addresses of its interfaces) stays as it is, so it is not written either.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.kinds.adoption import Adopted, AdoptedEstate, Held, Written, left_out, not_adopted
from reconciler.kinds.replicated_vm.routes import Trip, networks_of, one_way_networks, target_groups, update_account
from reconciler.kinds.replicated_vm.spec import NAME, ReplicatedVmSpec
from reconciler.model.arm_id import ArmId
from reconciler.model.counting import count
from reconciler.model.machine import Machine
from reconciler.model.replicated import ReplicationFacts
from reconciler.model.replication import ASPECT, POLICY, ROUTE, Replication
from reconciler.model.resource import Resource


@dataclass(frozen=True, slots=True)
class Traveller:
    """One VM that is replicated along a way that can be written."""

    machine: Machine
    spec: ReplicatedVmSpec
    facts: ReplicationFacts
    trip: Trip


def adopt_replications(estate: AdoptedEstate) -> Iterator[Adopted]:
    """The routes that VMs take, and a share for each VM."""
    travellers: list[Traveller] = []
    for resource in estate.resources(NAME):
        found = _traveller(resource, estate)
        if isinstance(found, Traveller):
            travellers.append(found)
        elif found is not None:
            yield found
    routes: dict[tuple[Trip, str], list[Traveller]] = defaultdict(list)
    by_trip: dict[Trip, list[Traveller]] = defaultdict(list)
    for one in travellers:
        by_trip[one.trip].append(one)
    for trip, members in by_trip.items():
        groups = target_groups([(one.machine, one.spec.target_resource_group) for one in members])
        for one, group in zip(members, groups, strict=True):
            routes[trip, group].append(one)
    yield from _routes(routes, estate)


def _traveller(resource: Resource, estate: AdoptedEstate) -> Traveller | Adopted | None:
    spec, facts, address = resource.spec, resource.observed, resource.address
    if not isinstance(spec, ReplicatedVmSpec) or not isinstance(facts, ReplicationFacts):
        return None
    machine = estate.machines.get(facts.home_id or facts.machine_id)
    if facts.frozen:
        what = "it is failed over, in a drill or on its way back; it is left as it is, and not written"
        return not_adopted(address, what, "bring it home or clean up the drill, and adopt again")
    if machine is None:
        return not_adopted(address, "its VM is not there; its replication stays as it is, unmanaged")
    if spec.state != "Protected":
        return not_adopted(
            address, f"its replication is not complete ({facts.protection_state})", "adopt again once it is protected"
        )
    vault = facts.vault_id.name
    if not estate.has("Vault", vault) or not estate.has(POLICY, facts.policy_name):
        return not_adopted(
            address, f"vault {vault} or replication policy {facts.policy_name} is not written; it stays unmanaged"
        )
    trip = Trip.of(spec, facts, machine, estate)
    if isinstance(trip, str):
        return not_adopted(address, f"{trip}; its replication stays as it is, unmanaged")
    return Traveller(machine, spec, facts, trip)


def _routes(routes: Mapping[tuple[Trip, str], list[Traveller]], estate: AdoptedEstate) -> Iterator[Adopted]:
    ordered = sorted(routes.items(), key=lambda item: (-len(item[1]), repr(item[0])))
    ways = Counter((trip.start, trip.end) for trip, _ in routes)
    taken: Counter[str] = Counter()
    for (trip, group), members in ordered:
        base = f"{trip.start}-to-{trip.end}"
        taken[base] += 1
        name = base if taken[base] == 1 else f"{base}-{taken[base]}"
        value = _value(trip, group, members, estate)
        yield Written(ROUTE, name, value, f"Taken by {count(len(members), 'VM')}.")
        for network in one_way_networks([(one.spec, one.facts) for one in members], trip, estate):
            yield left_out(
                "",
                f"network {network.name} is not mapped there and back in vault {trip.vault}, so route {name} does not "
                "name it; its VMs go where they go now",
                "write it under networks: an apply maps it both ways, which a failback needs",
            )
        alone = ways[trip.start, trip.end] == 1
        for one in members:
            aspect = Replication(
                target_region=trip.end if alone else None,
                route=None if alone else name,
                exclude_disks=_excluded(one),
                multi_vm_group=one.spec.multi_vm_group or None,
            )
            yield Held(one.machine.arm_id, ASPECT, aspect, f"vault {one.facts.vault_id.name}", along=name)


def _value(trip: Trip, group: str, members: list[Traveller], estate: AdoptedEstate) -> dict[str, Any]:
    value: dict[str, Any] = {
        "from": trip.start,
        "to": trip.end,
        "vault": trip.vault,
        "policy": trip.policy,
        "targetResourceGroup": group,
    }
    if trip.target_subscription:
        value["targetSubscription"] = trip.target_subscription
    value["cacheStorageAccount"] = str(trip.cache)
    networks = networks_of([(one.spec, one.facts) for one in members], trip, estate)
    if networks:
        value["networks"] = networks
    if trip.test_network:
        value["testNetwork"] = str(trip.test_network)
    if trip.zone or trip.availability_set:
        availability = {"zone": trip.zone, "availabilitySet": trip.availability_set}
        value["availability"] = {key: str(part) for key, part in availability.items() if part}
    types = _disk_types(members, estate)
    if types:
        value["diskTypes"] = types
    if trip.disk_encryption_set:
        value["diskEncryptionSet"] = str(trip.disk_encryption_set)
    account = update_account(trip, estate)
    if account:
        value["agentUpdateAccount"] = account
    return value


def _disk_types(members: Iterable[Traveller], estate: AdoptedEstate) -> dict[str, str]:
    """The type of most target disks for each type of source disk, where it is another."""
    seen: dict[str, Counter[str]] = defaultdict(Counter)
    for one in members:
        for disk in one.spec.disks:
            source = estate.live.disks_by_id.get(ArmId(disk.disk))
            if source is not None and source.sku and disk.type:
                seen[source.sku][disk.type] += 1
    usual = {sku: min(types, key=lambda kind: (-types[kind], kind)) for sku, types in sorted(seen.items())}
    return {sku: kind for sku, kind in usual.items() if kind != sku}


def _excluded(one: Traveller) -> tuple[int, ...] | None:
    """The LUNs of the data disks that are not replicated."""
    replicated = {ArmId(disk.disk) for disk in one.spec.disks}
    left = [disk.lun for disk in one.machine.disks if disk.lun is not None and ArmId(disk.disk) not in replicated]
    return tuple(sorted(left)) or None
