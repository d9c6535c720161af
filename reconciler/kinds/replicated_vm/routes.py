"""What replicated VMs have in common: the ways that they take, as a ReplicationRoute says them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from reconciler.kinds.adoption import AdoptedEstate
from reconciler.kinds.replicated_vm.spec import ReplicatedVmSpec
from reconciler.kinds.replication.route import Leg, Place, mapping_address, network_mapping_address
from reconciler.model.arm_id import ArmId
from reconciler.model.casing import fold
from reconciler.model.machine import Machine
from reconciler.model.replicated import ReplicationFacts

OWN_GROUP = "{resourceGroup}"


@dataclass(frozen=True)
class Trip:
    """A route but for its target group and networks. Ids are in the spelling of the first VM that takes it."""

    vault: str
    scope: str
    leg: Leg
    policy: str
    cache: ArmId
    target_subscription: str = ""
    zone: str = ""
    availability_set: ArmId | None = None
    disk_encryption_set: ArmId | None = None
    test_network: ArmId | None = None

    @property
    def start(self) -> str:
        return self.leg.start.region

    @property
    def end(self) -> str:
        return self.leg.end.region

    @classmethod
    def of(cls, spec: ReplicatedVmSpec, facts: ReplicationFacts, machine: Machine, estate: AdoptedEstate) -> Trip | str:
        """The way of one VM, or why no route says it."""
        zone = spec.zone if facts.primary_region == facts.recovery_region else ""
        leg = Leg(Place(facts.primary_region), Place(facts.recovery_region, zone))
        scope = spec.mapping.address.scope
        policy = facts.policy_name
        if mapping_address(scope, leg, policy) != spec.mapping.address:
            return f"no route says the way it takes ({spec.mapping.address.name})"
        if mapping_address(scope, leg.back, policy) not in estate.live.state:
            return "there is no container mapping for the way back, and a route stands for both"
        subscription = ArmId(spec.target_resource_group).subscription
        target = machine.subscription
        if subscription != machine.arm_id.subscription:
            target = estate.survey.alias(subscription) or ""
            if not target:
                return f"it fails over into subscription {subscription}, which is not among those that are adopted"
        return cls(
            vault=facts.vault_id.name,
            scope=scope,
            leg=leg,
            policy=policy,
            cache=ArmId(spec.cache_storage_account),
            target_subscription="" if target == machine.subscription else target,
            zone=spec.zone,
            availability_set=_id(spec.availability_set),
            disk_encryption_set=_id(spec.disk_encryption_set),
            test_network=_id(spec.test_network),
        )


def target_groups(members: Sequence[tuple[Machine, str]]) -> list[str]:
    """The target group of each VM as a route says it: a name, or a pattern of the VM's own group where that says it of
    more."""
    names = [ArmId(target).resource_group for _, target in members]
    patterns = [_pattern(machine.resource_group, name) for (machine, _), name in zip(members, names, strict=True)]
    alike = Counter(fold(name) for name in names)
    spread: dict[str, set[str]] = defaultdict(set)
    for pattern, name in zip(patterns, names, strict=True):
        spread[pattern].add(fold(name))
    return [
        pattern if pattern and (len(spread[pattern]) > 1 or len(alike) > 1) else name
        for pattern, name in zip(patterns, names, strict=True)
    ]


def _pattern(group: str, target: str) -> str:
    place = fold(target).find(fold(group))
    return target[:place] + OWN_GROUP + target[place + len(group) :] if place >= 0 else ""


def networks_of(
    members: Sequence[tuple[ReplicatedVmSpec, ReplicationFacts]], trip: Trip, estate: AdoptedEstate
) -> list[dict[str, Any]]:
    """The networks of the VMs that are mapped there and back, with the subnets that go elsewhere than to their name."""
    found: list[dict[str, Any]] = []
    for network, target in _networks(members, trip, estate):
        if target is None:
            continue
        subnets = _subnets(network, members)
        found.append({"from": str(network), "to": str(target)} | ({"subnets": subnets} if subnets else {}))
    return found


def one_way_networks(
    members: Sequence[tuple[ReplicatedVmSpec, ReplicationFacts]], trip: Trip, estate: AdoptedEstate
) -> list[ArmId]:
    """Those that are not mapped, or not back: a route stands for both, and would have the other one made."""
    return [network for network, target in _networks(members, trip, estate) if target is None]


def _networks(
    members: Sequence[tuple[ReplicatedVmSpec, ReplicationFacts]], trip: Trip, estate: AdoptedEstate
) -> Iterator[tuple[ArmId, ArmId | None]]:
    """The networks of the VMs, each with the one that it is mapped to, and that is mapped back to it."""
    if trip.leg.start.region == trip.leg.end.region:
        return
    for network in sorted({interface.network for _, facts in members for interface in facts.interfaces}):
        target = _mapped(network, trip.leg, trip, estate)
        back = target is not None and _mapped(target, trip.leg.back, trip, estate) == network
        yield network, target if back else None


def _mapped(network: ArmId, leg: Leg, trip: Trip, estate: AdoptedEstate) -> ArmId | None:
    there = estate.live.state.get(network_mapping_address(trip.scope, leg, network))
    to = getattr(there.spec, "to", "") if there else ""
    return ArmId(to) if to else None


def _subnets(network: ArmId, members: Iterable[tuple[ReplicatedVmSpec, ReplicationFacts]]) -> dict[str, str]:
    seen: dict[str, Counter[str]] = defaultdict(Counter)
    for spec, facts in members:
        targets = {fold(nic.name): nic.subnet for nic in spec.nics}
        for interface in facts.interfaces:
            target = targets.get(fold(interface.name), "")
            if interface.network == network and target:
                seen[interface.subnet][target] += 1
    usual = {name: min(targets, key=lambda one: (-targets[one], one)) for name, targets in sorted(seen.items())}
    return {name: target for name, target in usual.items() if fold(target) != fold(name)}


def update_account(trip: Trip, estate: AdoptedEstate) -> str:
    """The automation account of the container mapping."""
    there = estate.live.state.get(mapping_address(trip.scope, trip.leg, trip.policy))
    return str(getattr(there.spec, "update_account", "")) if there else ""


def _id(text: str) -> ArmId | None:
    return ArmId(text) if text else None
