"""What is to be told of the snapshots of one disk beside what is done about them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from reconciler.kinds.remarks import Remark
from reconciler.kinds.snapshot.holdings import Point
from reconciler.kinds.snapshot.prospect import Prospect
from reconciler.kinds.snapshot.survey import Survey
from reconciler.kinds.snapshot.wishes import Wish
from reconciler.model.counting import count
from reconciler.model.duration import format_age, parse_duration
from reconciler.model.keeping import runs_out, say
from reconciler.model.slots import spell_slot
from reconciler.plan.finding import Finding, Severity


def report(survey: Survey, disk: str, prospects: Mapping[str, Prospect]) -> None:
    """Orphans, schedules that nobody declares, snapshots that run out, and those that stay although they should go."""
    points = [point for one in prospects.values() for point in one.series.points]
    blind = survey.blind_to(points)
    if points and not blind and disk not in survey.disk_names:
        _report_orphan(survey, points, prospects)
    for one in prospects.values():
        if one.wish is not None:
            _report_age(survey, one, one.wish)
        elif not blind and disk in survey.disk_names:
            _report_unselected(survey, one, survey.disk_names[disk])
        for point, why in one.spared.items():
            _report_spared(survey, one, point, why)
    for point in points:
        if point.slot > survey.expansion.now:
            _report_ahead(survey, point)


def _report_orphan(survey: Survey, points: list[Point], prospects: Mapping[str, Prospect]) -> None:
    newest = max(points, key=lambda point: (point.usable, point.slot))
    names = ", ".join(sorted({point.facts.schedule for point in points}))
    age = format_age(survey.expansion.now - newest.facts.created)
    survey.remarks.single.append(
        Finding(
            code="orphan",
            message=f"its disk is gone, and {count(len(points), 'snapshot')} of it by schedule {names} "
            f"{'are' if len(points) > 1 else 'is'} left; {_ending(prospects.values())}: {newest.address.name}, "
            f"{age} old, up to {newest.facts.size_gib:,} GiB",
            severity=Severity.WARNING,
            advice=f"make a disk from it, or: az snapshot delete --ids {newest.facts.arm_id}",
            address=str(newest.address),
        )
    )


def _ending(prospects: Iterable[Prospect]) -> str:
    """What becomes of snapshots after which no new ones come."""
    keeps = [one.timetable.keep if one.timetable else None for one in prospects]
    if None in keeps:
        return "they stay: the schedule is not declared any longer"
    if all(keep and runs_out(keep) for keep in keeps):
        return "they run out, but the last"
    return "those that the schedule holds stay, as no new ones come"


def _report_unselected(survey: Survey, one: Prospect, disk: str) -> None:
    """Nothing new is taken; what is there runs out, or stays where it is kept by number."""
    machine = next((point.facts.machine_id for point in one.series.points if point.facts.machine_id), None)
    name = machine.name if machine else disk
    schedule = next(point.facts.schedule for point in one.series.points)
    if one.timetable is None:
        remark = Remark(
            "snapshot-schedule-unknown",
            f"SnapshotSchedule {schedule}",
            "its snapshots are kept: the schedule that took them is not declared",
            "declare the schedule again and they run out as it says, or delete them by hand",
            topic="unmanaged",
        )
    else:
        remark = one.timetable.remark(
            "snapshot-not-selected",
            f"no snapshots of a disk of it are taken any longer; {_ending([one])} (it keeps {say(one.timetable.keep)})",
            "" if runs_out(one.timetable.keep) else "delete by hand what nobody needs",
            severity=Severity.INFO,
            topic="unmanaged",
        )
    survey.remarks.add(remark, name)


def _report_spared(survey: Survey, one: Prospect, point: Point, why: str) -> None:
    survey.remarks.single.append(
        Finding(
            code="snapshot-spared",
            message=f"its retention has ended and it stays: {why}",
            severity=Severity.INFO,
            source=one.timetable.document.at("keep") if one.timetable else None,
            address=str(point.address),
        )
    )


def _report_ahead(survey: Survey, point: Point) -> None:
    """It would count as the newest for as long as its slot has not come: it stays, and counts for nothing."""
    survey.remarks.single.append(
        Finding(
            code="snapshot-ahead",
            message=f"its slot, {spell_slot(point.slot)}, has not begun: it was taken where a clock was wrong; until "
            "then it stays and stands in for no other",
            severity=Severity.WARNING,
            advice="set the clock of the machine that ran apply right",
            address=str(point.address),
        )
    )


def _report_age(survey: Survey, one: Prospect, wish: Wish) -> None:
    """The promised RPO, where nothing but snapshots keeps it."""
    rpo, machine = wish.assignment.objectives.rpo, wish.machine
    newest = max((point.facts.created for point in one.series.sources if point.usable), default=None)
    if rpo is None or newest is None or survey.backup(machine) or survey.backup_unknown(machine):
        return
    age = survey.expansion.now - newest
    if age > parse_duration(rpo):
        remark = wish.timetable.remark(
            "rpo-missed",
            f"the newest snapshot of a disk is {format_age(age)} old; promised is {rpo}",
            "see why none is taken, or promise what the schedule can keep",
            topic="objectives",
        )
        survey.remarks.add(remark, machine.name)
