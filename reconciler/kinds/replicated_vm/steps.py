"""The writes that close a difference. Only a route with `onRelease: disable` ever ends a replication."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import msgspec

from reconciler.kinds.base import Comparison, Verdict
from reconciler.kinds.replicated_vm.spec import NAME, ReplicatedVmSpec, TargetDisk
from reconciler.kinds.replicated_vm.verdict import facts_of, wish_of
from reconciler.kinds.replicated_vm.wish import Destination, Wish
from reconciler.kinds.replication.ids import container_id, policy_id, vault_of
from reconciler.kinds.replication.item import ITEMS
from reconciler.model.address import Address
from reconciler.model.arm_id import ArmId
from reconciler.plan.change import Action, Phase, Step

_ITEM = "Microsoft.RecoveryServices/vaults/replicationFabrics/replicationProtectionContainers/replicationProtectedItems"
READ, WRITE = f"{_ITEM}/read", f"{_ITEM}/write"
_PERMISSIONS = {
    "initial-replication": READ,
    "add-disks": f"{_ITEM}/addDisks/action",
    "remove-disks": f"{_ITEM}/removeDisks/action",
    "disable": f"{_ITEM}/remove/action",
}
_USUALLY = {
    "enable": "7 to 10 min",
    "initial-replication": "30 min and more, by the size of its disks",
    "networks": "a minute",
    "update": "a minute",
    "add-disks": "a minute, then the disks are copied",
    "remove-disks": "a minute",
    "disable": "2 min",
}
_LONG = ("enable", "initial-replication", "add-disks")
_LONGEST_NAME = 48


@dataclass(frozen=True, slots=True)
class Target:
    """One item of one VM, where it is or will be."""

    address: Address
    item: ArmId

    def step(self, verb: str, title: str, phase: Phase = Phase.SETUP, **arguments: Any) -> Step:
        """Waiting for the copy is no write: it takes none of the places that a vault has for those."""
        return Step(
            id=f"{self.address}#{verb}",
            kind=NAME,
            address=str(self.address),
            verb=verb,
            title=title,
            arguments={"id": str(self.item), **arguments},
            phase=phase,
            lane="" if verb == "initial-replication" else vault_of(self.item).key,
            permission=_PERMISSIONS.get(verb, WRITE),
            usually=_USUALLY[verb],
            long=verb in _LONG,
        )


def replication_steps(comparison: Comparison[ReplicatedVmSpec], verdict: Verdict) -> tuple[Step, ...]:
    """In order: enabled, seeded, its networks set; or what differs, changed in place."""
    if verdict.action is Action.DELETE:
        return (_disable(comparison),)
    if verdict.action is Action.CREATE or (comparison.live and comparison.live_spec.state == "Unfinished"):
        return _enable(comparison)
    return _change(comparison) if verdict.action is Action.UPDATE else ()


def item_name(machine: ArmId) -> str:
    """The name of a new item: the VM's, and a few letters that tell it from others of that name."""
    return f"{machine.name[:_LONGEST_NAME]}-{sha256(machine.key.encode()).hexdigest()[:8]}"


def _enable(comparison: Comparison[ReplicatedVmSpec]) -> tuple[Step, ...]:
    wish, live = wish_of(comparison), comparison.situation.live
    route, spec = wish.route, comparison.wanted_spec
    container = container_id(live, route.vault, route.leg.start)
    held = facts_of(comparison).item_id if comparison.live else None
    target = Target(comparison.address, held or container.child(ITEMS, item_name(wish.machine.arm_id)))
    name, place = wish.machine.name, str(route.leg.end)
    enable = target.step(
        "enable",
        f"replicate {name} to {place} in vault {route.vault.name}",
        machine=str(wish.machine.arm_id),
        policy=str(policy_id(live, route.vault, route.policy)),
        container=str(container_id(live, route.vault, route.leg.end)),
        group=wish.target_resource_group,
        zone=spec.zone,
        availability_set=route.value.availability.availability_set or "",
        multi_vm_group=wish.multi_vm_group,
        account=route.value.cache_storage_account,
        encryption_set=route.value.disk_encryption_set or "",
        network=wish.destination.network(()) if route.zone_to_zone else "",
        disks=_plain_disks(wish.disks),
    )
    seed = target.step("initial-replication", f"wait until {name} is replicated to {place}")
    if wish.destination.silent:
        return enable, seed
    return enable, seed, _configure(target, "networks", f"set size and networks of {name} in {place}", wish, ())


def _change(comparison: Comparison[ReplicatedVmSpec]) -> tuple[Step, ...]:
    """Disks go before others come; size, networks and types of disks are one write."""
    wish = wish_of(comparison)
    target = Target(comparison.address, facts_of(comparison).item_id)
    name, spelled = wish.machine.name, {ArmId(one.disk): one for one in wish.disks}
    before = {ArmId(one.disk): one.type for one in comparison.live_spec.disks}
    after = {ArmId(one.disk): one.type for one in comparison.wanted_spec.disks}
    steps: list[Step] = []
    gone, new = sorted(before.keys() - after.keys()), sorted(after.keys() - before.keys())
    if gone:
        title = f"stop the replication of {_disk_names(gone)} of {name}"
        steps.append(target.step("remove-disks", title, disks=[str(one) for one in gone]))
    if new:
        steps.append(
            target.step(
                "add-disks",
                f"replicate {_disk_names(new)} of {name}",
                group=wish.target_resource_group,
                account=wish.route.value.cache_storage_account,
                encryption_set=wish.route.value.disk_encryption_set or "",
                disks=_plain_disks(spelled[one] for one in new),
            )
        )
    retyped = tuple(spelled[one] for one in sorted(before.keys() & after.keys()) if before[one] != after[one])
    if retyped or comparison.changed("target_size", "network", "test_network", "nics"):
        title = f"change size and networks of {name} in {wish.route.leg.end}"
        steps.append(_configure(target, "update", title, wish, retyped))
    return tuple(steps)


def _configure(target: Target, verb: str, title: str, wish: Wish, retyped: tuple[TargetDisk, ...]) -> Step:
    """The interfaces are looked at when it is carried out: before a VM is protected, Azure does not tell them."""
    return target.step(verb, title, destination=_plain(wish.destination), disks=_plain_disks(retyped))


def _disable(comparison: Comparison[ReplicatedVmSpec]) -> Step:
    facts = facts_of(comparison)
    title = f"end the replication of {comparison.address.name} to {facts.recovery_region}"
    return Target(comparison.address, facts.item_id).step("disable", title, Phase.TEARDOWN)


def _disk_names(disks: list[ArmId]) -> str:
    return ("disk " if len(disks) == 1 else "disks ") + ", ".join(disk.name for disk in disks)


def _plain_disks(disks: Any) -> list[dict[str, str]]:
    return [{"disk": one.disk, "type": one.type} for one in disks]


def _plain(destination: Destination) -> Any:
    return msgspec.json.decode(msgspec.json.encode(destination))
