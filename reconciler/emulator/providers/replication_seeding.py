"""From enabled to Protected: the copy by the GiB, the first recovery point, and what is only known then."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from reconciler.emulator.operations import Operation
from reconciler.emulator.providers.replica_disks import make_replica
from reconciler.emulator.providers.replica_interfaces import describe_interfaces
from reconciler.emulator.providers.replica_machines import remember_machine
from reconciler.emulator.providers.replication_item_state import (
    FIRST_POINT,
    Item,
    Phase,
    copy_length,
    find_item,
    save,
)
from reconciler.emulator.providers.replication_jobs import record
from reconciler.emulator.providers.replication_names import vault_of
from reconciler.emulator.providers.replication_scenarios import SEEDED
from reconciler.emulator.providers.replication_support import reckon_churn
from reconciler.emulator.providers.replication_work import target_of
from reconciler.emulator.router import Route
from reconciler.emulator.world import Completion, World


def begin_copy(world: World, item: Item) -> None:
    """The initial replication, or the resynchronisation after a reprotect."""
    for disk in item.disks:
        make_replica(world, item, disk)
    _enter(world, item, "copying", copy_length(item.disks), "replication.copied")


def complete_copy(world: World, operation: Operation) -> None:
    item = _still(world, operation, "copying")
    if item is not None:
        item.percentage = 0 if item.switches == 0 else 43
        _enter(world, item, "finalizing", FIRST_POINT, "replication.protected")


def complete_first_point(world: World, operation: Operation) -> None:
    """Protected: network interfaces, tags, lifecycle id and RPO appear."""
    item = _still(world, operation, "finalizing")
    if item is not None:
        become_protected(world, item)
        record(world, vault_of(item.id), SEEDED, target_of(item))


def become_protected(world: World, item: Item) -> None:
    """Makes a machine Protected as of now."""
    now = world.clock.now()
    machine = world.store.get(item.vm) or {}
    item.phase, item.since, item.until = "protected", now, None
    item.points_from = now - timedelta(minutes=4)
    item.lifecycle = item.lifecycle or world.new_guid()
    item.percentage = item.percentage or 0
    item.tags = dict(machine.get("tags") or {})
    describe_interfaces(world, item)
    reckon_churn(world, item)
    save(world, item)
    remember_machine(world, item)


def _enter(world: World, item: Item, phase: Phase, length: timedelta, completion: str) -> None:
    item.phase, item.since = phase, world.clock.now()
    item.until = item.since + length
    save(world, item)
    stamp = item.since.isoformat()
    world.operations.start(
        f"seeding {phase}", duration=length, on_done=(completion, {"since": stamp}), resource=item.id
    )


def _still(world: World, operation: Operation, phase: Phase) -> Item | None:
    """The item, if it is in the phase that the operation was started for; it may be gone or anew by now."""
    if not world.store.has(operation.resource):
        return None
    item = find_item(world, operation.resource)
    is_same = item.phase == phase and item.since.isoformat() == operation.arguments["since"]
    return item if is_same else None


ROUTES: tuple[Route, ...] = ()
COMPLETIONS: Mapping[str, Completion] = {
    "replication.copied": complete_copy,
    "replication.protected": complete_first_point,
}
