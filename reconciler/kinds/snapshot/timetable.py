"""A SnapshotSchedule at one moment: its current slot, and everything that it says in normal form."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from reconciler.kinds.regions import ZONED
from reconciler.kinds.remarks import Remark
from reconciler.model.casing import fold
from reconciler.model.disk import Attachment
from reconciler.model.document import Declared, Document
from reconciler.model.duration import parse_duration
from reconciler.model.keeping import spell_keep
from reconciler.model.location import normalise_location
from reconciler.model.slots import Cadence
from reconciler.model.snapshot_schedule import DOCUMENT, CopyTo, Keep, SnapshotSchedule
from reconciler.plan.finding import Severity


@dataclass(frozen=True)
class Timetable:
    """`slot` is the one that `now` lies in."""

    document: Document[SnapshotSchedule]
    cadence: Cadence
    slot: datetime

    @property
    def name(self) -> str:
        return self.document.name

    @property
    def schedule(self) -> SnapshotSchedule:
        return self.document.value

    @property
    def keep(self) -> Keep:
        return self.document.value.keep

    @cached_property
    def keep_tag(self) -> str:
        return spell_keep(self.keep)

    @cached_property
    def skips(self) -> timedelta | None:
        """How young a recovery point of Azure Backup makes a snapshot needless."""
        within = self.schedule.skip_if_recovery_point_within
        return parse_duration(within) if within else None

    @cached_property
    def copy(self) -> CopyTo | None:
        """Where copies go, the region in its one spelling."""
        return copy_of(self.schedule)

    def remark(
        self,
        code: str,
        message: str,
        advice: str,
        *path: str,
        severity: Severity = Severity.WARNING,
        rule_source: str = "",
        topic: str = "",
    ) -> Remark:
        """What is to be said of VMs that have this schedule, at the line of it that matters."""
        subject, source = f"SnapshotSchedule {self.name}", self.document.at(*path)
        return Remark(code, subject, message, advice, severity, source, rule_source, topic)

    def sku(self, location: str) -> str:
        """Of a snapshot in this region: as written, else zone-redundant where the region has zones."""
        return self.schedule.sku or ("Standard_ZRS" if location in ZONED else "Standard_LRS")

    def takes(self, attachment: Attachment) -> bool:
        """Whether the schedule is for this disk of a VM. The OS disk always is."""
        return self.schedule.takes(attachment.lun)


def copy_of(schedule: SnapshotSchedule) -> CopyTo | None:
    """`copyTo`, whichever way it is written."""
    written = schedule.copy_to
    if written is None:
        return None
    region = written if isinstance(written, str) else written.region
    group = None if isinstance(written, str) else written.resource_group
    return CopyTo(region=normalise_location(region), resource_group=group)


def timetable_of(document: Document[SnapshotSchedule], now: datetime) -> Timetable:
    """The schedule at `now`."""
    cadence = Cadence.of(document.value)
    return Timetable(document, cadence, cadence.slot(now))


def timetables(declared: Declared, now: datetime) -> dict[str, Timetable]:
    """Every SnapshotSchedule, by its folded name."""
    documents = declared.of(DOCUMENT, SnapshotSchedule)
    return {fold(name): timetable_of(document, now) for name, document in documents.items()}
