"""Restore points that no schedule adds to any longer: of VMs that are gone, not selected, or of another schedule."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.kinds.base import Expansion
from reconciler.kinds.remarks import Remark, Remarks
from reconciler.kinds.restore_point.asked import Asked
from reconciler.kinds.restore_point.due import facts_of
from reconciler.kinds.restore_point.retention import Schedules
from reconciler.model.arm_id import ArmId
from reconciler.model.casing import fold
from reconciler.model.counting import count
from reconciler.model.duration import format_age
from reconciler.model.keeping import runs_out, say
from reconciler.model.resource import Resource
from reconciler.model.slots import spell_slot
from reconciler.model.snapshot_schedule import Keep
from reconciler.plan.finding import Finding, Severity


def remark_remainder(
    machine: ArmId,
    points: Sequence[Resource],
    asked: Asked | None,
    expansion: Expansion,
    schedules: Schedules,
    remarks: Remarks,
) -> None:
    """Says what becomes of the live points of one VM, where that is not plain from its schedule."""
    ours = [one for one in points if facts_of(one).slot is not None]
    gone = machine not in expansion.live.machines_by_id
    if gone and ours:
        remarks.single.append(_orphan(ours, expansion, schedules))
    for name in sorted({facts_of(one).schedule for one in ours}):
        document = schedules.get(fold(name))
        if document is None:
            remarks.add(
                Remark(
                    "snapshot-schedule-unknown",
                    f"SnapshotSchedule {name}",
                    "the schedule is not declared any longer, and its restore points stay as they are",
                    "declare it again so that they go as it says, or delete them by hand",
                    topic="unmanaged",
                ),
                machine.name,
            )
        elif not gone and (asked is None or fold(asked.name) != fold(name)):
            remarks.add(
                Remark(
                    "snapshot-not-selected",
                    f"SnapshotSchedule {document.name}",
                    f"it takes no restore points of it now; {_ending([document.value.keep])} (it keeps "
                    f"{say(document.value.keep)})",
                    "" if runs_out(document.value.keep) else "delete by hand what nobody needs",
                    Severity.INFO,
                    document.source,
                    topic="unmanaged",
                ),
                machine.name,
            )


def _orphan(points: Sequence[Resource], expansion: Expansion, schedules: Schedules) -> Finding:
    newest = max(points, key=lambda one: (facts_of(one).usable, facts_of(one).created))
    facts = facts_of(newest)
    collection = facts.arm_id.parent()
    gib = sum(disk.size_gib for disk in facts.disks)
    are = "are" if len(points) > 1 else "is"
    documents = [schedules.get(fold(facts_of(one).schedule)) for one in points]
    ending = _ending([one.value.keep if one else None for one in documents])
    return Finding(
        code="orphan",
        message=f"its VM is gone, and {count(len(points), 'restore point')} of it {are} left; {ending}: slot "
        f"{spell_slot(facts.slot or facts.created)}, {format_age(expansion.now - facts.created)} old, "
        f"up to {gib:,} GiB",
        severity=Severity.WARNING,
        advice="restore the VM from it, or delete all of them: az restore-point collection delete "
        f"--resource-group {collection.resource_group} --collection-name {collection.name}",
        address=str(newest.address),
    )


def _ending(keeps: Sequence[Keep | None]) -> str:
    """What becomes of restore points after which no new ones come; None where their schedule is not declared."""
    if None in keeps:
        return "they stay: the schedule is not declared any longer"
    if all(keep and runs_out(keep) for keep in keeps):
        return "they run out, but the last"
    return "those that the schedule holds stay, as no new ones come"
