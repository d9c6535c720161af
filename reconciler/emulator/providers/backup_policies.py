"""Backup policies of a vault: list, get, put, delete (backup.md §4).

PUT answers 200 with the body at once, also for a policy with items: the documented 202 was seen in none of 949
recorded calls.
"""

from collections.abc import Mapping
from typing import Any

from reconciler.emulator.failures import ArmError
from reconciler.emulator.paging import list_response
from reconciler.emulator.providers.backup_filters import read_filter
from reconciler.emulator.providers.backup_limits import check_policy_room, count_policy_write
from reconciler.emulator.providers.backup_names import ITEMS, POLICIES, VAULT
from reconciler.emulator.providers.backup_policy_defaults import fill_in, put_policy_body
from reconciler.emulator.providers.backup_policy_rules import Refusal, policy_tier
from reconciler.emulator.providers.backup_refusals import refuse, refuse_on_immutable, refuse_policy
from reconciler.emulator.providers.backup_retention import is_protection_reduced, is_retention_reduced
from reconciler.emulator.providers.backup_retention_rules import check_policy
from reconciler.emulator.providers.backup_runs import forget_expired
from reconciler.emulator.providers.backup_schedule import read_schedule
from reconciler.emulator.providers.protected_item_states import Protection, read_protection, save_protection
from reconciler.emulator.providers.resource_guards import check_guard
from reconciler.emulator.providers.vault_settings import is_immutable
from reconciler.emulator.providers.vaults import find_vault
from reconciler.emulator.router import Request, Response, Route
from reconciler.emulator.world import World

Body = dict[str, Any]


def list_policies(world: World, request: Request) -> Response:
    """`protectedItemsCount` is 0 in every entry, as in all 451 recorded lists."""
    vault = find_vault(world, request)
    wanted = read_filter(request).get("backupmanagementtype")
    where = None if wanted is None else lambda body: body["properties"]["backupManagementType"].lower() == wanted
    return list_response(world, request, POLICIES, vault["id"], where=where)


def get_policy(world: World, request: Request) -> Response:
    """The one answer that counts right. A missing policy is 404 with the body `{}`."""
    find_vault(world, request)
    body = world.store.get(request.path)
    if body is None:
        raise ArmError(404, "ResourceNotFound", "no such policy", body={})
    body["properties"]["protectedItemsCount"] = len(world.store.find(ITEMS, policy=body["id"]))
    return Response(200, body)


def put_policy(world: World, request: Request) -> Response:
    vault = find_vault(world, request)
    held = world.store.get(request.path)
    name = held["name"] if held else request.params["policy"]
    sent = request.properties()
    if sent.get("backupManagementType") != "AzureIaasVM":
        raise refuse_policy([Refusal("BP-01", "only policies of backupManagementType AzureIaasVM are modelled")])
    day = world.clock.now().date().isoformat()
    properties = fill_in(sent, held["properties"] if held else None, day=day)
    _check_body(name, properties)
    if held is None:
        check_policy_room(world, vault["id"])
    else:
        _check_edit(world, request, vault, held, properties)
    count_policy_write(world, vault["id"])
    if held is not None:
        _freeze_dates(held["properties"], properties)
    body = put_policy_body(world, vault["id"], name, properties)
    if held is not None:
        moved = read_schedule(held["properties"]) != read_schedule(properties)
        _reach_items(world, body["id"], moved=moved)
    return Response(200, body)


def _check_body(name: str, properties: Body) -> None:
    try:
        refusals = check_policy(name, properties)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        refusals = [Refusal("BP-01", f"the body has not the shape of a policy: {error!r}")]
    if refusals:
        raise refuse_policy(refusals)


def _check_edit(world: World, request: Request, vault: Body, held: Body, properties: Body) -> None:
    before = held["properties"]
    if before["backupManagementType"] != "AzureIaasVM" or policy_tier(before) != policy_tier(properties):
        raise refuse_policy([Refusal("BP-40", "the policyType of a policy cannot change")])
    reduced = is_retention_reduced(before, properties)
    if is_immutable(vault["properties"]):
        if reduced:
            raise refuse_on_immutable("BP-81", "the edit lowers a retention")
        if properties["retentionPolicy"] != before["retentionPolicy"] and _has_suspended(world, held["id"]):
            raise refuse_on_immutable("BP-82", "an item of the policy is suspended")
    if is_protection_reduced(before, properties):
        check_guard(world, request, vault["id"], "updatePolicy")


def _items_of(world: World, policy_id: str) -> list[tuple[str, Protection]]:
    return [(item_id, read_protection(world, item_id)) for item_id in world.store.find(ITEMS, policy=policy_id)]


def _has_suspended(world: World, policy_id: str) -> bool:
    return any(protection.state == "BackupsSuspended" for _, protection in _items_of(world, policy_id))


def _reach_items(world: World, policy_id: str, *, moved: bool) -> None:
    """The edit reaches every item of the policy: its next run, and points that have expired by it (BP-19)."""
    now = int(world.clock.now().timestamp())
    for item_id, protection in _items_of(world, policy_id):
        if moved:
            protection.restart(now)
        forget_expired(world, protection, now)
        save_protection(world, item_id, protection)


def _freeze_dates(before: Mapping[str, Any], after: Any) -> None:
    """Only the time of day of a policy's instants moves; the date stays that of its creation."""
    for key, value in after.items() if isinstance(after, dict) else ():
        old = before.get(key) if isinstance(before, Mapping) else None
        if isinstance(value, dict) and isinstance(old, Mapping):
            _freeze_dates(old, value)
        elif key in ("scheduleRunTimes", "retentionTimes") and isinstance(old, list) and old:
            after[key] = [f"{old[0][:10]}{text[10:]}" for text in value]
        elif key == "scheduleWindowStartTime" and isinstance(old, str):
            after[key] = f"{old[:10]}{value[10:]}"


def delete_policy(world: World, request: Request) -> Response:
    """200 and no body; refused while items use the policy (BP-73; the code is hearsay)."""
    find_vault(world, request)
    body = world.store.get(request.path)
    if body is None:
        return Response(204)
    users = world.store.find(ITEMS, policy=body["id"])
    if users:
        message = (
            "The policy is in use by protected items\r\n"
            "Remove all the items associated with this policy and retry the operation."
        )
        raise refuse("BP-73", "BMSUserErrorPolicyObjectInUse", message)
    world.store.delete(body["id"])
    return Response(200)


_POLICY = VAULT + "/backupPolicies/{policy}"

ROUTES: tuple[Route, ...] = (
    Route("GET", VAULT + "/backupPolicies", list_policies),
    Route("GET", _POLICY, get_policy),
    Route("PUT", _POLICY, put_policy),
    Route("DELETE", _POLICY, delete_policy),
)
