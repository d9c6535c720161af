"""Restores of VMs: new ones, their disks, or disks in place of today's (backup.md §6, rules.md §1l).

The operation of a restore ends in seconds, its job runs on. A job is hit by a fault whose `method` is `RESTORE`,
matched against the id of the item (`{"method": "RESTORE", "path": "*;web-01", "operation": "fails", "code":
"RestoreOperationFailed"}`); a fault of the POST itself hits the operation, and then there is no job.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import msgspec

from reconciler.emulator.failures import ArmError
from reconciler.emulator.operations import Operation
from reconciler.emulator.providers.backup_failures import RESTORE_FAILED, STAGING_NOT_FOUND
from reconciler.emulator.providers.backup_names import ITEM
from reconciler.emulator.providers.backup_operations import draw_length, item_headers
from reconciler.emulator.providers.backup_refusals import refuse_soft_deleted
from reconciler.emulator.providers.protected_item_states import read_protection
from reconciler.emulator.providers.recovery_points import find_item, find_point
from reconciler.emulator.providers.restore_jobs import Kept, open_restore_job, read_restore, save_restore
from reconciler.emulator.providers.restore_lengths import restore_seconds
from reconciler.emulator.providers.restore_permissions import check_linked
from reconciler.emulator.providers.restore_requests import (
    DISKS_ONLY,
    NEW_MACHINE,
    REPLACE,
    Restore,
    RestoreSource,
    choose_luns,
    find_source,
    point_time,
    staging_account,
)
from reconciler.emulator.providers.restore_rules import Ask, check_restore, count_restore
from reconciler.emulator.providers.restored_disks import make_disks
from reconciler.emulator.providers.restored_machines import make_machine, replace_disks
from reconciler.emulator.providers.vaults import find_vault
from reconciler.emulator.router import Request, Response, Route
from reconciler.emulator.world import Completion, World

Body = dict[str, Any]

FAULT_METHOD = "RESTORE"
SOON = timedelta(seconds=45)
"""When a job finds out that its storage account is not there. Not recorded."""


def restore_point(world: World, request: Request) -> Response:
    """202 whose job has the operation's own id (7 of 7 recorded)."""
    vault = find_vault(world, request)
    item_path = request.path.rpartition("/recoveryPoints/")[0]
    item_id, protection = find_item(world, item_path)
    if protection.deleted_at is not None:
        raise refuse_soft_deleted()
    point = find_point(world, protection, request.params["point"])
    source = find_source(world, vault, item_id, protection, point)
    ask = Ask(source, request.properties(), request.params["point"], vault["location"])
    operation = begin_restore(world, ask, request.principal)
    return Response(202, None, item_headers(world, request, operation, item_path))


def begin_restore(world: World, ask: Ask, principal: str) -> Operation:
    """Checks and accepts a restore. Raises the refusal of the first rule that it breaks."""
    check_linked(world, ask, principal)
    check_restore(world, ask)
    restore = _accept(world, ask)
    count_restore(world, restore.item)
    guid, effect = world.new_guid(), world.operations.effect
    length = draw_length(world, "restore")
    operation = world.operations.start(
        "restore", duration=length, guid=guid, job=guid, resource=f"{restore.item}/restores"
    )
    if effect is None or effect.error is None:
        _begin_job(world, ask.source.vault["id"], guid, restore)
    return operation


def _accept(world: World, ask: Ask) -> Restore:
    sent, source = ask.sent, ask.source
    luns = choose_luns(sent, source)
    size = sum(source.disks[lun]["properties"]["diskSizeGB"] for lun in luns)
    group = str(sent.get("targetResourceGroupId") or "")
    in_place = bool(group) or ask.kind == REPLACE
    from_vault = ask.secondary or not source.is_fresh or not in_place
    held = world.store.get(group) if group else None
    return Restore(
        kind=ask.kind,
        item=source.item_id,
        vm=source.protection.vm,
        point_time=point_time(source.protection, source.point),
        region=ask.region,
        staging=staging_account(sent),
        luns=luns,
        seconds=restore_seconds(world, ask.kind, size, from_vault=from_vault),
        size_gb=size,
        is_partial=sent.get("restoreDiskLunList") is not None,
        from_vault=from_vault,
        secondary=ask.secondary,
        target_group=str(held["id"]) if held else group,
        target_vm=str(sent.get("targetVirtualMachineId") or ""),
        network=str(sent.get("virtualNetworkId") or ""),
        subnet=str(sent.get("subnetId") or ""),
        zones=list(sent.get("zones") or []),
        encryption_set=str(sent.get("diskEncryptionSetId") or ""),
        disk_access=dict(sent.get("targetDiskNetworkAccessSettings") or {}),
    )


def _begin_job(world: World, vault_id: str, guid: str, restore: Restore) -> None:
    length = timedelta(seconds=restore.seconds)
    if not world.store.has(restore.staging):
        length = min(length, SOON)
    key = f"{vault_id}/{'backupCrrJobs' if restore.secondary else 'backupJobs'}/{guid}"
    run = world.operations.start(
        "restore-job", duration=length, on_done=("restore.done", {"job": key}), resource=f"{key}/run"
    )
    open_restore_job(world, vault_id, guid, restore, run)


# what takes effect later


def _finish_restore(world: World, operation: Operation) -> None:
    """Makes what was asked for, or raises the error that the job then tells."""
    key = operation.arguments["job"]
    kept = read_restore(world, key)
    if kept is None or kept.cancelled is not None:
        return
    restore = kept.restore
    struck = _strike(world, restore.item)
    if struck is not None:
        raise ArmError(500, struck, "Restore failed with an internal error.")
    if not world.store.has(restore.staging):
        raise ArmError(400, STAGING_NOT_FOUND, "Storage Account specified for Restore operation doesn't exist.")
    source = _source_again(world, restore)
    disks = _materialise(world, restore, source, kept)
    save_restore(world, key, _told(kept, source, disks))


def _strike(world: World, item_id: str) -> str | None:
    """The error code of the fault that hits this job."""
    if not any(rule.get("method") == FAULT_METHOD for rule in world.faults.rules()):
        return None
    fault = world.faults.strike(FAULT_METHOD, item_id)
    return (fault.code or RESTORE_FAILED) if fault and fault.method == FAULT_METHOD else None


def _source_again(world: World, restore: Restore) -> RestoreSource:
    if not world.store.has(restore.item):
        raise ArmError(400, RESTORE_FAILED, "The protected item is gone.")
    protection = read_protection(world, restore.item)
    vault = world.store.get(protection.vault)
    if vault is None:
        raise ArmError(400, RESTORE_FAILED, "The vault is gone.")
    return find_source(world, vault, restore.item, protection, protection.points[-1] if protection.points else 0)


def _materialise(world: World, restore: Restore, source: RestoreSource, kept: Kept) -> dict[int, Body]:
    """The disks that were made. Without a target group the data goes to the storage account as VHDs: nothing of ARM."""
    run = world.operations.get(kept.operation)
    started = run.start if run else world.clock.now()
    present = msgspec.structs.replace(restore, luns=[lun for lun in restore.luns if lun in source.disks])
    if restore.kind == REPLACE:
        disks = make_disks(world, present, source, restore.vm.partition("/providers/")[0], started)
        replace_disks(world, present, disks)
        return disks
    if restore.kind == DISKS_ONLY and not restore.target_group:
        return {}
    disks = make_disks(world, present, source, restore.target_group, started)
    if restore.kind == NEW_MACHINE:
        make_machine(world, present, source, disks)
    return disks


def _told(kept: Kept, source: RestoreSource, disks: Mapping[int, Body]) -> Kept:
    """Under which names the disks were backed up, for the job's property bag."""
    names = {lun: str(disk["name"]) for lun, disk in sorted(source.disks.items())}
    kept.restored = [names[lun] for lun in disks or kept.restore.luns if lun in names]
    kept.backed_up = list(names.values())
    return kept


COMPLETIONS: Mapping[str, Completion] = {"restore.done": _finish_restore}

ROUTES: tuple[Route, ...] = (Route("POST", ITEM + "/recoveryPoints/{point}/restore", restore_point),)
