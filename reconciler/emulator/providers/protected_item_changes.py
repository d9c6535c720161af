"""What a finished operation does to a protected item. The checks were made when the operation was asked for."""

from collections.abc import Mapping

from reconciler.emulator.operations import Operation
from reconciler.emulator.providers.backup_runs import forget_expired
from reconciler.emulator.providers.protected_item_rules import security_of
from reconciler.emulator.providers.protected_item_states import (
    Protection,
    read_protection,
    save_protection,
    soft_delete_until,
)
from reconciler.emulator.providers.vault_settings import soft_delete
from reconciler.emulator.world import Completion, World

ROUTES: tuple[()] = ()


def _now(world: World) -> int:
    return int(world.clock.now().timestamp())


def _held(world: World, operation: Operation) -> tuple[str, Protection] | None:
    """The item as it is now; None if it went while the operation ran."""
    item_id = operation.arguments["item"]
    return (item_id, read_protection(world, item_id)) if world.store.has(item_id) else None


def _configure(world: World, operation: Operation) -> None:
    """Enable, change of policy or disks, resume: they differ in what was there before."""
    arguments = operation.arguments
    item_id, now = arguments["item"], _now(world)
    vault, policy = world.store.get(arguments["vault"]), world.store.get(arguments["policy"])
    machine = world.store.get(arguments["vm"])
    if vault is None or policy is None:
        return
    if world.store.has(item_id):
        protection = read_protection(world, item_id)
    else:
        protection = Protection(vm=arguments["vm"], vault=vault["id"], state="IRPending", location=vault["location"])
    protection.policy = protection.last_policy = policy["id"]
    protection.state = "Protected" if protection.points else "IRPending"
    protection.disks = arguments.get("disks", protection.disks)
    protection.security = security_of(machine) if machine else protection.security
    protection.container = "Registered"
    protection.restart(now)
    forget_expired(world, protection, now)
    save_protection(world, item_id, protection)


def _stop(world: World, operation: Operation) -> None:
    """Points are kept for ever, and the item forgets its policy (BP-70)."""
    if found := _held(world, operation):
        item_id, protection = found
        protection.state, protection.policy = "ProtectionStopped", ""
        save_protection(world, item_id, protection)


def _suspend(world: World, operation: Operation) -> None:
    """No more backups; points are kept as the policy says, so the item keeps its policy (BP-71)."""
    if found := _held(world, operation):
        item_id, protection = found
        protection.state = "BackupsSuspended"
        save_protection(world, item_id, protection)


def _undelete(world: World, operation: Operation) -> None:
    """Back as ProtectionStopped; the container stays SoftDeleted, as recorded (backup.md §3)."""
    if found := _held(world, operation):
        item_id, protection = found
        protection.deleted_at = protection.purge_at = None
        protection.soft_delete_days = 0
        protection.state = "ProtectionStopped"
        save_protection(world, item_id, protection)


def soft_delete_item(world: World, item_id: str, protection: Protection, *, deleted_at: int, days: int) -> None:
    """The retention in force at the deletion governs the item, whatever it becomes later (BP-77)."""
    protection.state, protection.policy = "ProtectionStopped", ""
    protection.deleted_at, protection.soft_delete_days = deleted_at, days
    protection.purge_at = soft_delete_until(deleted_at, days)
    protection.container = "SoftDeleted"
    save_protection(world, item_id, protection)


def _delete(world: World, operation: Operation) -> None:
    """With soft delete the item stays in the list; `deferredDeleteTimeInUTC` is the time of the request."""
    found = _held(world, operation)
    vault = world.store.get(operation.arguments["vault"])
    if found is None or vault is None:
        return
    item_id, protection = found
    settings = soft_delete(vault["properties"])
    if settings["softDeleteState"] == "Disabled":
        world.store.delete(item_id)
        return
    days = int(settings["softDeleteRetentionPeriodInDays"])
    soft_delete_item(world, item_id, protection, deleted_at=int(operation.start.timestamp()), days=days)


def _back_up(world: World, operation: Operation) -> None:
    """The operation ends within seconds; the backup itself runs on and ends with the clock."""
    if found := _held(world, operation):
        item_id, protection = found
        protection.pending = sorted({*protection.pending, operation.arguments["start"]})
        protection.expires = {**protection.expires, str(operation.arguments["start"]): operation.arguments["expiry"]}
        save_protection(world, item_id, protection)


COMPLETIONS: Mapping[str, Completion] = {
    "item.configured": _configure,
    "item.stopped": _stop,
    "item.suspended": _suspend,
    "item.undeleted": _undelete,
    "item.deleted": _delete,
    "item.backup": _back_up,
}
