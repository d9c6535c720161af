"""Whether a VM has the restore points that its schedule and its objectives promise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from reconciler.kinds.base import Expansion
from reconciler.kinds.remarks import Remark, Remarks
from reconciler.kinds.restore_point.asked import Asked
from reconciler.kinds.restore_point.due import covered_until, facts_of
from reconciler.model.address import Address
from reconciler.model.casing import fold
from reconciler.model.counting import count
from reconciler.model.duration import format_age, parse_duration
from reconciler.model.observed import RestorePointFacts
from reconciler.model.resource import Resource
from reconciler.model.slots import spell_slot

OBJECTIVES = "objectives"


def remark_promises(asked: Asked, points: Sequence[Resource], expansion: Expansion, remarks: Remarks) -> None:
    """`snapshot-late`, `rpo-missed` and `less-consistent` of one VM; nothing of one that has no point yet."""
    usable = []
    for facts in map(facts_of, points):
        if facts.slot and facts.slot > expansion.now:
            remarks.add(_ahead(asked, facts.slot), asked.machine.name)
        elif facts.slot and facts.usable:
            usable.append(facts)
    if not usable:
        return
    newest = max(usable, key=lambda facts: facts.created)
    for finding in (*_late(asked, usable, expansion), *_rpo(asked, newest, expansion), *_consistency(asked, newest)):
        remarks.add(finding, asked.machine.name)


def _ahead(asked: Asked, slot: datetime) -> Remark:
    return Remark(
        code="snapshot-ahead",
        subject=asked.subject,
        message=f"the slot of a restore point, {spell_slot(slot)}, has not begun: it was taken where a clock was "
        "wrong; until then it stays and stands in for no other",
        advice="set the clock of the machine that ran apply right",
        source=asked.document.at("every"),
    )


def _late(asked: Asked, usable: Sequence[RestorePointFacts], expansion: Expansion) -> Iterator[Remark]:
    """Slots that passed unused, but for those that a recovery point of Azure Backup made needless."""
    slots = [facts.slot for facts in usable if facts.slot and fold(facts.schedule) == fold(asked.name)]
    covered = covered_until(asked, expansion)
    newest = max([*slots, covered] if covered and slots else slots, default=None)
    missed = asked.cadence.missed(newest, expansion.now) if newest else None
    if missed is None:
        return
    span = f"{spell_slot(missed.first)} to {spell_slot(missed.last)}" if missed.count > 1 else spell_slot(missed.first)
    yield Remark(
        code="snapshot-late",
        subject=asked.subject,
        message=f"no restore point of {count(missed.count, 'slot')} of schedule {asked.name} that passed ({span})",
        advice="run apply at least once in every slot; what was missed is not made up for",
        source=asked.document.at("every"),
        topic=OBJECTIVES,
    )


def _rpo(asked: Asked, newest: RestorePointFacts, expansion: Expansion) -> Iterator[Remark]:
    """Only of a VM that Azure Backup does not back up, as far as that is known: else its recovery points count."""
    rpo = asked.assignment.objectives.rpo
    backup = Address("protected_vm", asked.machine.scope, asked.machine.name)
    if rpo is None or backup in expansion.live.state or expansion.live.hides(backup, asked.machine.location):
        return
    age = expansion.now - newest.created
    if age > parse_duration(rpo):
        yield Remark(
            code="rpo-missed",
            subject=asked.subject,
            message=f"the newest restore point is {format_age(age)} old; promised is {rpo}",
            advice="see why none is taken, or promise what its schedule can keep",
            source=asked.assignment.source,
            topic=OBJECTIVES,
        )


def _consistency(asked: Asked, newest: RestorePointFacts) -> Iterator[Remark]:
    """On Linux, Azure's application-consistent points are file-system-consistent unless scripts are set up."""
    if asked.mode != "ApplicationConsistent" or newest.consistency != "CrashConsistent":
        return
    yield Remark(
        code="snapshot-less-consistent",
        subject=asked.subject,
        message="the newest restore point is CrashConsistent although ApplicationConsistent was asked for",
        advice="a VM that is off or whose agent does not answer gets no better one: look at its VM agent",
        source=asked.document.at("restorePointMode"),
        topic=OBJECTIVES,
    )
