"""Replicated machines: enabling, reading, disabling (recorded: enable_protection, disable_and_purge)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.emulator.operations import Operation
from reconciler.emulator.polling import reading_headers
from reconciler.emulator.providers.backup_names import VAULT
from reconciler.emulator.providers.replica_disks import remove_disk
from reconciler.emulator.providers.replication_containers import find_container
from reconciler.emulator.providers.replication_item_bodies import show_item
from reconciler.emulator.providers.replication_item_rules import Enabling, check_enabling, team_guid
from reconciler.emulator.providers.replication_item_state import (
    Item,
    Origin,
    Placement,
    allowed_operations,
    find_item,
    parse,
    save,
)
from reconciler.emulator.providers.replication_jobs import is_free
from reconciler.emulator.providers.replication_lists import list_below
from reconciler.emulator.providers.replication_names import (
    CONTAINER,
    ITEM,
    ITEMS,
    PLANS,
    below,
    capital,
    location_of,
    name_of,
    same,
    vault_of,
)
from reconciler.emulator.providers.replication_refusals import refuse
from reconciler.emulator.providers.replication_scenarios import DISABLE, ENABLE, PURGE
from reconciler.emulator.providers.replication_seeding import begin_copy
from reconciler.emulator.providers.replication_support import check_support, churn_of
from reconciler.emulator.providers.replication_work import refuse_if_busy, start
from reconciler.emulator.router import Request, Response, Route
from reconciler.emulator.world import Completion, World


def list_items(world: World, request: Request) -> Response:
    """Those of a container, or of the whole vault."""
    if "container" in request.params:
        find_container(world, below(world, request).rpartition("/")[0])
    return list_below(world, request, ITEMS, view=lambda body: show_item(world, body))


def get_item(world: World, request: Request) -> Response:
    item_id = below(world, request)
    body = world.store.get(item_id)
    if body is None:
        find_container(world, item_id.rpartition("/replicationProtectedItems/")[0])
        find_item(world, item_id)
    until = parse(body or {}).until
    return Response(200, show_item(world, body or {}), reading_headers(world, until) if until else {})


def put_item(world: World, request: Request) -> Response:
    """202; the item is there at once and cannot do anything before the operation ends.

    An item that is there is not changed: the operation has no effect. One whose enabling failed is tried again.
    """
    item_id = below(world, request)
    held = world.store.get(item_id)
    if held is not None and not is_free(world, item_id):
        return refuse_if_busy(world, request, find_item(world, item_id), ENABLE)
    properties = request.properties()
    sent = properties.get("providerSpecificDetails") or {}
    enabling = check_enabling(world, item_id, str(properties.get("policyId") or ""), sent)
    item = new_item(world, item_id, enabling, sent)
    if held is not None and held["phase"] != "enableFailed":
        if not same(held["vm"], item.vm):
            message = f"The protected item {item.name} replicates another virtual machine."
            raise refuse("wire", "ProtectedItemAlreadyExists", message)
        return start(world, request, find_item(world, item_id), ENABLE, "replication.itemUnchanged", seconds=1)
    save(world, item)
    return start(world, request, item, ENABLE, "replication.enabled")


def new_item(world: World, item_id: str, enabling: Enabling, sent: Mapping[str, Any]) -> Item:
    """A machine whose replication is being enabled; not kept yet."""
    machine, team = enabling.machine, str(sent.get("multiVmGroupName") or "")
    os_disk = machine["properties"]["storageProfile"]["osDisk"]
    zones = machine.get("zones") or [""]
    region, target_region = location_of(world, item_id), location_of(world, enabling.target)
    return Item(
        id=item_id,
        name=name_of(item_id),
        vm=machine["id"],
        friendly=machine["name"],
        policy=capital(enabling.policy),
        target=capital(enabling.target),
        group=enabling.group,
        phase="enabling",
        since=world.clock.now(),
        disks=enabling.disks,
        placement=_placement(machine, sent),
        origin=Origin(region, target_region, str(zones[0]), str(sent.get("recoveryAvailabilityZone") or "")),
        os=os_disk["osType"],
        team=team_guid(item_id, team),
        team_name=team,
        auto_protect=str(sent.get("autoProtectionOfDataDisk") or "Disabled"),
        churn=churn_of(world, enabling.disks),
    )


def _placement(machine: Mapping[str, Any], sent: Mapping[str, Any]) -> Placement:
    return Placement(
        machine_name=machine["name"],
        size=machine["properties"]["hardwareProfile"]["vmSize"],
        test_name=f"{machine['name']}-test",
        network=sent.get("recoveryAzureNetworkId"),
        subnet=name_of(sent["recoverySubnetName"]) if sent.get("recoverySubnetName") else None,
        zone=sent.get("recoveryAvailabilityZone"),
        availability_set=sent.get("recoveryAvailabilitySetId"),
        proximity_group=sent.get("recoveryProximityPlacementGroupId"),
        scale_set=sent.get("recoveryVirtualMachineScaleSetId"),
        capacity_group=sent.get("recoveryCapacityReservationGroupId"),
        boot_account=sent.get("recoveryBootDiagStorageAccountId"),
    )


def complete_enabling(world: World, operation: Operation) -> None:
    """The agent is installed, and the copy begins. Raises what keeps the machine from being replicated."""
    item = find_item(world, operation.resource)
    check_support(world, item, item.disks)
    item.underway = None
    begin_copy(world, item)


def fail_enabling(world: World, operation: Operation) -> None:
    """The item is left, to be tried again or disabled (plausible: what is left of it was not recorded)."""
    if world.store.has(operation.resource):
        item = find_item(world, operation.resource)
        item.phase, item.since, item.underway = "enableFailed", world.clock.now(), None
        save(world, item)


def disable_item(world: World, request: Request) -> Response:
    """`remove`: the agent is taken off the machine. What was made in the target region is left there."""
    item_id = below(world, request).removesuffix("/remove")
    if not world.store.has(item_id):
        return Response(204)
    item = find_item(world, item_id)
    if not is_free(world, item.id) or item.underway is not None:
        return refuse_if_busy(world, request, item, DISABLE)
    if "DisableProtection" not in allowed_operations(item):
        message = f"Replication of {item.friendly} cannot be disabled before the test failover is cleaned up."
        raise refuse("ASR-50", "OperationNotAllowed", message, action="Clean up the test failover and retry.")
    _check_plans(world, item)
    return start(world, request, item, DISABLE, "replication.disabled")


def purge_item(world: World, request: Request) -> Response:
    """DELETE: the record only. The agent stays on the machine, the replicas where they are."""
    item_id = below(world, request)
    if not world.store.has(item_id):
        return Response(204)
    item = find_item(world, item_id)
    _check_plans(world, item)
    return start(world, request, item, PURGE, "replication.disabled")


def _check_plans(world: World, item: Item) -> None:
    """A plan goes before its items (recorded as the order of tear-downs; the refusal is plausible)."""
    for plan in world.store.list(PLANS, vault_of(item.id)):
        members = [member["id"] for group in plan["groups"] for member in group["replicationProtectedItems"]]
        if any(same(member, item.id) for member in members):
            message = f"The protected item {item.name} is part of the recovery plan {plan['name']}."
            action = "Take the item out of the recovery plan and retry."
            raise refuse("wire", "ProtectedItemInRecoveryPlan", message, action=action)


def complete_disabling(world: World, operation: Operation) -> None:
    """The replicas of a machine that runs in the target region are gone; others stay behind as leftovers."""
    item = find_item(world, operation.resource)
    if item.failover is not None:
        for disk in item.disks:
            remove_disk(world, disk.replica)
    world.store.delete(item.id)


def free_item(world: World, operation: Operation) -> None:
    """Nothing came of it, or it failed: the machine is as it was, and free."""
    if world.store.has(operation.resource):
        item = find_item(world, operation.resource)
        item.underway, item.is_cleaning = None, False
        save(world, item)


_COLLECTION = "/replicationProtectedItems"
ROUTES: tuple[Route, ...] = (
    Route("GET", VAULT + _COLLECTION, list_items),
    Route("GET", CONTAINER + _COLLECTION, list_items),
    Route("GET", ITEM, get_item),
    Route("PUT", ITEM, put_item),
    Route("DELETE", ITEM, purge_item),
    Route("POST", ITEM + "/remove", disable_item),
)
COMPLETIONS: Mapping[str, Completion] = {
    "replication.enabled": complete_enabling,
    "replication.enabled.failed": fail_enabling,
    "replication.disabled": complete_disabling,
    "replication.disabled.failed": free_item,
}
