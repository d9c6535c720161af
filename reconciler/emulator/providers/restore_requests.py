"""What a client asks for when it restores a VM, and what becomes of it: one value from the request to its end."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from reconciler.emulator.providers.backup_names import part
from reconciler.emulator.providers.backup_refusals import refuse
from reconciler.emulator.providers.backup_runs import POINT_AFTER
from reconciler.emulator.providers.backup_schedule import DAY
from reconciler.emulator.providers.backup_times import from_epoch
from reconciler.emulator.providers.compute_bodies import MachineShape, Place, machine_and_disks
from reconciler.emulator.providers.deleted_machines import recall_machine
from reconciler.emulator.providers.protected_item_rules import OS_DISK_LUN, split_disks
from reconciler.emulator.providers.protected_item_states import VAULTED, Protection, retention_of
from reconciler.emulator.world import World

Body = dict[str, Any]

NEW_MACHINE, DISKS_ONLY, REPLACE = "AlternateLocation", "RestoreDisks", "OriginalLocation"
RECOVERY_TYPES = (NEW_MACHINE, DISKS_ONLY, REPLACE)
REQUEST, REHYDRATION = "IaasVMRestoreRequest", "IaasVMRestoreWithRehydrationRequest"


@dataclass(frozen=True)
class RestoreSource:
    """The recovery point to restore, with the VM as it is now (or as it may have been, if it is gone)."""

    vault: Body
    item_id: str
    protection: Protection
    point: int
    machine: Body
    disks: Mapping[int, Body]
    """By LUN, the OS disk as -1: those that the point holds."""
    attached: int
    """How many the VM has."""
    is_fresh: bool
    """The snapshot tier still has the point."""

    @property
    def is_vaulted(self) -> bool:
        return bool(self.point & VAULTED)


class Restore(msgspec.Struct, frozen=True, omit_defaults=True):
    """An accepted restore. It is JSON, so that the operation which carries it out survives a restart.

    ``seconds`` is how long it takes, ``size_gb`` what it moves. ``luns`` are the disks to restore (-1: the OS disk).
    """

    kind: str
    item: str
    vm: str
    point_time: datetime
    region: str
    staging: str
    luns: list[int]
    seconds: int
    size_gb: int
    is_partial: bool = False
    from_vault: bool = False
    secondary: bool = False
    target_group: str = ""
    target_vm: str = ""
    network: str = ""
    subnet: str = ""
    zones: list[str] = []
    encryption_set: str = ""
    disk_access: dict[str, str] = {}


def find_source(world: World, vault: Body, item_id: str, protection: Protection, point: int) -> RestoreSource:
    """What a point of an item holds. A VM of which nobody knows what it was is taken for one of
    its name with an OS disk."""
    machine, held = _source_machine(world, vault, protection)
    included = _included_luns(machine, protection)
    retention = retention_of(world, protection.policy or protection.last_policy)
    kept = (retention.instant_days if retention else 2) * DAY
    return RestoreSource(
        vault=vault,
        item_id=item_id,
        protection=protection,
        point=point,
        machine=machine,
        disks={lun: body for lun, body in held.items() if lun in included},
        attached=len(held),
        is_fresh=(point >> 4) + kept > world.clock.now().timestamp(),
    )


def point_time(protection: Protection, point: int) -> datetime:
    return from_epoch(protection.start_of(point >> 4) + POINT_AFTER)


def _source_machine(world: World, vault: Body, protection: Protection) -> tuple[Body, dict[int, Body]]:
    machine, recalled = world.store.get(protection.vm), recall_machine(world, protection.vm)
    if machine is None and recalled is not None:
        return recalled[0], _disks_by_lun(recalled[0], recalled[1].get)
    if machine is None:
        group = protection.vm.partition("/providers/")[0]
        name = part(protection.vm, "virtualMachines")
        shape = MachineShape(name=name, resource_group=part(protection.vm, "resourceGroups"))
        machine, disks = machine_and_disks(shape, Place(group, vault["location"], world.clock.now()))
        return machine, {OS_DISK_LUN: disks[0]}
    return machine, _disks_by_lun(machine, world.store.get)


def _disks_by_lun(machine: Body, find: Callable[[str], Body | None]) -> dict[int, Body]:
    storage = machine["properties"]["storageProfile"]
    attached = {OS_DISK_LUN: storage["osDisk"], **{disk["lun"]: disk for disk in storage.get("dataDisks") or []}}
    ids = {lun: str((disk.get("managedDisk") or {}).get("id", "")).lower() for lun, disk in attached.items()}
    found = {lun: find(identity) for lun, identity in ids.items()}
    return {lun: body for lun, body in found.items() if body is not None}


def _included_luns(machine: Body, protection: Protection) -> set[int]:
    everything = {"diskLunList": [], "isInclusionList": False}
    kept, _ = split_disks(machine, protection.disks or everything)
    return {disk["lun"] for disk in kept}


def choose_luns(sent: Mapping[str, Any], source: RestoreSource) -> list[int]:
    """``restoreDiskLunList``: absent is all, ``[]`` the OS disk only (backup.md §6). Raises for a LUN it lacks."""
    wanted = sent.get("restoreDiskLunList")
    if wanted is None:
        return sorted(source.disks)
    known = {str(lun): lun for lun in source.disks}
    missing = [str(lun) for lun in wanted if str(lun) not in known]
    if missing:
        message = f"The recovery point has no disk with LUN {', '.join(missing)}."
        raise refuse("BP-100", "UserErrorRestoreDiskLunNotFound", message)
    return sorted({OS_DISK_LUN, *(known[str(lun)] for lun in wanted)})


def staging_account(sent: Mapping[str, Any]) -> str:
    """The id of the storage account; with a managed identity it stands elsewhere in the request."""
    details = sent.get("identityBasedRestoreDetails") or {}
    return str(sent.get("storageAccountId") or details.get("targetStorageAccountId") or "")
