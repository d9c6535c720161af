"""Restore points that no schedule adds to any longer: of VMs that are gone, not selected, or of another schedule."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.kinds.base import Expansion
from reconciler.kinds.remarks import Remarks
from reconciler.kinds.restore_point.asked import Asked
from reconciler.kinds.restore_point.due import facts_of
from reconciler.kinds.restore_point.retention import Schedules
from reconciler.model.arm_id import ArmId
from reconciler.model.casing import fold
from reconciler.model.counting import count
from reconciler.model.duration import format_age
from reconciler.model.keeping import say
from reconciler.model.resource import Resource
from reconciler.model.slots import spell_slot
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
        remarks.add(_orphan(ours, expansion), machine.name)
    for name in sorted({facts_of(one).schedule for one in ours}):
        document = schedules.get(fold(name))
        if document is None:
            remarks.add(_undeclared(name), machine.name)
        elif not gone and (asked is None or fold(asked.name) != fold(name)):
            message = f"schedule {document.name} takes no restore points of it any longer; what is there runs out as it"
            finding = Finding(
                code="snapshot-not-selected",
                message=f"{message} keeps {say(document.value.keep)}, and the last one stays",
                severity=Severity.INFO,
                source=document.source,
                topic="unmanaged",
            )
            remarks.add(finding, machine.name)


def _undeclared(name: str) -> Finding:
    return Finding(
        code="snapshot-schedule-unknown",
        message=f"its restore points are kept: schedule {name}, which took them, is not declared",
        severity=Severity.WARNING,
        advice="declare the schedule again and they run out as it says, or delete them by hand",
        topic="unmanaged",
    )


def _orphan(points: Sequence[Resource], expansion: Expansion) -> Finding:
    newest = max(points, key=lambda one: facts_of(one).created)
    facts = facts_of(newest)
    collection = facts.arm_id.parent()
    gib = sum(disk.size_gib for disk in facts.disks)
    age = format_age(expansion.now - facts.created)
    return Finding(
        code="orphan",
        message=f"the VM is gone and has {count(len(points), 'restore point')}; the newest, of slot "
        f"{spell_slot(facts.slot or facts.created)}, is {age} old, of disks of {gib:,} GiB, and stays",
        severity=Severity.WARNING,
        advice="restore the VM from it, or delete all of them: az restore-point collection delete "
        f"--resource-group {collection.resource_group} --collection-name {collection.name}",
        address=str(newest.address),
    )
