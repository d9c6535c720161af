"""Failovers and commits of a replicated machine (recorded: failover_commit_reprotect_failback).

There is no planned failover for Azure to Azure: a failover that shuts the source down first takes its place.
"""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.emulator.operations import Operation
from reconciler.emulator.providers.replica_disks import remove_disk
from reconciler.emulator.providers.replica_machines import make_machine, remember_machine, remove_machine, shut_down
from reconciler.emulator.providers.replication_item_state import Copy, Item, begin_underway, find_item, save
from reconciler.emulator.providers.replication_items import free_item
from reconciler.emulator.providers.replication_names import ITEM, ITEMS, name_of
from reconciler.emulator.providers.replication_points import chosen_point
from reconciler.emulator.providers.replication_refusals import refuse
from reconciler.emulator.providers.replication_scenarios import (
    CHANGE_POINT,
    COMMIT,
    FAILOVER,
    SHUT_DOWN,
    SHUTDOWN_SECONDS,
    SYNCHRONISE,
)
from reconciler.emulator.providers.replication_work import check_allowed, check_direction, item_at, start
from reconciler.emulator.router import Request, Response, Route
from reconciler.emulator.world import Completion, World


def fail_over(world: World, request: Request) -> Response:
    """The machine is made in the target region. The source stays, and runs on unless it is shut down first.

    The machines of a multi-VM group fail over together, to their latest points (ASR-40).
    """
    item, properties = item_at(world, request), request.properties()
    team = _team_of(world, item)
    for member in team:
        check_allowed(member, "UnplannedFailover", "Failover")
    check_direction(properties)
    wanted = (properties.get("providerSpecificDetails") or {}).get("recoveryPointId")
    points = {member.id: chosen_point(world, member, None) for member in team}
    points[item.id] = chosen_point(world, item, wanted)
    shuts_down = properties.get("sourceSiteOperations") == "Required"
    response = start(
        world,
        request,
        item,
        FAILOVER,
        "replication.failedOver",
        arguments={"points": points, "shutDown": shuts_down},
        seconds=FAILOVER.seconds + (SHUTDOWN_SECONDS if shuts_down else 0),
        skips=(SYNCHRONISE,) if shuts_down else (SYNCHRONISE, SHUT_DOWN),
        details={"instanceType": "FailoverJobDetails", "protectedItemDetails": []},
    )
    for member in team:
        begin_underway(world, member, FAILOVER.name, name_of(response.headers["x-ms-request-id"]))
    return response


def _team_of(world: World, item: Item) -> list[Item]:
    """The machines that fail over with one, itself included."""
    ids = world.store.find(ITEMS, team=item.team) if item.team_name else [item.id]
    return [find_item(world, one) for one in ids]


def complete_failover(world: World, operation: Operation) -> None:
    """Raises the reason why the first of the machines cannot be made."""
    for item_id, point in operation.arguments["points"].items():
        become_failed_over(world, find_item(world, item_id), point, shuts_down=operation.arguments["shutDown"])


def free_team(world: World, operation: Operation) -> None:
    """The failover failed: every machine that it did not reach is as it was."""
    for item_id in operation.arguments["points"]:
        if world.store.has(item_id):
            item = find_item(world, item_id)
            item.underway = None
            save(world, item)


def become_failed_over(world: World, item: Item, point: str, *, shuts_down: bool) -> None:
    """From now on the machine runs in the target region; the recovery point may still be changed."""
    remember_machine(world, item)
    if shuts_down:
        shut_down(world, item.vm)
    machine = make_machine(world, item)
    now = world.clock.now()
    item.phase, item.since, item.underway = "failedOver", now, None
    item.failover = Copy(machine, point, now)
    save(world, item)


def change_point(world: World, request: Request) -> Response:
    """`applyRecoveryPoint`: another point for a failover that is not committed."""
    item = item_at(world, request)
    check_allowed(item, "ChangePit", "Change of the recovery point")
    point = chosen_point(world, item, request.properties().get("recoveryPointId"))
    return start(world, request, item, CHANGE_POINT, "replication.pointChanged", arguments={"point": point})


def complete_change_of_point(world: World, operation: Operation) -> None:
    """The machine is made anew."""
    item = find_item(world, operation.resource)
    if item.failover is not None:
        remove_machine(world, item.failover.machine)
        machine = make_machine(world, item)
        item.failover = Copy(machine, operation.arguments["point"], item.failover.made)
    item.underway = None
    save(world, item)


def commit(world: World, request: Request) -> Response:
    """The recovery points are gone after it."""
    item = item_at(world, request)
    check_allowed(item, "Commit", "Commit")
    return start(world, request, item, COMMIT, "replication.committed")


def complete_commit(world: World, operation: Operation) -> None:
    become_committed(world, find_item(world, operation.resource))


def become_committed(world: World, item: Item) -> None:
    for disk in item.disks:
        remove_disk(world, disk.replica)
    item.phase, item.since, item.points_from, item.underway = "committed", world.clock.now(), None, None
    save(world, item)


def refuse_planned(world: World, request: Request) -> Response:
    """A2A has none (ASR-50); Azure's words were not recorded."""
    item = item_at(world, request)
    message = f"Planned failover is not supported for the protected item {item.friendly}."
    raise refuse("ASR-50", "PlannedFailoverNotSupported", message, action="Use unplanned failover.")


def refuse_reprotect(world: World, request: Request) -> Response:
    """Its body cannot carry managed disks (issues): `switchprotection` of the container is the way."""
    item_at(world, request)
    message = "Managed disk details not provided"
    raise refuse("wire", "VMDisksMissing", message, action="Use switchprotection of the container.")


def refuse_cancel(world: World, request: Request) -> Response:
    """`CancelFailover` is never among the operations that an A2A item allows."""
    check_allowed(item_at(world, request), "CancelFailover", "Cancel failover")
    return Response(204)


ROUTES: tuple[Route, ...] = (
    Route("POST", ITEM + "/unplannedFailover", fail_over),
    Route("POST", ITEM + "/applyRecoveryPoint", change_point),
    Route("POST", ITEM + "/failoverCommit", commit),
    Route("POST", ITEM + "/plannedFailover", refuse_planned),
    Route("POST", ITEM + "/reProtect", refuse_reprotect),
    Route("POST", ITEM + "/failoverCancel", refuse_cancel),
)
COMPLETIONS: Mapping[str, Completion] = {
    "replication.failedOver": complete_failover,
    "replication.failedOver.failed": free_team,
    "replication.pointChanged": complete_change_of_point,
    "replication.pointChanged.failed": free_item,
    "replication.committed": complete_commit,
    "replication.committed.failed": free_item,
}
