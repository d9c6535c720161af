"""Whether a VM's restore point is due now, and what keeps Azure from taking it (SN-20, SN-21)."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from reconciler.kinds.base import Expansion
from reconciler.kinds.obstacle import Obstacle
from reconciler.kinds.owned_collections import collection_address, point_address
from reconciler.kinds.remarks import Remark
from reconciler.kinds.restore_point.asked import Asked
from reconciler.kinds.restore_point.spec import Due, RestorePointSpec
from reconciler.model.address import Address
from reconciler.model.arm_id import ArmId
from reconciler.model.casing import fold
from reconciler.model.duration import parse_duration
from reconciler.model.observed import ItemFacts, RestorePointFacts
from reconciler.model.resource import Ref, Resource
from reconciler.model.slots import slot_label, spell_slot
from reconciler.plan.finding import Severity

MOST_POINTS = 500
"""Of one VM, in all of its collections (SN-20)."""
SPACING = {"ApplicationConsistent": timedelta(hours=3), "CrashConsistent": timedelta(hours=1)}
"""The least time from one point of a VM to the next (SN-20)."""
_LEEWAY = timedelta(minutes=15)
"""Runs do not start to the second: every three hours must not become every six because one ran a minute late."""
NOT_CRASH_CONSISTENT = frozenset({"UltraSSD_LRS", "PremiumV2_LRS"})
"""Disk types that a crash-consistent point cannot hold (SN-21)."""


def facts_of(resource: Resource) -> RestorePointFacts:
    """What was observed of a live point."""
    facts: RestorePointFacts = resource.observed
    return facts


def obstacle_of(asked: Asked, expansion: Expansion) -> Obstacle | None:
    """What Azure takes no point of (SN-21)."""
    if all(disk.lun is not None for disk in asked.machine.disks):
        return Obstacle(
            "the OS disk is ephemeral or not managed: Azure takes no restore points of such VMs (SN-21)",
            "exempt these VMs from snapshots",
        )
    types = {disk.sku for item in asked.held() if (disk := expansion.live.disks_by_id.get(ArmId(item.disk)))}
    wrong = sorted(types & NOT_CRASH_CONSISTENT)
    if asked.mode == "CrashConsistent" and wrong:
        return Obstacle(
            f"crash-consistent restore points cannot hold {' and '.join(wrong)} disks (SN-21)",
            f"restorePointMode: ApplicationConsistent in schedule {asked.name}, or leave those disks out "
            "(disks: {except: [LUNs]})",
        )
    return None


def blocked(point: Resource, obstacle: Obstacle) -> Resource:
    """The point that is due and cannot be taken."""
    spec: RestorePointSpec = point.spec  # type: ignore[assignment]  # an address of this kind
    return dataclasses.replace(
        point,
        spec=msgspec.structs.replace(spec, collection=None),
        observed=dataclasses.replace(point.observed, obstacle=obstacle),
    )


def due_point(asked: Asked, points: Sequence[Resource], expansion: Expansion) -> Resource | Remark | None:
    """The point of the current slot where it is to be taken; a remark where it is put off; None where it is there.

    `points` are all live ones of the VM. One of this slot that failed is taken again, under its own address; one of a
    slot that has not begun, which a wrong clock took, stands in for no other.
    """
    slot = asked.cadence.slot(expansion.now)
    own = [one for one in points if fold(facts_of(one).schedule) == fold(asked.name) and facts_of(one).slot]
    of_slot = [one for one in own if facts_of(one).slot == slot]
    if any((known := facts_of(one).slot) and slot <= known <= expansion.now and not _failed(one) for one in own):
        return None
    reason = _covered(asked, slot, expansion) or _put_off(asked, points, expansion.now)
    if reason is None and not of_slot and len(points) >= MOST_POINTS:
        reason = Remark(
            code="SN-20",
            subject=asked.subject,
            message=f"no restore point is taken: Azure holds {MOST_POINTS} of a VM at most",
            severity=Severity.WARNING,
            advice="keep fewer, or delete what others left in the VM's collections",
            source=asked.document.at("keep"),
            rule_source="vrp, rpm",
        )
    return reason or _to_take(asked, slot, points, of_slot[0] if of_slot else None, expansion)


def covered_until(asked: Asked, expansion: Expansion) -> datetime | None:
    """Until when a recovery point of Azure Backup makes points of the VM needless. One that cannot be read does not."""
    within = asked.schedule.skip_if_recovery_point_within
    item = expansion.live.state.get(Address("protected_vm", asked.machine.scope, asked.machine.name))
    facts = item.observed if item else None
    if within is None or not isinstance(facts, ItemFacts) or facts.last_recovery_point is None:
        return None
    return facts.last_recovery_point + parse_duration(within)


def _covered(asked: Asked, slot: datetime, expansion: Expansion) -> Remark | None:
    until = covered_until(asked, expansion)
    if until is None or until <= expansion.now:
        return None
    return Remark(
        code="recovery-point-there",
        subject=asked.subject,
        message=f"no restore point for slot {spell_slot(slot)}: the newest recovery point of Azure Backup is younger "
        f"than {asked.schedule.skip_if_recovery_point_within}",
        advice="",
        severity=Severity.INFO,
        source=asked.document.at("skipIfRecoveryPointWithin"),
    )


def _put_off(asked: Asked, points: Sequence[Resource], now: datetime) -> Remark | None:
    newest = max((facts_of(one).created for one in points if not _failed(one)), default=None)
    if newest is None or newest + SPACING[asked.mode] - _LEEWAY <= now:
        return None
    hours = SPACING[asked.mode] // timedelta(hours=1)
    return Remark(
        code="SN-20",
        subject=asked.subject,
        message=f"the restore point that is due is put off: the newest is younger than {hours} h, and Azure takes "
        f"{'application' if hours > 1 else 'crash'}-consistent ones no closer to each other",
        severity=Severity.INFO,
        advice="nothing is to be done: a run that comes later takes it",
        source=asked.document.at("every"),
        rule_source="vrp, rpm",
    )


def _to_take(
    asked: Asked, slot: datetime, points: Sequence[Resource], failed: Resource | None, expansion: Expansion
) -> Resource:
    excluded = asked.excluded()
    disks = (expansion.live.disks_by_id.get(ArmId(item.disk)) for item in asked.held())
    usable = [known for one in points if facts_of(one).usable and (known := facts_of(one).slot)]
    spec = RestorePointSpec(
        collection=Ref.of(collection_address(failed.address.scope if failed else asked.scope)),
        consistency=asked.mode,
        excluded=tuple(sorted(disk.lun for disk in excluded if disk.lun is not None)),
    )
    label = slot_label(slot)
    arm_id = facts_of(failed).arm_id if failed else asked.collection_id.child("restorePoints", label)
    return Resource(
        address=failed.address if failed else point_address(asked.scope, label),
        spec=spec,
        arm_id=arm_id,
        location=asked.machine.location,
        observed=Due(
            arm_id=arm_id,
            machine=asked.machine,
            schedule=asked.name,
            slot=slot,
            excluded=tuple(disk.disk for disk in excluded),
            gib_at_most=sum(disk.size_gib for disk in disks if disk),
            previous=max(usable, default=None),
        ),
        source=asked.assignment.source,
        origins={"consistency": asked.document.at("restorePointMode"), "excluded": asked.document.at("disks")},
    )


def _failed(resource: Resource) -> bool:
    return facts_of(resource).state.lower() == "failed"
