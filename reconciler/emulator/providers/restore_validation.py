"""Asking whether a restore would be accepted, without starting it: all refusals at once (documented, not recorded)."""

from typing import Any

from reconciler.emulator.failures import ArmError
from reconciler.emulator.providers.backup_names import ITEMS, VAULT, part
from reconciler.emulator.providers.backup_refusals import not_in_vault, refuse, refuse_soft_deleted
from reconciler.emulator.providers.protected_item_rules import canonical_vm
from reconciler.emulator.providers.protected_item_states import read_protection
from reconciler.emulator.providers.recovery_points import find_point
from reconciler.emulator.providers.restore_requests import find_source
from reconciler.emulator.providers.restore_rules import Ask, find_refusals
from reconciler.emulator.providers.vaults import find_vault
from reconciler.emulator.router import Request, Response, Route
from reconciler.emulator.world import World

Body = dict[str, Any]

REQUEST = "ValidateIaasVMRestoreOperationRequest"


def validate(world: World, request: Request) -> Response:
    """200 with what would be refused; an empty list if nothing would. The point is named by the body."""
    ask = _read_ask(world, request)
    results = [_show(refusal) for refusal in find_refusals(world, ask)]
    return Response(200, {"validateOperationResponse": {"validationResults": results}})


def _read_ask(world: World, request: Request) -> Ask:
    vault, sent = find_vault(world, request), request.properties()
    wish = sent.get("restoreRequest") or {}
    if sent.get("objectType") != REQUEST:
        hint = f"objectType {sent.get('objectType')!r} is not {REQUEST}"
        raise refuse("BP-100", "BMSUserErrorInvalidInput", "Input provided for the call is invalid", hint=hint)
    machine = canonical_vm(world, str(wish.get("sourceResourceId") or ""))
    below = f"{vault['id']}/".lower()
    items = [item for item in world.store.find(ITEMS, vm=machine) if item.lower().startswith(below)]
    if not items:
        raise not_in_vault(f"The protected item of {part(machine, 'virtualMachines')}")
    protection = read_protection(world, items[0])
    if protection.deleted_at is not None:
        raise refuse_soft_deleted()
    name = str(wish.get("recoveryPointId") or request.body.get("id", "")).rpartition("/")[2]
    source = find_source(world, vault, items[0], protection, find_point(world, protection, name))
    return Ask(source, {**wish, "recoveryPointId": name}, name, vault["location"])


def _show(refusal: ArmError) -> Body:
    return {"code": refusal.code, "message": refusal.message, "recommendations": []}


ROUTES: tuple[Route, ...] = (Route("POST", VAULT + "/backupValidateOperation", validate),)
