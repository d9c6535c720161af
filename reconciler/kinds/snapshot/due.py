"""Whether a disk gets the snapshot of the current slot. Slots that passed are told, never made up for."""

from __future__ import annotations

from datetime import datetime

from reconciler.kinds.snapshot.coming import taken, taken_address
from reconciler.kinds.snapshot.holdings import Series
from reconciler.kinds.snapshot.limits import Room
from reconciler.kinds.snapshot.survey import Survey
from reconciler.kinds.snapshot.wishes import Wish
from reconciler.model.casing import fold
from reconciler.model.counting import count
from reconciler.model.observed import SnapshotFacts
from reconciler.model.resource import Resource
from reconciler.model.slots import spell_slot
from reconciler.plan.finding import Severity


def due(survey: Survey, room: Room, series: Series, wish: Wish) -> Resource | None:
    """The snapshot to take, one with an `obstacle` where Azure as it is forbids it; None where it is there, a backup
    makes it needless, or it is put off."""
    there = (point.slot for point in series.sources if not point.failed or point.under_way)
    newest = max((slot for slot in there if slot <= survey.expansion.now), default=None)
    if newest is not None and newest >= wish.timetable.slot:
        return None
    if _skipped(survey, wish):
        return None
    if wish.obstacle:
        return taken(survey, wish, newest, whole=False)
    _remark_missed(survey, wish, newest)
    if _name_taken(survey, wish):
        return None
    whole = not (wish.timetable.schedule.incremental and room.holdings.incrementals[fold(wish.disk.unique_id)])
    refusal = room.take(wish)
    if refusal:
        survey.remarks.add(refusal.remark(wish.timetable, "every"), wish.machine.name)
        return None
    return taken(survey, wish, newest, whole=whole)


def _skipped(survey: Survey, wish: Wish) -> bool:
    """Whether a backup is young enough. One that cannot be read is none."""
    within, facts = wish.timetable.skips, survey.backup(wish.machine)
    newest = facts.last_recovery_point if facts else None
    if within is None or newest is None or survey.expansion.now - newest >= within:
        return False
    remark = wish.timetable.remark(
        "recovery-point-there",
        f"no snapshot for slot {spell_slot(wish.timetable.slot)}: the newest recovery point of Azure Backup is younger "
        f"than {wish.timetable.schedule.skip_if_recovery_point_within}",
        "",
        "skipIfRecoveryPointWithin",
        severity=Severity.INFO,
    )
    survey.remarks.add(remark, wish.machine.name)
    return True


def _remark_missed(survey: Survey, wish: Wish, newest: datetime | None) -> None:
    """Slots without a snapshot since the newest one, or since the newest backup where that stands in for it."""
    facts = survey.backup(wish.machine) if wish.timetable.skips else None
    stands_in = facts.last_recovery_point if facts else None
    since = max((one for one in (newest, stands_in) if one), default=None)
    missed = wish.timetable.cadence.missed(since, survey.expansion.now) if since else None
    if missed is None:
        return
    span = f"{spell_slot(missed.first)} to {spell_slot(missed.last)}" if missed.count > 1 else spell_slot(missed.first)
    remark = wish.timetable.remark(
        "snapshot-late",
        f"{count(missed.count, 'slot')} passed without a snapshot: {span}",
        "run apply at least once in every slot; what was missed is not made up for",
        "every",
        topic="objectives",
    )
    survey.remarks.add(remark, wish.machine.name)


def _name_taken(survey: Survey, wish: Wish) -> bool:
    """Whether somebody else's snapshot has the very name: it is left alone, and so is the slot."""
    address = taken_address(wish, wish.timetable.slot)
    there = survey.expansion.live.state.get(address)
    if there is None or (isinstance(there.observed, SnapshotFacts) and there.observed.slot == wish.timetable.slot):
        return False
    remark = wish.timetable.remark(
        "snapshot-name-taken",
        f"a snapshot that is not ours is called {address.name}: it is left as it is, and the slot has none",
        "delete it by hand, or give it back the tags it had, or name another resourceGroup",
    )
    survey.remarks.add(remark, wish.machine.name)
    return True
