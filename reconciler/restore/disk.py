"""One disk from one snapshot."""

from __future__ import annotations

import msgspec

from reconciler.model.arm_id import ArmId
from reconciler.model.document import Declared
from reconciler.model.live import Live
from reconciler.model.observed import SnapshotFacts
from reconciler.model.resource import Resource
from reconciler.model.restore_request import DiskRequest
from reconciler.restore.search import find_snapshot
from reconciler.restore.sets import part_of_snapshot
from reconciler.restore.wish import Target, Wanted, Wish, check_disk, check_name, disk_of


def wish_for_disk(request: DiskRequest, declared: Declared, live: Live) -> Wish:
    """The disk that `request` asks for, in the region of its snapshot: a copy restores where the copy lies. Pure.

    Raises UsageError where the snapshot is not found.
    """
    snapshot = find_snapshot(request.snapshot, declared, live)
    facts = snapshot.observed
    assert isinstance(facts, SnapshotFacts)
    target = _target(request, snapshot, facts, declared, live)
    part = part_of_snapshot(snapshot, facts)
    wanted = Wanted(request.name, request.zone, request.sku, request.size_gib)
    return Wish(
        request=msgspec.structs.replace(request, snapshot=str(facts.arm_id)),
        resources=(disk_of(part, wanted, target, live),),
        sources=(snapshot,),
        findings=(
            *check_name(request.name, 80, "disk"),
            *target.check(live),
            *check_disk(part, wanted, live),
        ),
    )


def _target(request: DiskRequest, snapshot: Resource, facts: SnapshotFacts, declared: Declared, live: Live) -> Target:
    """The resource group of the disk that the snapshot is of, where it is still there; else that of the snapshot."""
    alias = snapshot.address.subscription
    of_disk = ArmId(facts.disk_id).resource_group if facts.disk_id else ""
    there = f"{alias}/{of_disk}".casefold() in live.resource_groups
    group = request.resource_group or (of_disk if there else facts.arm_id.resource_group)
    return Target(alias, declared.subscriptions[alias], group)
