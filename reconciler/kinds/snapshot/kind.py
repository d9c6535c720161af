"""The kind `snapshot`: one snapshot of one managed disk, or its copy in another region, by a SnapshotSchedule.

The cadence is reconciliation: a slot without a snapshot is a create, one of ours that no retention holds is a delete.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from datetime import datetime
from typing import ClassVar

from reconciler.azure.clients import Azure
from reconciler.azure.operations import Operation
from reconciler.kinds.adoption import Adopted, AdoptedEstate
from reconciler.kinds.base import (
    Aspect,
    Assignment,
    Comparison,
    DocumentKind,
    Expansion,
    Kind,
    Ownership,
    Rule,
    Situation,
    Verdict,
)
from reconciler.kinds.phrases import Phrase
from reconciler.kinds.snapshot.adoption import adopt_snapshots
from reconciler.kinds.snapshot.consequences import snapshot_consequences
from reconciler.kinds.snapshot.expansion import expand_snapshots
from reconciler.kinds.snapshot.inventory import read_snapshots
from reconciler.kinds.snapshot.phrases import schedule_settings, snapshot_phrases, snapshot_summary
from reconciler.kinds.snapshot.promise_rules import check_promise
from reconciler.kinds.snapshot.readback import read_back
from reconciler.kinds.snapshot.requests import look, send, under_way
from reconciler.kinds.snapshot.rules import check_schedule
from reconciler.kinds.snapshot.spec import NAME, SnapshotSpec
from reconciler.kinds.snapshot.steps import snapshot_steps
from reconciler.kinds.snapshot.timetable import timetables
from reconciler.kinds.snapshot.verdict import judge_snapshot
from reconciler.model.casing import fold
from reconciler.model.document import Declared
from reconciler.model.explanation import Setting
from reconciler.model.live import Unreadable
from reconciler.model.resource import Resource
from reconciler.model.slots import ANCHOR
from reconciler.model.snapshot_schedule import ASPECT, DOCUMENT, Snapshots, SnapshotSchedule
from reconciler.plan.change import Consequence, Step
from reconciler.plan.finding import Finding


class SnapshotKind(Kind[SnapshotSpec]):
    """Ours carry our tags. Nothing is deleted that the desired state does not name as expired."""

    name = NAME
    title = "snapshot"
    spec = SnapshotSpec
    rules: ClassVar[Mapping[str, Rule]] = {
        "state": Rule.UPDATE,
        "network_access_policy": Rule.UPDATE,
        "disk_access": Rule.UPDATE,
        "public_network_access": Rule.UPDATE,
        # what a snapshot was made with is history: a schedule that says otherwise now is for the next ones
        "location": Rule.IGNORE,
        "incremental": Rule.IGNORE,
        "sku": Rule.IGNORE,
        "tags": Rule.IGNORE,
        "disk": Rule.IGNORE,
        "source": Rule.IGNORE,
        "waits_for": Rule.IGNORE,
    }
    documents = (
        DocumentKind(
            DOCUMENT, SnapshotSchedule, check_schedule, "When disks get snapshots, and for how long they stay."
        ),
    )
    aspect = Aspect(
        ASPECT,
        Snapshots,
        {"schedule": DOCUMENT},
        check_promise,
        "Snapshots of managed disks: the schedule.",
    )

    def expand(self, expansion: Expansion) -> Iterator[Resource | Finding]:
        return expand_snapshots(expansion)

    def adopt(self, estate: AdoptedEstate) -> Iterator[Adopted]:
        return adopt_snapshots(estate)

    def read(self, azure: Azure, declared: Declared) -> AsyncIterator[Resource | Unreadable]:
        return read_snapshots(azure, declared)

    def judge(self, comparison: Comparison[SnapshotSpec]) -> Verdict | None:
        return judge_snapshot(comparison)

    def ownership(self, resource: Resource, situation: Situation) -> Ownership:  # noqa: ARG002
        """`expand` speaks of every one of ours, and counts the others."""
        return Ownership.IGNORED

    def steps(self, comparison: Comparison[SnapshotSpec], verdict: Verdict) -> tuple[Step, ...]:
        return snapshot_steps(comparison, verdict)

    def consequences(self, comparison: Comparison[SnapshotSpec], verdict: Verdict) -> tuple[Consequence, ...]:
        return tuple(snapshot_consequences(comparison, verdict))

    def describe(self, spec: SnapshotSpec) -> Iterator[Phrase]:
        return snapshot_phrases(spec)

    def summarise(self, spec: SnapshotSpec) -> str:
        return snapshot_summary(spec)

    def settings(self, assignment: Assignment, declared: Declared) -> Iterable[Setting]:
        timetable = timetables(declared, ANCHOR).get(fold(assignment.value.schedule))
        return schedule_settings(assignment, timetable) if timetable else ()

    async def perform(self, azure: Azure, step: Step) -> Operation | None:
        return await send(azure, step)

    async def verify(self, azure: Azure, step: Step) -> None:
        await read_back(azure, step)

    async def running(self, azure: Azure, step: Step, since: datetime) -> Operation | None:  # noqa: ARG002
        """What the snapshot itself shows: being made, copied or deleted."""
        there = await look(azure, step)
        return under_way(step, there) if there else None
