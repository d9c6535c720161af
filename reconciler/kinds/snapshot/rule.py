"""A rule of snapshot schedules that can be checked offline, as data."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from reconciler.model.document import Document
from reconciler.model.snapshot_schedule import SnapshotSchedule
from reconciler.plan.finding import Finding, Severity


@dataclass(frozen=True, slots=True)
class Breach:
    """Where and how a schedule breaks a rule. `path` holds the YAML keys to the value; `advice` what to write
    instead."""

    path: tuple[str | int, ...]
    message: str
    advice: str


@dataclass(frozen=True, slots=True)
class ScheduleRule:
    """`id` is that of the rule table, or a name of ours; `source` names the Azure pages that it was read in."""

    id: str
    severity: Severity
    source: str
    check: Callable[[SnapshotSchedule], Iterable[Breach]]

    def finding(self, document: Document[SnapshotSchedule], breach: Breach) -> Finding:
        path = ".".join(str(part) for part in breach.path)
        return Finding(
            code=self.id,
            severity=self.severity,
            message=f"SnapshotSchedule {document.name} {path}: {breach.message}",
            advice=breach.advice,
            source=document.at(*breach.path),
            rule_source=self.source,
        )
