"""Protected items of an estate, with the past that their policy would have given them."""

from typing import Any, Literal

import msgspec

from reconciler.emulator.providers.backup_failures import DEFAULT_FAILURE, VM_NOT_FOUND
from reconciler.emulator.providers.backup_names import MACHINES, item_id, part
from reconciler.emulator.providers.backup_retention import Retention
from reconciler.emulator.providers.backup_runs import (
    COMPLETED,
    FAILED,
    POINT_AFTER,
    VM_GONE,
    encode_point,
    make_history,
)
from reconciler.emulator.providers.backup_schedule import DAY
from reconciler.emulator.providers.compute import power_state
from reconciler.emulator.providers.protected_item_changes import soft_delete_item
from reconciler.emulator.providers.protected_item_rules import canonical_vm, security_of
from reconciler.emulator.providers.protected_item_states import VAULTED, Protection, retention_of, save_protection
from reconciler.emulator.providers.vault_settings import is_immutable, soft_delete
from reconciler.emulator.world import World

Body = dict[str, Any]

DEFAULT_HISTORY_DAYS = 30
DEFAULT_STOPPED_DAYS = 7
DEFAULT_DELETED_DAYS = 5
DEFAULT_FAILING_DAYS = 3
DAYS_SINCE_GONE = 2
"""Backups of an item whose VM the estate does not have have failed for so long."""


class DisksShape(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    include: list[int] | None = None
    exclude: list[int] | None = None


class ItemShape(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """One entry of a vault's `items`."""

    vm: str
    policy: str | None = None
    state: Literal[
        "Protected",
        "IRPending",
        "ProtectionError",
        "ProtectionStopped",
        "BackupsSuspended",
        "SoftDeleted",
    ] = "Protected"
    history_days: int | None = None
    stopped_days_ago: int = DEFAULT_STOPPED_DAYS
    deleted_days_ago: int = DEFAULT_DELETED_DAYS
    failing_days: int = 0
    failure: str = DEFAULT_FAILURE
    disks: DisksShape | None = None


class History:
    """Scheduled instants of policies, worked out once for all items that share policy and span."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, int, int], list[int]] = {}

    def of(self, policy_id: str, retention: Retention, since: int, until: int) -> list[int]:
        key = policy_id, since, until
        if key not in self._kept:
            self._kept[key] = make_history(retention, since, until)
        return self._kept[key]


def seed_item(world: World, vault: Body, shape: ItemShape, history: History) -> None:
    """Stores one item. Raises ValueError for what no vault could hold."""
    now = int(world.clock.now().timestamp())
    vm_id = _find_vm(world, vault, shape.vm)
    machine = world.store.get(vm_id)
    policy_id = f"{vault['id']}/backupPolicies/{shape.policy}" if shape.policy else ""
    policy = world.store.get(policy_id) if policy_id else None
    if shape.policy is not None and policy is None:
        raise ValueError(f"{vault['name']}: {shape.vm}: the vault has no policy {shape.policy}")
    if policy is None and shape.state not in ("ProtectionStopped", "SoftDeleted"):
        raise ValueError(f"{vault['name']}: {shape.vm}: an item in state {shape.state} needs a policy")
    if shape.state == "BackupsSuspended" and not is_immutable(vault["properties"]):
        raise ValueError(f"{vault['name']}: {shape.vm}: BP-71 backups are suspended in immutable vaults only")
    protection = Protection(
        vm=vm_id,
        vault=vault["id"],
        state="Protected",
        location=vault["location"],
        policy=policy["id"] if policy else "",
        last_policy=policy["id"] if policy else "",
        disks=_expand_disks(shape.disks),
        security=security_of(machine) if machine else "",
    )
    _write_past(world, protection, shape, machine, history, now)
    _settle_state(world, item_id(vault["id"], vm_id), protection, vault, shape, now)


def _find_vm(world: World, vault: Body, name: str) -> str:
    """`resourceGroup/name` in the vault's subscription, or an ARM id; a VM may be missing on purpose."""
    if name.startswith("/"):
        return canonical_vm(world, name)
    group, _, machine = name.partition("/")
    if not machine:
        raise ValueError(f"{vault['name']}: vm {name!r} is neither resourceGroup/name nor an ARM id")
    scope = f"/subscriptions/{part(vault['id'], 'subscriptions')}/resourceGroups/{group}"
    return canonical_vm(world, f"{scope}/providers/{MACHINES}/{machine}")


def _expand_disks(disks: DisksShape | None) -> Body | None:
    if disks is None:
        return None
    if disks.include is not None:
        return {"diskLunList": disks.include, "isInclusionList": True}
    return {"diskLunList": disks.exclude or [], "isInclusionList": False}


def _write_past(
    world: World, protection: Protection, shape: ItemShape, machine: Body | None, history: History, now: int
) -> None:
    """Points, jobs and what the last backup said. Backups end where the item was stopped, deleted or set up."""
    ended = now
    if shape.state in ("ProtectionStopped", "BackupsSuspended"):
        ended = now - shape.stopped_days_ago * DAY
    elif shape.state == "SoftDeleted":
        ended = now - shape.deleted_days_ago * DAY
    days = shape.history_days if shape.history_days is not None else DEFAULT_HISTORY_DAYS
    retention = retention_of(world, protection.policy)
    protection.cursor = ended
    if retention is None or shape.state == "IRPending" or not days:
        return
    scheduled = list(history.of(protection.policy, retention, ended - days * DAY, ended))
    while scheduled and protection.end_of(scheduled[-1]) > ended:
        scheduled.pop()
    protection.cursor = scheduled[-1] if scheduled else ended
    broken_since = _broken_since(protection, shape, machine, ended)
    good = [s for s in scheduled if protection.start_of(s) < broken_since] if broken_since <= ended else scheduled
    if good:
        flags = encode_point(
            world, protection, good[-1], machine or {}, crashed=power_state(world, protection.vm) != "running"
        ) & (15 - VAULTED)
        is_vaulted = retention.schedule.is_vaulted
        protection.points = [s << 4 | flags | (VAULTED if is_vaulted(s) else 0) for s in good]
        protection.last_point = protection.start_of(good[-1]) + POINT_AFTER
    failed = VM_GONE if machine is None else FAILED
    protection.runs = [s << 3 | (COMPLETED if n < len(good) else failed) for n, s in enumerate(scheduled)]
    if scheduled:
        protection.last_backup = protection.start_of(scheduled[-1])
        protection.last_status = "Completed" if len(good) == len(scheduled) else "Failed"


def _broken_since(protection: Protection, shape: ItemShape, machine: Body | None, ended: int) -> int:
    """From when on backups fail; later than `ended` when they do not."""
    failing_days = shape.failing_days or (DEFAULT_FAILING_DAYS if shape.state == "ProtectionError" else 0)
    if failing_days:
        protection.failing_since, protection.failure = ended - failing_days * DAY, shape.failure
        return protection.failing_since
    if machine is None:
        protection.failure = VM_NOT_FOUND
        return ended - DAYS_SINCE_GONE * DAY
    return ended + 1


def _settle_state(world: World, identity: str, protection: Protection, vault: Body, shape: ItemShape, now: int) -> None:
    if shape.state == "SoftDeleted":
        days = int(soft_delete(vault["properties"])["softDeleteRetentionPeriodInDays"])
        if shape.deleted_days_ago >= days:
            raise ValueError(f"{vault['name']}: {shape.vm}: deleted {shape.deleted_days_ago} days ago, kept for {days}")
        deleted_at = now - shape.deleted_days_ago * DAY
        soft_delete_item(world, identity, protection, deleted_at=deleted_at, days=days)
        return
    protection.state = shape.state
    if shape.state == "ProtectionStopped":
        protection.policy = ""
    elif shape.state == "Protected" and not protection.points:
        protection.state = "IRPending"
    elif shape.state == "Protected" and shape.failing_days >= DEFAULT_FAILING_DAYS:
        protection.state = "ProtectionError"
    save_protection(world, identity, protection)
