"""What a recovery plan does to the machines of its groups, and what it tells a runbook of them."""

from __future__ import annotations

from typing import Any

from reconciler.emulator.providers.backup_names import part
from reconciler.emulator.providers.recovery_plan_steps import Run, Step
from reconciler.emulator.providers.replication_drills import clean, drill, test_network
from reconciler.emulator.providers.replication_failovers import become_committed, become_failed_over
from reconciler.emulator.providers.replication_item_state import Item, find_item
from reconciler.emulator.providers.replication_names import (
    entity_guid,
    group_of,
    location_of,
    name_of,
    parent_of,
    same,
    subscription_of,
)
from reconciler.emulator.providers.replication_points import Point, point_id, points_of
from reconciler.emulator.providers.replication_refusals import fail
from reconciler.emulator.providers.replication_support import account_region
from reconciler.emulator.providers.replication_switches import check_switch, reprotect
from reconciler.emulator.providers.storage_accounts import ACCOUNTS
from reconciler.emulator.world import World


def act_on_machine(world: World, run: Run, item: Item) -> None:
    """The plan's scenario for one machine. Raises ArmError with the reason why it cannot be done."""
    if run.scenario == "TestFailover":
        network = test_network(world, item, {"networkType": run.network_kind, "networkId": run.network})
        drill(world, item, network, _point(world, run, item))
        _stop(world, item)
    elif run.scenario == "UnplannedFailover":
        become_failed_over(world, item, _point(world, run, item), shuts_down=False)
        _stop(world, item)
    elif run.scenario == "TestFailoverCleanup":
        clean(world, item)
    elif run.scenario == "CommitFailover":
        become_committed(world, item)
    else:
        _reprotect(world, item)


def _point(world: World, run: Run, item: Item) -> str:
    """The id of the point of the wanted kind (ASR-51)."""
    points = points_of(world, item)
    fitting: list[Point] = points
    if run.point_kind == "LatestApplicationConsistent":
        fitting = [point for point in points if point.is_app_consistent]
    elif run.point_kind == "LatestCrashConsistent":
        fitting = [point for point in points if not point.is_app_consistent]
    if not fitting:
        cause = f"There is no recovery point of the kind {run.point_kind} for {item.friendly}."
        raise fail("ASR-51", "28031", "The failover of the virtual machine failed.", cause=cause)
    return point_id(item, fitting[0])


def _copy_of(item: Item) -> str:
    made = item.drill or item.failover
    return made.machine if made else ""


def _stop(world: World, item: Item) -> None:
    """Made, and not started before its group is."""
    machine = _copy_of(item)
    world.store.hide(machine, {**world.store.hidden(machine), "power": "stopped"})


def boot(world: World, item_id: str) -> None:
    """Starts the machine that was made for an item."""
    machine = _copy_of(find_item(world, item_id))
    if world.store.has(machine):
        world.store.hide(machine, {**world.store.hidden(machine), "power": "running"})


def _reprotect(world: World, item: Item) -> None:
    """With what the service chooses by itself: the disks of the machine and a cache account of its region."""
    region = location_of(world, item.target)
    machine: dict[str, Any] = world.store.get(item.failover.machine if item.failover else "") or {"properties": {}}
    accounts = [one for one in world.store.ids(ACCOUNTS) if account_region(world, one) == region]
    own = [one for one in accounts if subscription_of(one).lower() == subscription_of(item.vm).lower()]
    group = group_of(item.vm)
    disks = [
        {
            "diskId": disk.target,
            "primaryStagingAzureStorageAccountId": own[0] if own else "",
            "recoveryResourceGroupId": group,
            "recoveryReplicaDiskAccountType": disk.replica_type,
            "recoveryTargetDiskAccountType": disk.target_type,
        }
        for disk in item.disks
        if disk.target
    ]
    zone = item.origin.primary_zone if same(parent_of(parent_of(item.id)), parent_of(parent_of(item.target))) else None
    sent = {"recoveryResourceGroupId": group, "vmManagedDisks": disks, "recoveryAvailabilityZone": zone or None}
    if not machine["properties"]:
        raise fail("ASR-54", "150161", "Reprotect of the virtual machine failed.", cause="The machine is gone.")
    reprotect(world, item, check_switch(world, item, sent))


def runbook_context(world: World, run: Run, step: Step) -> dict[str, Any]:
    """What a runbook is given. Before a group's machines are there, their names are empty (ASR-64)."""
    items = [find_item(world, one) for one in _machines_near(run, step)]
    machines = {}
    for item in items:
        copy = "" if step.is_before else _copy_of(item)
        made = item.drill or item.failover
        machines[entity_guid(item.id)] = {
            "SubscriptionId": subscription_of(item.group),
            "ResourceGroupName": part(copy, "resourceGroups"),
            "CloudServiceName": "",
            "RoleName": name_of(copy),
            "RecoveryPointId": name_of(made.point) if made else "",
        }
    is_forward = run.direction == "PrimaryToRecovery"
    return {
        "RecoveryPlanName": run.plan_name,
        "FailoverType": "Test" if run.scenario == "TestFailover" else "Unplanned",
        "FailoverDirection": "PrimaryToSecondary" if is_forward else "SecondaryToPrimary",
        "GroupId": str(step.group) if step.group else step.section.removesuffix("AllActionGroup"),
        "VmMap": machines,
    }


def _machines_near(run: Run, step: Step) -> list[str]:
    """The machines of the step's group, or all."""
    own = [other.items for other in run.steps if other.section == step.section and other.items]
    return own[0] if own else [*run.jobs]
