"""Recovery points of an item, and the backup that makes one on demand (backup.md §6)."""

import math
from collections.abc import Mapping
from typing import Any

from reconciler.emulator.providers.backup_filters import read_date, read_filter
from reconciler.emulator.providers.backup_job_ids import point_name, read_point_name, run_guid
from reconciler.emulator.providers.backup_jobs import page_of
from reconciler.emulator.providers.backup_names import ITEM, ITEMS
from reconciler.emulator.providers.backup_operations import draw_length, item_headers
from reconciler.emulator.providers.backup_refusals import not_in_vault, refuse, refuse_soft_deleted
from reconciler.emulator.providers.backup_runs import ON_DEMAND, POINT_AFTER, is_windows
from reconciler.emulator.providers.backup_schedule import DAY
from reconciler.emulator.providers.backup_times import from_epoch, parse_time, wire_time
from reconciler.emulator.providers.deleted_machines import find_machine
from reconciler.emulator.providers.protected_item_rules import check_idle, security_of, split_disks
from reconciler.emulator.providers.protected_item_states import (
    CONSISTENCY,
    ENHANCED,
    VAULTED,
    Protection,
    live_points,
    read_protection,
    retention_of,
)
from reconciler.emulator.providers.recovery_sessions import read_session
from reconciler.emulator.providers.secondary_regions import arrived_points, asks_secondary
from reconciler.emulator.providers.vaults import find_vault
from reconciler.emulator.router import Request, Response, Route
from reconciler.emulator.world import World

Body = dict[str, Any]

POINTS = f"{ITEMS}/recoveryPoints"
ON_DEMAND_PER_DAY = 9  # BP-54
ON_DEMAND_DAYS = 30
VAULT_TIER: Body = {"type": "HardenedRP", "status": "Valid"}


def _now(world: World) -> int:
    return int(world.clock.now().timestamp())


def find_item(world: World, path: str) -> tuple[str, Protection]:
    """An item in its own spelling, and what is known of it. Raises 404."""
    body = world.store.get(path)
    if body is None:
        raise not_in_vault(f"The protected item {path.rpartition('/')[2]}")
    return body["id"], read_protection(world, body["id"])


def list_points(world: World, request: Request) -> Response:
    """Newest first, without the lists of disks. In the secondary region only what has arrived there."""
    item_id, protection = find_item(world, request.path.rpartition("/")[0])
    wanted = read_filter(request)
    machine = find_machine(world, protection.vm)
    first = read_date(wanted["startdate"]).timestamp() if "startdate" in wanted else 0.0
    last = read_date(wanted["enddate"]).timestamp() if "enddate" in wanted else math.inf
    points = live_points(world, protection, _now(world))[::-1]
    secondary = asks_secondary(find_vault(world, request), request)
    if secondary:
        points = arrived_points(points, _now(world))
    fitting = [point for point in points if first <= protection.start_of(point >> 4) + POINT_AFTER <= last]
    return page_of(
        world,
        request,
        POINTS,
        fitting,
        lambda point: _show_point(world, item_id, protection, point, machine, full=False, secondary=secondary),
    )


def get_point(world: World, request: Request) -> Response:
    item_id, protection = find_item(world, request.path.rpartition("/recoveryPoints/")[0])
    point = find_point(world, protection, request.params["point"])
    machine = find_machine(world, protection.vm)
    return Response(200, _show_point(world, item_id, protection, point, machine, full=True))


def find_point(world: World, protection: Protection, name: str) -> int:
    """The encoded point of a name. Raises 404 for one that has expired or never was."""
    scheduled = read_point_name(name)
    for point in live_points(world, protection, _now(world)):
        if point >> 4 == scheduled and point_name(protection, scheduled) == name:
            return point
    raise not_in_vault(f"The recovery point {name}")


def _show_point(
    world: World,
    item_id: str,
    protection: Protection,
    point: int,
    machine: Body | None,
    *,
    full: bool,
    secondary: bool = False,
) -> Body:
    scheduled = point >> 4
    name, session = point_name(protection, scheduled), read_session(world, item_id)
    hardware = (machine or {}).get("properties", {}).get("hardwareProfile") or {}
    archive = "We're still determining if this Recovery Point can be moved.. Please check again after some time."
    properties: Body = {
        "objectType": "IaasVMRecoveryPoint",
        "recoveryPointType": CONSISTENCY[point & 3],
        "recoveryPointTime": wire_time(from_epoch(protection.start_of(scheduled) + POINT_AFTER)),
        "recoveryPointAdditionalInfo": "",
        "sourceVMStorageType": "PremiumVMOnPartialPremiumStorage",
        "isSourceVMEncrypted": False,
        "isInstantIlrSessionActive": session is not None and session.point == name,
        "recoveryPointTierDetails": [VAULT_TIER] if secondary else _show_tiers(world, protection, point),
        "isManagedVirtualMachine": True,
        "virtualMachineSize": hardware.get("vmSize", ""),
        "originalStorageAccountOption": False,
        "osType": "Windows" if machine and is_windows(machine) else "Linux",
    }
    if machine and machine.get("zones"):
        properties["zones"] = machine["zones"]
    if machine and protection.disks is not None:
        properties["recoveryPointDiskConfiguration"] = _show_disks(machine, protection.disks, full=full)
    properties |= {
        "recoveryPointMoveReadinessInfo": {"ArchivedRP": {"isReadyForMove": False, "additionalInfo": archive}},
        "securityType": security_of(machine or {}) or "None",
        "isPrivateAccessEnabledOnAnyDisk": machine is not None and _has_private_disk(world, machine),
        "createdWithPolicyType": "V2" if point & ENHANCED else "V1",
        "threatStatus": 0,
    }
    return {"id": f"{item_id}/recoveryPoints/{name}", "name": name, "type": POINTS, "properties": properties}


def _has_private_disk(world: World, machine: Body) -> bool:
    storage = machine["properties"].get("storageProfile") or {}
    attached = [storage.get("osDisk") or {}, *(storage.get("dataDisks") or [])]
    disks = (world.store.get((disk.get("managedDisk") or {}).get("id", "")) for disk in attached)
    return any(disk is not None and disk["properties"].get("networkAccessPolicy") == "AllowPrivate" for disk in disks)


def _show_tiers(world: World, protection: Protection, point: int) -> list[Body]:
    """A snapshot goes from Valid to Deleted when its days are over; what is in the vault stays Valid."""
    retention = retention_of(world, protection.policy or protection.last_policy)
    instant_days = retention.instant_days if retention else 2
    is_fresh = (point >> 4) + instant_days * DAY > _now(world)
    tiers: list[Body] = [{"type": "InstantRP", "status": "Valid" if is_fresh else "Deleted"}]
    if point & VAULTED:
        tiers.append(VAULT_TIER)
    return tiers


def _show_disks(machine: Mapping[str, Any], disks: Mapping[str, Any], *, full: bool) -> Body:
    """Counts in lists; in the answer for one point the disks themselves, the OS disk as LUN -1."""
    kept, left_out = split_disks(machine, disks)
    attached = len(kept) + len(left_out)
    shown: Body = {"numberOfDisksIncludedInBackup": len(kept), "numberOfDisksAttachedToVm": attached}
    return shown | ({"includedDiskList": kept, "excludedDiskList": left_out} if full else {})


def back_up_now(world: World, request: Request) -> Response:
    """202: the operation ends in seconds, its job runs as long as a backup does (BP-54)."""
    item_path = request.path.rpartition("/")[0]
    item_id, protection = find_item(world, item_path)
    if protection.deleted_at is not None:
        raise refuse_soft_deleted()
    check_idle(world, item_id)
    start = _now(world)
    _check_on_demand(protection, start)
    sent = request.properties().get("recoveryPointExpiryTimeInUTC")
    expiry = int(parse_time(sent).timestamp()) if sent else start + ON_DEMAND_DAYS * DAY
    protection.expires = {**protection.expires, str(start): expiry}
    operation = world.operations.start(
        "backup",
        duration=draw_length(world, "backup"),
        on_done=("item.backup", {"item": item_id, "start": start, "expiry": expiry}),
        resource=item_id,
        job=run_guid(protection, start),
    )
    return Response(202, None, item_headers(world, request, operation, item_path))


def _check_on_demand(protection: Protection, now: int) -> None:
    if not protection.is_active:
        raise refuse("item", "UserErrorProtectionStopped", "The protection of the item is stopped.")
    if protection.pending:
        message = "Unable to initiate backup as another backup operation is currently in progress."
        raise refuse("item", "UserErrorBackupOperationInProgress", message)
    today = now - now % DAY
    made = [run for run in protection.runs if run & ON_DEMAND and run >> 3 >= today]
    if len(made) >= ON_DEMAND_PER_DAY:
        message = f"The limit of {ON_DEMAND_PER_DAY} on-demand backups a day is reached for this virtual machine."
        raise refuse("BP-54", "UserErrorOnDemandBackupLimitReached", message)


ROUTES: tuple[Route, ...] = (
    Route("GET", ITEM + "/recoveryPoints", list_points),
    Route("GET", ITEM + "/recoveryPoints/{point}", get_point),
    Route("POST", ITEM + "/backup", back_up_now),
)
