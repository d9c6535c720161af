"""The kind `restore_point`: all disks of a VM at one moment, for schedules with `consistency: restorePoint`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from datetime import datetime
from typing import ClassVar

from reconciler.azure.clients import Azure
from reconciler.azure.operations import Operation
from reconciler.kinds.adoption import Adopted, AdoptedEstate
from reconciler.kinds.base import Comparison, Expansion, Kind, Ownership, Rule, Situation, Verdict
from reconciler.kinds.owned_collections import POINT
from reconciler.kinds.phrases import Phrase
from reconciler.kinds.restore_point.adoption import adopt_points
from reconciler.kinds.restore_point.expansion import expand_points
from reconciler.kinds.restore_point.inventory import read_points
from reconciler.kinds.restore_point.requests import find_running, read_back, send
from reconciler.kinds.restore_point.spec import RestorePointSpec
from reconciler.kinds.restore_point.steps import judge_point, point_consequences, point_steps, say_point
from reconciler.model import snapshot_schedule
from reconciler.model.document import Declared
from reconciler.model.live import Unreadable
from reconciler.model.resource import Resource
from reconciler.plan.change import Consequence, Step
from reconciler.plan.finding import Finding


class RestorePointKind(Kind[RestorePointSpec]):
    """One restore point of one VM for one slot. It is taken and deleted; in between nothing of it can change."""

    name = POINT
    title = "restore point"
    spec = RestorePointSpec
    serves = snapshot_schedule.ASPECT
    rules: ClassVar[Mapping[str, Rule]] = {
        "collection": Rule.FORBID,
        "state": Rule.UPDATE,
        "consistency": Rule.IGNORE,
        "excluded": Rule.IGNORE,
        "waits_for": Rule.IGNORE,
    }

    def expand(self, expansion: Expansion) -> Iterator[Resource | Finding]:
        return expand_points(expansion)

    def adopt(self, estate: AdoptedEstate) -> Iterator[Adopted]:
        return adopt_points(estate)

    def read(self, azure: Azure, declared: Declared) -> AsyncIterator[Resource | Unreadable]:
        return read_points(azure, declared)

    def judge(self, comparison: Comparison[RestorePointSpec]) -> Verdict | None:
        return judge_point(comparison)

    def ownership(self, resource: Resource, situation: Situation) -> Ownership:  # noqa: ARG002
        """A point that is not in the desired state is never touched: `expand` names what is to go."""
        return Ownership.IGNORED

    def steps(self, comparison: Comparison[RestorePointSpec], verdict: Verdict) -> tuple[Step, ...]:
        return point_steps(comparison, verdict)

    def consequences(self, comparison: Comparison[RestorePointSpec], verdict: Verdict) -> tuple[Consequence, ...]:  # noqa: ARG002
        return tuple(point_consequences(comparison))

    def describe(self, spec: RestorePointSpec) -> Iterable[Phrase]:  # noqa: ARG002
        """Nothing: `summarise` says what a new one is, and an old one does not change."""
        return ()

    def summarise(self, spec: RestorePointSpec) -> str:
        return say_point(spec)

    async def perform(self, azure: Azure, step: Step) -> Operation | None:
        return await send(azure, step)

    async def verify(self, azure: Azure, step: Step) -> None:
        await read_back(azure, step)

    async def running(self, azure: Azure, step: Step, since: datetime) -> Operation | None:  # noqa: ARG002
        return await find_running(azure, step)
