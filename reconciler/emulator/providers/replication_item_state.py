"""What is kept of a replicated machine, and the phases that it goes through (site-recovery.md §4).

Two clocks: the operation that enables replication ends long before the machine is Protected. The copy runs by the GiB,
then the service waits for the first recovery point.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

import msgspec

from reconciler.emulator.providers.replication_names import ITEMS, capital, entity_guid
from reconciler.emulator.providers.replication_refusals import missing
from reconciler.emulator.store import Body
from reconciler.emulator.world import World

Phase = Literal["enabling", "enableFailed", "copying", "finalizing", "protected", "failedOver", "committed"]

SECONDS_PER_GIB = 7
"""An empty disk of 127 GiB took a quarter of an hour (recorded)."""
SHORTEST_COPY = timedelta(minutes=5)
FIRST_POINT = timedelta(minutes=5)
GIB = 1024**3


class State(NamedTuple):
    """How a phase is told."""

    protection: str
    description: str
    operations: tuple[str, ...] = ()
    machine: str = "UnprotectedStatesBegin"
    machine_description: str = "Enabling protection"


STATES: dict[Phase, State] = {
    "enabling": State("UnprotectedStatesBegin", "Enabling protection"),
    "enableFailed": State("UnprotectedStatesBegin", "Enabling protection failed", ("DisableProtection",)),
    "copying": State("InitialReplicationInProgress", "Initial replication is in progress", ("DisableProtection",)),
    "finalizing": State(
        "InitialReplicationRecoveryCompletionPending", "Waiting for first recovery point", ("DisableProtection",)
    ),
    "protected": State(
        "Protected",
        "Protected",
        ("UnplannedFailover", "DisableProtection", "TestFailover"),
        "Protected",
        "Protected",
    ),
    "failedOver": State(
        "UnplannedFailoverCommitPendingStatesBegin",
        "Unplanned failover commit pending",
        ("Commit", "ChangePit", "ReverseReplicate", "DisableProtection"),
        "Protected",
        "Protected",
    ),
    "committed": State(
        "UnplannedFailoverCommitted",
        "Failover committed",
        ("ReverseReplicate", "DisableProtection"),
        "Protected",
        "Protected",
    ),
}
"""Recorded up to Protected; what is allowed after a failover besides Commit is inferred."""


class Disk(msgspec.Struct, rename="camel"):
    """A replicated disk. ``target`` is the disk that a failover made of it, ``size`` is in bytes."""

    id: str
    name: str
    size: int
    is_os: bool
    staging: str
    group: str
    replica: str
    replica_type: str
    target_type: str
    failover_name: str
    test_name: str
    encryption_set: str | None = None
    target: str | None = None
    former_target: str | None = None
    pending: bool = False


class Origin(msgspec.Struct, frozen=True, rename="camel"):
    """Where a machine was first replicated from and to; a reprotect leaves it as it is."""

    primary: str
    recovery: str
    primary_zone: str = ""
    recovery_zone: str = ""


class Underway(msgspec.Struct, frozen=True, rename="camel"):
    """The scenario that works on a machine: its name, its job and when it began."""

    name: str
    job: str
    started: datetime


class Copy(msgspec.Struct, frozen=True, rename="camel"):
    """A machine that was made from a recovery point: by a drill or by a failover."""

    machine: str
    point: str
    made: datetime


class Placement(msgspec.Struct, rename="camel"):
    """What the machine will be in the other region; all of it can be changed in place."""

    machine_name: str
    size: str
    test_name: str
    network: str | None = None
    subnet: str | None = None
    test_network: str | None = None
    zone: str | None = None
    availability_set: str | None = None
    proximity_group: str | None = None
    scale_set: str | None = None
    capacity_group: str | None = None
    boot_account: str | None = None


class Item(msgspec.Struct, rename="camel"):
    """``target`` is the recovery container, ``group`` the target resource group, ``until`` when the phase ends."""

    id: str
    name: str
    vm: str
    friendly: str
    policy: str
    target: str
    group: str
    phase: Phase
    since: datetime
    disks: list[Disk]
    placement: Placement
    origin: Origin
    os: str
    team: str
    team_name: str = ""
    until: datetime | None = None
    nics: list[dict[str, Any]] = []
    tags: dict[str, str] = {}
    lifecycle: str | None = None
    points_from: datetime | None = None
    stalled: datetime | None = None
    underway: Underway | None = None
    drill: Copy | None = None
    is_cleaning: bool = False
    last_drill: datetime | None = None
    failover: Copy | None = None
    switches: int = 0
    churn: str = "Normal"
    auto_protect: str = "Disabled"
    percentage: int | None = None
    agent: str = "9.65.7481.1"
    type: str = ITEMS


def find_item(world: World, item_id: str) -> Item:
    """A kept item. Raises 404."""
    body = world.store.get(item_id)
    if body is None or body.get("type") != ITEMS:
        raise missing("Replication Protected Item", item_id.rpartition("/")[2])
    return parse(body)


def parse(body: Body) -> Item:
    return msgspec.convert(body, Item)


def save(world: World, item: Item) -> None:
    world.store.put(item.id, ITEMS, msgspec.to_builtins(item), vm=item.vm, entity=entity_guid(item.id), team=item.team)


def item_of(world: World, vm: str) -> Item | None:
    """The item that replicates a machine, in whatever vault; None without one."""
    found = world.store.find(ITEMS, vm=vm)
    return find_item(world, found[0]) if found else None


def copy_length(disks: list[Disk]) -> timedelta:
    """How long the disks take to be copied."""
    return max(SHORTEST_COPY, timedelta(seconds=SECONDS_PER_GIB * sum(disk.size for disk in disks) / GIB))


def begin_underway(world: World, item: Item, name: str, job: str) -> None:
    """Notes that a job works on a machine."""
    vault = "/".join(item.id.split("/")[:9])
    item.underway = Underway(name, f"{capital(vault)}/replicationJobs/{job}", world.clock.now())
    save(world, item)


def allowed_operations(item: Item) -> list[str]:
    """What may be asked of a machine now: nothing while a job works on it, only the cleanup after a drill."""
    if item.underway is not None or item.is_cleaning:
        return []
    if item.drill is not None:
        return ["TestFailoverCleanup"]
    allowed = [*STATES[item.phase].operations]
    if item.phase == "protected" and any(disk.pending for disk in item.disks):
        allowed.append("RepairReplication")
    return allowed
