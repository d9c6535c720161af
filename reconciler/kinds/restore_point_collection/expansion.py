"""VMs whose restore points need a place → desired collections, and those that nobody needs."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Iterator

import msgspec

from reconciler.kinds.base import Assignment, Expansion
from reconciler.kinds.obstacle import Obstacle
from reconciler.kinds.owned_collections import (
    COLLECTION,
    KEEP,
    MACHINE,
    POINT,
    SCHEDULE,
    collection_id,
    collection_name,
)
from reconciler.kinds.restore_point_collection.spec import CollectionSpec
from reconciler.kinds.tag_room import LONGEST_VALUE, fill
from reconciler.model.address import Address
from reconciler.model.casing import fold
from reconciler.model.document import Document
from reconciler.model.keeping import spell_keep
from reconciler.model.resource import Resource
from reconciler.model.snapshot_schedule import DOCUMENT, Snapshots, SnapshotSchedule
from reconciler.plan.finding import Finding, Severity

MOST_COLLECTIONS = 10_000
"""Of one subscription in one region (SN-20); only our own are counted."""


def expand_collections(expansion: Expansion) -> Iterator[Resource | Finding]:
    """Those that a point refers to, and those of a schedule that is still in force, with its retention."""
    live = {address: one for address, one in expansion.live.state.items() if address.kind == COLLECTION}
    wanted = {address for address in expansion.wanted if address.kind == COLLECTION}
    asked = dict(_asked(expansion))
    for address, resource in asked.items():
        if address in live:
            yield _changed(resource, live[address])
    yield from _placed(live, (asked[address] for address in wanted - live.keys() if address in asked))
    for address, resource in live.items():
        if address in wanted and address not in asked:
            yield resource
    yield from _empty(expansion, live, wanted | asked.keys())


def _asked(expansion: Expansion) -> Iterator[tuple[Address, Resource]]:
    documents = {fold(name): one for name, one in expansion.declared.of(DOCUMENT, SnapshotSchedule).items()}
    for assignment in expansion.assignments:
        aspect: Snapshots = assignment.value
        document = documents.get(fold(aspect.schedule))
        if document is not None and document.value.restore_points:
            resource = _resource(assignment, document)
            yield resource.address, resource


def _resource(assignment: Assignment, document: Document[SnapshotSchedule]) -> Resource:
    machine, schedule = assignment.machine, document.value
    group = schedule.resource_group or machine.resource_group
    name = collection_name(document.name, machine.arm_id)
    ours = {SCHEDULE: document.name, KEEP: spell_keep(schedule.keep)}
    if len(str(machine.arm_id)) <= LONGEST_VALUE:
        ours[MACHINE] = str(machine.arm_id)  # for people: the collection's source says it anyway
    spec = CollectionSpec(
        schedule=document.name,
        machine=str(machine.arm_id),
        keep=ours[KEEP],
        tags=fill(ours, schedule.tags or {}, machine.tags if schedule.copy_tags else {}),
    )
    return Resource(
        address=Address(COLLECTION, f"{machine.subscription}/{group}", name),
        spec=spec,
        arm_id=collection_id(machine.arm_id.subscription, group, name),
        location=machine.location,
        source=assignment.source,
        origins={"keep": document.at("keep")},
    )


def _changed(desired: Resource, live: Resource) -> Resource:
    """The live one under today's retention: of its other tags and its spellings nothing changes."""
    spec, wanted = live.spec, desired.spec
    assert isinstance(spec, CollectionSpec)
    assert isinstance(wanted, CollectionSpec)
    if spec.keep != wanted.keep:
        spec = msgspec.structs.replace(spec, keep=wanted.keep)
    return dataclasses.replace(desired, spec=spec)


def _empty(expansion: Expansion, live: dict[Address, Resource], needed: set[Address]) -> Iterator[Finding]:
    holding = {fold(address.scope) for address in expansion.live.state if address.kind == POINT}
    for address, resource in sorted(live.items()):
        scope = f"{address.scope}/{address.name}"
        unread = expansion.live.hides(Address(POINT, scope, "any"))
        if address not in needed and fold(scope) not in holding and not unread and resource.arm_id:
            yield Finding(
                code="empty-collection",
                message="this restore point collection holds nothing and nobody needs it; it is left as it is",
                severity=Severity.INFO,
                advice=f"az restore-point collection delete --resource-group {resource.arm_id.resource_group} "
                f"--collection-name {address.name}",
                address=str(address),
                topic="unmanaged",
            )


def _placed(live: dict[Address, Resource], coming: Iterable[Resource]) -> Iterator[Resource]:
    """New ones, with an obstacle where their region is full."""
    held = Counter((fold(address.subscription), one.location) for address, one in live.items())
    for one in sorted(coming, key=lambda item: item.address):
        alias = one.address.subscription
        place = (fold(alias), one.location)
        if held[place] < MOST_COLLECTIONS:
            held[place] += 1
            yield one
            continue
        full = Obstacle(
            f"subscription {alias} has all the restore point collections in {one.location} that Azure has room for, "
            f"{MOST_COLLECTIONS:,} (SN-20)",
            "take snapshots of single disks of some VMs (consistency: perDisk), or delete empty collections",
        )
        yield dataclasses.replace(one, observed=full)
