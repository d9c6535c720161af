"""How often, for how long, and of which disks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from reconciler.kinds.document_rule import Breach, rule_of
from reconciler.model.duration import parse_duration
from reconciler.model.keeping import most
from reconciler.model.slots import Cadence
from reconciler.model.snapshot_schedule import SnapshotDisks, SnapshotSchedule
from reconciler.plan.finding import Severity

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LONGEST = 30 * DAY
MOST_POINTS = 500
"""Incremental snapshots of one disk (SN-10), restore points of one VM (SN-20)."""


def _every(schedule: SnapshotSchedule) -> Iterator[Breach]:
    every = parse_duration(schedule.every)
    if every % HOUR:
        yield Breach(("every",), f"{schedule.every} is not a whole number of hours", "write 1h or more, in whole hours")
    elif not HOUR <= every <= LONGEST:
        yield Breach(("every",), f"{schedule.every} is not between 1h and 30d", "write 1h to 30d")


def _wandering(schedule: SnapshotSchedule) -> Iterator[Breach]:
    every = parse_duration(schedule.every)
    if not every % HOUR and (DAY % every if every < DAY else every % DAY):
        near = "1h, 2h, 3h, 4h, 6h, 8h, 12h or whole days"
        yield Breach(
            ("every",), f"{schedule.every} does not divide a day: slots wander round the clock", f"write {near}"
        )


def _offset(schedule: SnapshotSchedule) -> Iterator[Breach]:
    if schedule.offset and parse_duration(schedule.offset) >= parse_duration(schedule.every):
        message = f"{schedule.offset} is not less than every, {schedule.every}"
        yield Breach(("offset",), message, "write less than every: slots repeat, so that is all there is")


def _keep_empty(schedule: SnapshotSchedule) -> Iterator[Breach]:
    if all(getattr(schedule.keep, name) is None for name in schedule.keep.__struct_fields__):
        yield Breach(("keep",), "it says nothing", "write how many or how long, as {count: 24} or {age: 14d}")


def _keep_too_many(schedule: SnapshotSchedule) -> Iterator[Breach]:
    held = _held(schedule)
    if schedule.incremental and not schedule.restore_points and held > MOST_POINTS:
        message = f"up to {held:,} snapshots of a disk; Azure allows {MOST_POINTS} incremental ones"
        yield Breach(("keep",), message, "keep fewer of the frequent ones, and some of each day or week")


def _points_too_many(schedule: SnapshotSchedule) -> Iterator[Breach]:
    held = _held(schedule)
    if schedule.restore_points and held > MOST_POINTS:
        message = f"up to {held:,} restore points of a VM; Azure allows {MOST_POINTS}"
        yield Breach(("keep",), message, "keep fewer of the frequent ones, and some of each day or week")


def _held(schedule: SnapshotSchedule) -> int:
    """At most, the one included that is taken before the oldest goes."""
    return most(schedule.keep, Cadence(parse_duration(schedule.every))) + 1


def _skip(schedule: SnapshotSchedule) -> Iterator[Breach]:
    written = schedule.skip_if_recovery_point_within
    if written and parse_duration(written) > max(DAY, parse_duration(schedule.every)):
        message = f"while Azure Backup runs daily, its newest point is never {written} old: no snapshot is ever taken"
        yield Breach(("skipIfRecoveryPointWithin",), message, "write at most 24h, or leave the schedule out")


def _disks(schedule: SnapshotSchedule) -> Iterator[Breach]:
    disks = schedule.disks
    if not isinstance(disks, SnapshotDisks):
        return
    given = {key: luns for key, luns in (("only", disks.only), ("except", disks.except_)) if luns is not None}
    if len(given) != 1:
        both = "only and except are both given" if given else "neither only nor except is given"
        yield Breach(("disks",), both, "keep one of them: {only: [0]} or {except: [1]}, or write all or osOnly")
    for key, luns in given.items():
        if len(set(luns)) < len(luns):
            yield Breach(("disks", key), "a LUN is given twice", "name each LUN once")


CADENCE_RULES = (
    rule_of("cadence", Severity.ERROR, "our own", _every),
    rule_of("cadence", Severity.WARNING, "our own", _wandering),
    rule_of("cadence", Severity.ERROR, "our own", _offset),
    rule_of("cadence", Severity.WARNING, "our own", _skip),
    rule_of("keep", Severity.ERROR, "our own", _keep_empty),
    rule_of("SN-10", Severity.ERROR, "inc", _keep_too_many),
    rule_of("SN-20", Severity.ERROR, "vrp, rpm", _points_too_many),
    rule_of("snapshot-disks", Severity.ERROR, "our own", _disks),
)
