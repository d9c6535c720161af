"""Test failovers: a copy of the machine beside it, which must be cleaned up before anything else (composed; §7).

No drill of a single A2A machine was found recorded: names of states are those of the specification's examples.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.emulator.clock import stamp
from reconciler.emulator.operations import Operation
from reconciler.emulator.providers.network_attachments import interface_references
from reconciler.emulator.providers.replica_machines import make_machine, remove_machine
from reconciler.emulator.providers.replication_item_rules import check_network
from reconciler.emulator.providers.replication_item_state import Copy, Item, find_item, save
from reconciler.emulator.providers.replication_items import free_item
from reconciler.emulator.providers.replication_jobs import find_job
from reconciler.emulator.providers.replication_jobs import save as save_job
from reconciler.emulator.providers.replication_names import ITEM, location_of, name_of, same, vault_of
from reconciler.emulator.providers.replication_points import chosen_point, point_id, points_of
from reconciler.emulator.providers.replication_refusals import refuse
from reconciler.emulator.providers.replication_scenarios import TEST_CLEANUP, TEST_FAILOVER
from reconciler.emulator.providers.replication_work import check_allowed, check_direction, item_at, start
from reconciler.emulator.router import Request, Response, Route
from reconciler.emulator.world import Completion, World


def test_failover(world: World, request: Request) -> Response:
    """A copy of the machine in a network of its own; replication goes on."""
    item, properties = item_at(world, request), request.properties()
    check_allowed(item, "TestFailover", "Test failover")
    check_direction(properties)
    network = test_network(world, item, properties)
    point = chosen_point(world, item, (properties.get("providerSpecificDetails") or {}).get("recoveryPointId"))
    details = drill_details(network, str(properties.get("networkType") or ""))
    arguments = {"network": network, "point": point}
    return start(world, request, item, TEST_FAILOVER, "replication.drilled", arguments=arguments, details=details)


def drill_details(network: str | None = None, kind: str | None = None, comments: str | None = None) -> dict[str, Any]:
    """The ``customDetails`` of the job of a drill or of its cleanup."""
    name = name_of(network) if network else None
    return {
        "instanceType": "TestFailoverJobDetails",
        "testFailoverStatus": None,
        "comments": comments,
        "networkName": name,
        "networkFriendlyName": name,
        "networkType": kind,
        "protectedItemDetails": [],
    }


def describe_copy(world: World, item: Item) -> dict[str, Any]:
    """What the job of a drill tells of the machine that was made."""
    assert item.drill is not None, "only a machine that was drilled is told of"
    point = next((one for one in points_of(world, item) if point_id(item, one) == item.drill.point), None)
    interfaces = interface_references(world.store.get(item.drill.machine))
    return {
        "name": item.name,
        "friendlyName": item.friendly,
        "testVmName": item.drill.machine,
        "testVmFriendlyName": name_of(item.drill.machine),
        "networkConnectionStatus": "Connected" if interfaces else "NotConnected",
        "networkFriendlyName": None,
        "subnet": None,
        "recoveryPointId": item.drill.point,
        "recoveryPointTime": stamp(point.taken) if point else None,
    }


def test_network(world: World, item: Item, properties: Mapping[str, Any]) -> str | None:
    """The network of a drill (ASR-52). None: no network. Zone to zone it must not be the machine's own."""
    kind, network = str(properties.get("networkType") or ""), properties.get("networkId") or None
    if kind.lower() == "nonetworkattachasinput":
        return None
    if network is None:
        network = item.placement.test_network
    if not network:
        message = "A virtual network is needed for a test failover with networkType VmNetworkAsInput."
        raise refuse("ASR-52", "TestNetworkMissing", message)
    check_network(world, network, location_of(world, item.target))
    if any(nic["vMNetworkName"] and same(nic["vMNetworkName"], str(network)) for nic in item.nics):
        message = "The test network must be another network than that of the virtual machine."
        raise refuse("ASR-52", "InvalidTestNetwork", message)
    return str(network)


def complete_drill(world: World, operation: Operation) -> None:
    item = find_item(world, operation.resource)
    drill(world, item, operation.arguments["network"], operation.arguments["point"])
    job = find_job(world, vault_of(item.id), operation.guid)
    if job is not None and job.details is not None:
        job.details["protectedItemDetails"] = [describe_copy(world, item)]
        save_job(world, job)


def drill(world: World, item: Item, network: str | None, point: str) -> None:
    """Makes the test machine; from now on only the cleanup is allowed."""
    if network is None:
        item.nics, kept = [], item.nics
        machine = make_machine(world, item, is_test=True)
        item.nics = kept
    else:
        machine = make_machine(world, item, test_network=network, is_test=True)
    item.drill, item.underway = Copy(machine, point, world.clock.now()), None
    save(world, item)


def fail_drill(world: World, operation: Operation) -> None:
    """A drill that failed leaves its machine until it is cleaned up (documented)."""
    if not world.store.has(operation.resource):
        return
    item = find_item(world, operation.resource)
    item.nics, kept = [], item.nics
    machine = make_machine(world, item, is_test=True)
    item.nics, item.underway = kept, None
    item.drill = Copy(machine, operation.arguments["point"], world.clock.now())
    world.store.hide(item.id, {**world.store.hidden(item.id), "drillFailed": True})
    save(world, item)


def clean_up(world: World, request: Request) -> Response:
    item = item_at(world, request)
    check_allowed(item, "TestFailoverCleanup", "Test failover cleanup")
    comments = request.properties().get("comments")
    response = start(
        world, request, item, TEST_CLEANUP, "replication.cleaned", details=drill_details(comments=comments or "")
    )
    mark_cleaning(world, item)
    return response


def mark_cleaning(world: World, item: Item) -> None:
    item.is_cleaning = True
    save(world, item)


def complete_cleanup(world: World, operation: Operation) -> None:
    clean(world, find_item(world, operation.resource))


def clean(world: World, item: Item) -> None:
    """Takes the test machine away. A drill counts from here on, if it did not fail."""
    hidden = world.store.hidden(item.id)
    if item.drill is not None:
        remove_machine(world, item.drill.machine)
        if not hidden.pop("drillFailed", False):
            item.last_drill = world.clock.now()
    item.drill, item.underway, item.is_cleaning = None, None, False
    save(world, item)
    world.store.hide(item.id, hidden)


ROUTES: tuple[Route, ...] = (
    Route("POST", ITEM + "/testFailover", test_failover),
    Route("POST", ITEM + "/testFailoverCleanup", clean_up),
)
COMPLETIONS: Mapping[str, Completion] = {
    "replication.drilled": complete_drill,
    "replication.drilled.failed": fail_drill,
    "replication.cleaned": complete_cleanup,
    "replication.cleaned.failed": free_item,
}
