"""Protected items: list, get, put, delete (backup.md §2, §3).

One PUT means seven things; which one follows from `isRehydrate`, `protectionState` and what is there. Every PUT
answers 202 with an empty body. A second PUT or DELETE while one still runs is refused with 409: real traffic shows
no such case, only the code and its text are documented.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.emulator.operations import Operation
from reconciler.emulator.paging import list_response
from reconciler.emulator.providers.backup_filters import read_filter
from reconciler.emulator.providers.backup_jobs import open_job
from reconciler.emulator.providers.backup_names import ITEM, ITEMS, POLICIES, VAULT, item_id
from reconciler.emulator.providers.backup_operations import draw_length, item_headers, vault_level_headers
from reconciler.emulator.providers.backup_refusals import (
    not_in_vault,
    refuse_item_request,
    refuse_on_immutable,
    refuse_soft_deleted,
)
from reconciler.emulator.providers.backup_retention import is_protection_reduced
from reconciler.emulator.providers.backup_times import from_epoch, wire_time
from reconciler.emulator.providers.protected_item_rules import (
    Aim,
    canonical_vm,
    check_delete,
    check_enable,
    check_idle,
    check_names,
)
from reconciler.emulator.providers.protected_item_states import (
    Protection,
    live_points,
    read_protection,
    refresh_item,
)
from reconciler.emulator.providers.resource_guards import check_guard, check_unlocked
from reconciler.emulator.providers.vault_settings import is_immutable, soft_delete
from reconciler.emulator.providers.vaults import find_vault
from reconciler.emulator.router import Request, Response, Route
from reconciler.emulator.store import Where
from reconciler.emulator.world import World

Body = dict[str, Any]

VM_TYPES = ("microsoft.compute/virtualmachines", "microsoft.classiccompute/virtualmachines")
FILTERS = {
    "backupmanagementtype": "backupManagementType",
    "itemtype": "workloadType",
    "policyname": "policyName",
    "friendlyname": "friendlyName",
}


@dataclass(frozen=True)
class Wish:
    """What a PUT asks for: the kind of operation, its completion and the arguments, and the job it shows as."""

    kind: str
    completion: str
    arguments: Body
    job: str
    bag: Mapping[str, str]


def list_items(world: World, request: Request) -> Response:
    vault = find_vault(world, request)
    wanted = {FILTERS[name]: value for name, value in read_filter(request).items() if name in FILTERS}
    if wanted == {"backupManagementType": "azureiaasvm", "workloadType": "vm"} or not wanted:
        where: Where | None = None  # all there are
    else:
        where = _matcher(wanted)
    below = vault["id"].lower() + "/"
    has_deleted = any(item.lower().startswith(below) for item in world.store.find(ITEMS, deleted="yes"))
    view = (lambda body: refresh_item(world, body)) if has_deleted else None
    return list_response(world, request, ITEMS, vault["id"], where=where, view=view)


def _matcher(wanted: dict[str, str]) -> Where:
    return lambda body: all(str(body["properties"].get(key, "")).lower() == value for key, value in wanted.items())


def get_item(world: World, request: Request) -> Response:
    """A soft-deleted item answers 200 as well. `extendedInfo` comes only with `$expand`."""
    find_vault(world, request)
    body = world.store.get(request.path)
    if body is None:
        raise not_in_vault(f"The protected item {request.params['item']}")
    body = refresh_item(world, body)
    if "extendedinfo" in request.query.get("$expand", "").lower():
        protection = read_protection(world, body["id"])
        points = live_points(world, protection, int(world.clock.now().timestamp()))
        info: Body = {"recoveryPointCount": len(points), "policyInconsistent": False}
        if points:
            info["oldestRecoveryPoint"] = wire_time(from_epoch(protection.start_of(points[0] >> 4)))
        body["properties"]["extendedInfo"] = info
    return Response(200, body)


def _aim(world: World, request: Request) -> Aim:
    vault, sent = find_vault(world, request), request.properties()
    if str(sent.get("protectedItemType", "")).lower() not in VM_TYPES:
        raise refuse_item_request(f"protectedItemType {sent.get('protectedItemType')!r} is not modelled")
    vm_id = canonical_vm(world, str(sent.get("sourceResourceId") or sent.get("virtualMachineId") or ""))
    check_names(request.params["container"], request.params["item"], vm_id)
    identity = item_id(vault["id"], vm_id)
    held = read_protection(world, identity) if world.store.has(identity) else None
    check_idle(world, identity)
    return Aim(vault, identity, vm_id, held)


def put_item(world: World, request: Request) -> Response:
    aim = _aim(world, request)
    sent = request.properties()
    state = sent.get("protectionState")
    if sent.get("isRehydrate"):
        wish = _undelete(aim)
    elif aim.held is not None and aim.held.deleted_at is not None:
        raise refuse_soft_deleted()
    elif state in ("ProtectionStopped", "BackupsSuspended"):
        wish = _halt(world, request, aim, suspend=state == "BackupsSuspended")
    else:
        wish = _configure(world, request, aim)
    operation = start_item_operation(world, aim, wish)
    return Response(202, None, item_headers(world, request, operation, request.path))


def start_item_operation(world: World, aim: Aim, wish: Wish) -> Operation:
    """Starts the operation and the job beside it, whose id differs from the operation's guid."""
    job_id = world.new_guid()
    operation = world.operations.start(
        wish.kind,
        duration=draw_length(world, wish.kind),
        on_done=(wish.completion, {"item": aim.item_id, "vault": aim.vault["id"], "vm": aim.vm_id, **wish.arguments}),
        resource=aim.item_id,
        job=job_id,
    )
    open_job(world, aim.vault["id"], aim.vm_id, operation, wish.job, wish.bag)
    return operation


def _undelete(aim: Aim) -> Wish:
    if aim.held is None or aim.held.deleted_at is None:
        raise refuse_item_request("BP-72 isRehydrate needs an item that is soft deleted")
    return Wish("undelete", "item.undeleted", {}, "Undelete", {"Undelete flag": "True"})


def _halt(world: World, request: Request, aim: Aim, *, suspend: bool) -> Wish:
    """Stop with data kept for ever, or suspend with data kept as the policy says (immutable vaults only)."""
    if aim.held is None:
        raise not_in_vault(f"The protected item {request.params['item']}")
    if suspend:
        if not is_immutable(aim.vault["properties"]):
            raise refuse_on_immutable("BP-71", "backups can be suspended in an immutable vault only")
        return Wish(
            "suspend", "item.suspended", {}, "DisableBackup", {"Policy Name": aim.held.policy.rpartition("/")[2]}
        )
    check_guard(world, request, aim.vault["id"], "stopProtectionWithRetainData")
    return Wish("stop", "item.stopped", {}, "DisableBackup", {"Policy Name": ""})


def _configure(world: World, request: Request, aim: Aim) -> Wish:
    sent, held = request.properties(), aim.held
    policy = world.store.get(str(sent.get("policyId") or ""))
    if policy is None or policy["type"] != POLICIES or not policy["id"].startswith(aim.vault["id"] + "/"):
        raise refuse_item_request(f"policyId {sent.get('policyId')!r} is not a policy of the vault")
    extended = sent.get("extendedProperties") or {}
    disks = extended.get("diskExclusionProperties")
    check_enable(world, aim, policy, disks, request.api_version)
    if held is not None:
        _check_reduction(world, request, aim, held, policy)
    arguments: Body = {"policy": policy["id"]}
    if "diskExclusionProperties" in extended or held is None:
        arguments["disks"] = disks
    kind = "enable" if held is None else "change" if held.is_active else "resume"
    return Wish(kind, "item.configured", arguments, "ConfigureBackup", {"Policy Name": policy["name"]})


def _check_reduction(world: World, request: Request, aim: Aim, held: Protection, policy: Body) -> None:
    before = world.store.get(held.policy)
    if before is not None and is_protection_reduced(before["properties"], policy["properties"]):
        check_guard(world, request, aim.vault["id"], "updateProtection")


def delete_item(world: World, request: Request) -> Response:
    """Stop and delete data. 204 for an item that is not there."""
    vault = find_vault(world, request)
    body = world.store.get(request.path)
    if body is None:
        return Response(204)
    held = read_protection(world, body["id"])
    check_idle(world, body["id"])
    check_delete(vault, held)
    check_unlocked(world, vault["id"], body["id"], "deleteProtection")
    bag = {"Number of Recovery Points": str(len(held.points))}
    is_soft = soft_delete(vault["properties"])["softDeleteState"] != "Disabled"
    wish = Wish("soft-delete" if is_soft else "delete", "item.deleted", {}, "DeleteBackupData", bag)
    operation = start_item_operation(world, Aim(vault, body["id"], held.vm, held), wish)
    return Response(202, None, vault_level_headers(world, request, operation, vault["id"]))


ROUTES: tuple[Route, ...] = (
    Route("GET", VAULT + "/backupProtectedItems", list_items),
    Route("GET", ITEM, get_item),
    Route("PUT", ITEM, put_item),
    Route("DELETE", ITEM, delete_item),
)
