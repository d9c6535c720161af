"""Assignments → the disks that are to have snapshots, and what is to be known of those that cannot."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from reconciler.kinds.base import Assignment
from reconciler.kinds.obstacle import Obstacle, group_missing
from reconciler.kinds.remarks import Remark
from reconciler.kinds.snapshot.survey import Survey
from reconciler.kinds.snapshot.timetable import Timetable
from reconciler.model.arm_id import ArmId
from reconciler.model.casing import fold
from reconciler.model.disk import Attachment, Disk
from reconciler.model.machine import Machine
from reconciler.model.snapshot_schedule import SnapshotDisks

INCREMENTAL_ONLY = frozenset({"UltraSSD_LRS", "PremiumV2_LRS"})
"""Disks of which Azure takes incremental snapshots only, and copies their data in the background (SN-13)."""


@dataclass(frozen=True, slots=True)
class Wish:
    """One disk is to have snapshots by one schedule. `group` is the resource group of the snapshots. Where there is an
    `obstacle` none can be taken, and those that are due are blocked; what is there is not let go of because of that."""

    assignment: Assignment
    timetable: Timetable
    disk: Disk
    place: str
    group: str
    obstacle: Obstacle | None = None

    @property
    def machine(self) -> Machine:
        return self.assignment.machine

    @property
    def scope(self) -> str:
        return f"{self.machine.subscription}/{self.group}"


Wishes = Mapping[str, Mapping[str, Wish]]
"""By the folded uniqueId of the disk, then by the folded name of the schedule: a shared disk is wished for once."""


def wishes_of(survey: Survey) -> Wishes:
    """Who gets what. Remarks are made of everything that stands in the way."""
    found: dict[str, dict[str, Wish]] = defaultdict(dict)
    ordered = sorted(survey.expansion.assignments, key=lambda item: item.machine.arm_id)
    by_timetable: dict[str, list[Machine]] = defaultdict(list)
    for item in ordered:
        timetable = survey.timetables.get(fold(item.value.schedule))
        if timetable is None or timetable.schedule.restore_points:
            continue
        by_timetable[fold(timetable.name)].append(item.machine)
        for wish in _of_machine(survey, item, timetable):
            found[fold(wish.disk.unique_id)].setdefault(fold(timetable.name), wish)
    for key, machines in by_timetable.items():
        for remark in _idle_luns(survey.timetables[key], machines):
            for machine in machines:
                survey.remarks.add(remark, machine.name)
    return found


def _of_machine(survey: Survey, item: Assignment, timetable: Timetable) -> Iterator[Wish]:
    machine = item.machine
    chosen = [attachment for attachment in machine.disks if timetable.takes(attachment)]
    for remark in _of_disks(timetable, machine, chosen):
        survey.remarks.add(remark, machine.name)
    group = timetable.schedule.resource_group or machine.resource_group
    missing = group_obstacle(survey, machine, group, machine.location)
    for attachment in chosen:
        disk = survey.expansion.live.disks_by_id.get(ArmId(attachment.disk))
        if disk is None or not disk.unique_id:
            _remark_absent(survey, timetable, machine)
            continue
        yield Wish(item, timetable, disk, attachment.place, group, _full(timetable, disk) or missing)


def group_obstacle(survey: Survey, machine: Machine, group: str, location: str) -> Obstacle | None:
    """Where it is certain that there is no such resource group."""
    alias = machine.subscription
    if not survey.group_missing(alias, group):
        return None
    return group_missing(alias, machine.arm_id.subscription, group, location)


def _full(timetable: Timetable, disk: Disk) -> Obstacle | None:
    if disk.sku not in INCREMENTAL_ONLY or timetable.schedule.incremental:
        return None
    return Obstacle(
        f"schedule {timetable.name} takes full snapshots, and of {disk.sku} disks Azure takes incremental ones only "
        "(SN-13)",
        "write incremental: true, or leave these disks out",
    )


def _of_disks(timetable: Timetable, machine: Machine, chosen: list[Attachment]) -> Iterator[Remark]:
    if len(chosen) > 1 and timetable.schedule.consistency is None:
        message = "each of several disks has snapshots of its own, which do not fit each other"
        advice = "write consistency: restorePoint for all disks at one moment, or perDisk if this is known"
        yield timetable.remark("SN-15", message, advice, rule_source="snp, vrp")
    managed = {attachment.lun for attachment in machine.disks}
    if None not in managed:
        message = "the OS disk is ephemeral or not managed: Azure takes no snapshot of it"
        yield timetable.remark("snapshot-no-disk", message, "exempt these VMs from snapshots if that is meant")
    unmanaged = sorted(set(machine.data_disks).difference(lun for lun in managed if lun is not None))
    if unmanaged:
        luns = ", ".join(str(lun) for lun in unmanaged)
        message = f"the data disk with LUN {luns} is not managed: Azure takes no snapshot of it"
        yield timetable.remark("snapshot-no-disk", message, "convert the VM to managed disks: az vm convert")


def _remark_absent(survey: Survey, timetable: Timetable, machine: Machine) -> None:
    if fold(machine.subscription) in survey.blind:
        return  # told already: a list could not be read
    message = "a disk of it is in no list of managed disks of its subscription: no snapshot is taken of that one"
    survey.remarks.add(
        timetable.remark("snapshot-no-disk", message, "run it again: the VM may just have changed"), machine.name
    )


def _idle_luns(timetable: Timetable, machines: list[Machine]) -> Iterator[Remark]:
    """LUNs that the schedule names and none of its VMs has: most often a slip of the pen."""
    disks = timetable.schedule.disks
    if not isinstance(disks, SnapshotDisks):
        return
    there = {lun for machine in machines for lun in machine.data_disks}
    for key, luns in (("only", disks.only), ("except", disks.except_)):
        idle = sorted(set(luns or ()) - there)
        if idle:
            named = ", ".join(str(lun) for lun in idle)
            message = f"no data disk with LUN {named}, which the schedule names"
            yield timetable.remark("snapshot-no-lun", message, "correct the LUN, or leave it out", "disks", key)
