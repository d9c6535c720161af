"""The kind `replicated_vm`: Azure Site Recovery of one VM, Azure to Azure. It is changed in place or blocked, never
replaced; while people fail over, drill or go back, it is left alone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from datetime import datetime
from typing import ClassVar

from reconciler.azure.clients import Azure
from reconciler.azure.operations import Operation
from reconciler.kinds.adoption import Adopted, AdoptedEstate
from reconciler.kinds.base import Aspect, Comparison, Expansion, Kind, Ownership, Rule, Situation, Verdict
from reconciler.kinds.phrases import Phrase
from reconciler.kinds.replicated_vm.adoption import adopt_replications
from reconciler.kinds.replicated_vm.consequences import replication_consequences
from reconciler.kinds.replicated_vm.expansion import expand_replications
from reconciler.kinds.replicated_vm.inventory import read_items
from reconciler.kinds.replicated_vm.jobs import find_running
from reconciler.kinds.replicated_vm.operations import VERBS, check_operated, find_operation, operate
from reconciler.kinds.replicated_vm.outcome import judge_outcome
from reconciler.kinds.replicated_vm.phrases import replication_phrases, replication_summary
from reconciler.kinds.replicated_vm.requests import read_back, send
from reconciler.kinds.replicated_vm.rules import check_replication
from reconciler.kinds.replicated_vm.spec import NAME, ReplicatedVmSpec, normal_spec
from reconciler.kinds.replicated_vm.steps import replication_steps
from reconciler.kinds.replicated_vm.verdict import RULES, judge_replication, route_at
from reconciler.model.document import Declared
from reconciler.model.live import Unreadable
from reconciler.model.replicated import ReplicationFacts
from reconciler.model.replication import ASPECT, ROUTE, Replication
from reconciler.model.resource import Resource
from reconciler.model.scope import Objectives
from reconciler.plan.change import Consequence, Step
from reconciler.plan.finding import Finding


class ReplicatedVmKind(Kind[ReplicatedVmSpec]):
    """One VM, replicated along one route. No step ends a replication but a release by `onRelease: disable`."""

    name = NAME
    title = "replicated VM"
    spec = ReplicatedVmSpec
    rules: ClassVar[Mapping[str, Rule]] = RULES
    order_only = frozenset({"networks"})  # a VM is better replicated without its network mapping than not at all
    aspect = Aspect(
        ASPECT,
        Replication,
        {"route": ROUTE},
        check_replication,
        "Azure Site Recovery: where to replicate to.",
    )
    per_machine = True

    def expand(self, expansion: Expansion) -> Iterator[Resource | Finding]:
        return expand_replications(expansion)

    def adopt(self, estate: AdoptedEstate) -> Iterator[Adopted]:
        return adopt_replications(estate)

    def read(self, azure: Azure, declared: Declared) -> AsyncIterator[Resource | Unreadable]:
        return read_items(azure, declared)

    def normalise(self, spec: ReplicatedVmSpec) -> ReplicatedVmSpec:
        return normal_spec(spec)

    def judge(self, comparison: Comparison[ReplicatedVmSpec]) -> Verdict | None:
        return judge_replication(comparison)

    def ownership(self, resource: Resource, situation: Situation) -> Ownership:
        """Ours until the policies dropped it: along a declared route, its VM still there, nobody at work on it.

        The replication of a VM that is gone is never ended: that is when it is needed.
        """
        facts, spec = resource.observed, resource.spec
        if not isinstance(facts, ReplicationFacts) or not isinstance(spec, ReplicatedVmSpec) or facts.frozen:
            return Ownership.IGNORED
        if facts.machine_id not in situation.live.machines_by_id:
            return Ownership.IGNORED
        known = route_at(spec.mapping.address, situation) is not None
        return Ownership.RELEASED if known else Ownership.UNMANAGED

    def steps(self, comparison: Comparison[ReplicatedVmSpec], verdict: Verdict) -> tuple[Step, ...]:
        return replication_steps(comparison, verdict)

    def consequences(self, comparison: Comparison[ReplicatedVmSpec], verdict: Verdict) -> tuple[Consequence, ...]:
        return tuple(replication_consequences(comparison, verdict))

    def describe(self, spec: ReplicatedVmSpec) -> Iterator[Phrase]:
        return replication_phrases(spec)

    def summarise(self, spec: ReplicatedVmSpec) -> str:
        return replication_summary(spec)

    def outcome(self, resource: Resource, objectives: Objectives, now: datetime) -> Iterable[Finding]:
        return judge_outcome(resource, objectives, now)

    async def perform(self, azure: Azure, step: Step) -> Operation | None:
        return await (operate if step.verb in VERBS else send)(azure, step)

    async def verify(self, azure: Azure, step: Step) -> None:
        await (check_operated if step.verb in VERBS else read_back)(azure, step)

    async def running(self, azure: Azure, step: Step, since: datetime) -> Operation | None:
        return await (find_operation if step.verb in VERBS else find_running)(azure, step, since)
