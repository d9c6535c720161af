"""One disk from one snapshot, or from one disk of a restore point."""

from __future__ import annotations

import msgspec

from reconciler.errors import UsageError
from reconciler.model.arm_id import ArmId
from reconciler.model.document import Declared
from reconciler.model.live import Live
from reconciler.model.observed import RestorePointFacts, SnapshotFacts
from reconciler.model.resource import Resource
from reconciler.model.restore_request import DiskRequest
from reconciler.restore.search import find_source
from reconciler.restore.sets import Part, part_of_snapshot, parts_of_point
from reconciler.restore.wish import Target, Wanted, Wish, check_disk, check_name, disk_of


def wish_for_disk(request: DiskRequest, declared: Declared, live: Live) -> Wish:
    """The disk that `request` asks for, in the region of its snapshot: a copy restores where the copy lies. Pure.

    Raises UsageError where the snapshot, or the disk of the restore point, is not found.
    """
    source = find_source(request.snapshot, declared, live)
    part = _part(request, source)
    target = _target(request, part, declared, live)
    wanted = Wanted(request.name, request.zone, request.sku, request.size_gib)
    return Wish(
        request=msgspec.structs.replace(request, snapshot=str(source.arm_id)),
        resources=(disk_of(part, wanted, target, live),),
        sources=(source,),
        findings=(
            *check_name(request.name, 80, "disk"),
            *target.check(live),
            *check_disk(part, wanted, live),
        ),
    )


def _part(request: DiskRequest, source: Resource) -> Part:
    facts = source.observed
    if isinstance(facts, RestorePointFacts):
        parts = {part.place: part for part in parts_of_point(source, facts)}
        if request.disk not in parts:
            raise UsageError(
                f"{source.address.name} is a restore point of {len(parts)} disks"
                + (f", and {request.disk!r} is none of them" if request.disk else ""),
                advice=f"say which with --disk: {', '.join(parts)}; `restore vm` restores all of them",
            )
        return parts[request.disk]
    assert isinstance(facts, SnapshotFacts)
    if request.disk:
        raise UsageError(
            f"{source.address.name} is the snapshot of one disk", advice="leave --disk out: it is for restore points"
        )
    return part_of_snapshot(source, facts)


def _target(request: DiskRequest, part: Part, declared: Declared, live: Live) -> Target:
    """The resource group of the disk that the snapshot is of, where it is still there; else that of the snapshot."""
    alias = part.source.address.subscription
    of_disk = ArmId(part.disk_id).resource_group if part.disk_id else ""
    there = f"{alias}/{of_disk}".casefold() in live.resource_groups
    own = part.source.arm_id.resource_group if part.source.arm_id else ""
    return Target(alias, declared.subscriptions[alias], request.resource_group or (of_disk if there else own))
