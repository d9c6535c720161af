"""What a Protection promises and its schedule cannot keep."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.kinds.snapshot.timetable import timetables
from reconciler.model.casing import fold
from reconciler.model.document import Declared, Document
from reconciler.model.duration import parse_duration
from reconciler.model.protection import Protection
from reconciler.model.slots import ANCHOR
from reconciler.model.snapshot_schedule import ASPECT, Snapshots
from reconciler.plan.finding import Finding, Severity

_BACKUP = "backup"
"""The aspect that keeps an RPO in place of snapshots."""


def check_promise(document: Document[Protection], aspect: Snapshots, declared: Declared) -> Iterator[Finding]:
    """An RPO, the Protection's own or the Scope's default, that is shorter than the time between two snapshots, where
    the same Protection asks for no backup."""
    timetable = timetables(declared, ANCHOR).get(fold(aspect.schedule))
    own = document.value.objectives.rpo if document.value.objectives else None
    rpo = own or declared.scope.value.defaults.objectives.rpo
    if timetable is None or rpo is None or _BACKUP in document.value.aspects:
        return
    every = timetable.schedule.every
    if parse_duration(rpo) >= parse_duration(every):
        return
    promised = document.at("objectives", "rpo") if own else declared.scope.at("defaults", "objectives", "rpo")
    yield Finding(
        code="rpo-cadence",
        severity=Severity.WARNING,
        message=f"Protection {document.name} {ASPECT}.schedule: SnapshotSchedule {timetable.name} takes one every "
        f"{every}, and the objective is an rpo of {rpo}{'' if own else ', the default of the Scope'}: it is missed "
        "before each of them",
        advice=f"write objectives: {{rpo: …}} of {every} or more, take a more frequent schedule, or add backup",
        source=document.at(ASPECT, "schedule"),
        also=(promised, timetable.document.at("every")),
    )
