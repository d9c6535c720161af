"""What becomes of the snapshots of one disk by one schedule: what stays, what is taken and copied, what goes."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass, field

import msgspec

from reconciler.kinds.snapshot.coming import copy_address
from reconciler.kinds.snapshot.copies import copies_of
from reconciler.kinds.snapshot.due import due
from reconciler.kinds.snapshot.holdings import Point, Series
from reconciler.kinds.snapshot.limits import Room
from reconciler.kinds.snapshot.retention import Expiry, expired
from reconciler.kinds.snapshot.spec import SnapshotSpec, exported_as, snapshot_id
from reconciler.kinds.snapshot.survey import Survey
from reconciler.kinds.snapshot.timetable import Timetable
from reconciler.kinds.snapshot.wishes import Wish
from reconciler.model.address import Address
from reconciler.model.resource import Ref, Resource

EXPORTED = "ActiveSAS"
"""`diskState` while somebody downloads it."""


@dataclass(slots=True)
class Prospect:
    """`timetable` is None where the schedule is not declared any longer: then everything stays. `blocked` is what is
    due and cannot be made: nothing waits for it. `leaving` is what goes, `spared` what would go and is needed yet, with
    the reason."""

    series: Series
    timetable: Timetable | None
    wish: Wish | None
    taken: Resource | None = None
    copies: list[Resource] = field(default_factory=list)
    blocked: list[Resource] = field(default_factory=list)
    leaving: dict[Point, Expiry] = field(default_factory=dict)
    spared: dict[Point, str] = field(default_factory=dict)

    def spare(self, point: Point, why: str) -> None:
        del self.leaving[point]
        self.spared[point] = why

    def resources(self, survey: Survey, instead: Address | None) -> Iterator[Resource]:
        """Everything of this series. `instead` is a snapshot that another schedule takes of the same disk now: what
        goes waits for one of the two."""
        instead = self.taken.address if self.taken else instead
        new = {resource.address: resource for resource in (self.taken, *self.copies, *self.blocked) if resource}
        last_copy = {resource.location: resource.address for resource in self.copies}
        for point in self.series.points:
            if point.address in new:
                new[point.address] = _again(new[point.address], point)
                continue
            expiry = self.leaving.get(point)
            if expiry is None:
                yield self._staying(point)
            else:
                waits = instead if point.facts.copy_of is None else last_copy.get(point.resource.location)
                yield _going(survey, point, expiry, waits, self.wish)
        yield from new.values()

    def _staying(self, point: Point) -> Resource:
        spec: SnapshotSpec = point.resource.spec  # type: ignore[assignment]  # an address of this kind
        if self.timetable is None or not point.usable:
            return point.resource
        wanted = exported_as(spec, self.timetable.schedule)
        if wanted is spec:
            return point.resource
        document = self.timetable.document
        origins = {
            "network_access_policy": document.at("networkAccessPolicy"),
            "disk_access": document.at("diskAccess"),
            "public_network_access": document.at("publicNetworkAccess"),
        }
        return dataclasses.replace(point.resource, spec=wanted, source=document.source, origins=origins)


def _again(wanted: Resource, failed: Point) -> Resource:
    """One that failed is made again with the same settings about export, where its schedule does not say others."""
    spec: SnapshotSpec = wanted.spec  # type: ignore[assignment]  # an address of this kind
    before: SnapshotSpec = failed.resource.spec  # type: ignore[assignment]
    policy = spec.network_access_policy or before.network_access_policy
    return dataclasses.replace(
        wanted,
        spec=msgspec.structs.replace(
            spec,
            network_access_policy=policy,
            disk_access=spec.disk_access if spec.network_access_policy else before.disk_access,
            public_network_access=spec.public_network_access or before.public_network_access,
        ),
    )


def _going(survey: Survey, point: Point, expiry: Expiry, waits: Address | None, wish: Wish | None) -> Resource:
    spec: SnapshotSpec = point.resource.spec  # type: ignore[assignment]  # an address of this kind
    if wish and wish.timetable.copy and point.facts.copy_of is None:
        copy = snapshot_id(copy_address(wish, point.slot), survey.expansion.declared)
        expiry = dataclasses.replace(expiry, copy=str(copy))
    wanted = msgspec.structs.replace(spec, state="expired", waits_for=Ref.of(waits) if waits else None)
    return dataclasses.replace(point.resource, spec=wanted, observed=expiry)


def prospect(survey: Survey, room: Room, key: str, series: Series, wish: Wish | None) -> Prospect:
    """One series on its own. `key` is the folded name of its schedule."""
    timetable = survey.timetables.get(key)
    found = Prospect(series, timetable, wish)
    if timetable is None:
        return found
    if wish is not None:
        snapshot = due(survey, room, series, wish)
        if snapshot and snapshot.observed.obstacle:
            found.blocked.append(snapshot)
        else:
            found.taken = snapshot
    coming = [timetable.slot] if found.taken else []
    if wish is not None and not wish.obstacle and timetable.copy is not None:
        alive = {point.slot for point in series.sources if not point.failed and not point.leaving}
        begun = {slot for slot in alive if slot <= survey.expansion.now}
        held = survey.held(timetable.keep, begun.union(coming))
        for resource in copies_of(survey, room, series, wish, found.taken, held):
            (found.blocked if resource.observed.obstacle else found.copies).append(resource)
    if survey.blind_to(series.points):
        return found
    found.leaving.update(expired(survey, timetable, series.sources, coming))
    for region, points in series.copies.items():
        slots = [one.observed.slot for one in found.copies if one.location == region]
        found.leaving.update(expired(survey, timetable, points, slots))
    _spare_what_is_used(survey, found)
    return found


def _spare_what_is_used(survey: Survey, found: Prospect) -> None:
    started = {
        resource.spec.source.address
        for resource in found.copies
        if isinstance(resource.spec, SnapshotSpec) and resource.spec.source
    }
    for point in list(found.leaving):
        if point.facts.disk_state == EXPORTED:
            found.spare(point, "it is being exported")
        elif point.facts.arm_id in survey.holdings.copied_from or point.address in started:
            found.spare(point, "it is being copied, and the copy is not complete (SN-12)")
