"""The kind `recovery_plan`: which replicated VMs fail over together, in which order, with what done in between.

A plan is made, its groups are changed as a whole, and it is never deleted: it costs nothing, and whoever needs one that
is gone needs it now.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import datetime
from typing import ClassVar

import msgspec

from reconciler.azure.clients import Azure
from reconciler.azure.operations import Operation
from reconciler.kinds.adoption import Adopted, AdoptedEstate
from reconciler.kinds.base import Comparison, DocumentKind, Expansion, Kind, Rule, Verdict
from reconciler.kinds.phrases import Phrase, some_names
from reconciler.kinds.recovery_plan.adoption import adopt_plans
from reconciler.kinds.recovery_plan.expansion import expand_plans
from reconciler.kinds.recovery_plan.inventory import read_plans
from reconciler.kinds.recovery_plan.operations import VERBS, check_operated, find_operation, operate
from reconciler.kinds.recovery_plan.phrases import plan_phrases
from reconciler.kinds.recovery_plan.requests import read_back, send
from reconciler.kinds.recovery_plan.rules import check_plan, selectors_of
from reconciler.kinds.recovery_plan.spec import NAME, RecoveryPlanSpec, normal_plan
from reconciler.kinds.replication.ids import vault_of
from reconciler.kinds.replication.jobs import find_open_job
from reconciler.kinds.replication.writes import replication_step
from reconciler.model.arm_id import ArmId
from reconciler.model.document import Declared
from reconciler.model.live import Unreadable
from reconciler.model.recovery_plan import DOCUMENT, RecoveryPlan, RecoveryPlanFacts
from reconciler.model.replicated import ReplicationFacts
from reconciler.model.replication import ASPECT, ROUTE
from reconciler.model.resource import Resource
from reconciler.plan.change import Action, Consequence, Effect, Reason, Step
from reconciler.plan.finding import Finding

PERMISSION = "replicationRecoveryPlans/write"


class RecoveryPlanKind(Kind[RecoveryPlanSpec]):
    """One RecoveryPlan in the vault of its route."""

    name = NAME
    title = "recovery plan"
    spec = RecoveryPlanSpec
    serves = ASPECT
    rules: ClassVar[Mapping[str, Rule]] = {
        "primary": Rule.FORBID,
        "recovery": Rule.FORBID,
        "primary_zone": Rule.FORBID,
        "recovery_zone": Rule.FORBID,
        "groups": Rule.UPDATE,
        "shutdown": Rule.UPDATE,
        "failover": Rule.UPDATE,
        "machines": Rule.IGNORE,
    }
    order_only = frozenset({"machines"})  # a VM that is replicated, and of which something is stuck, still fails over
    documents = (
        DocumentKind(
            DOCUMENT,
            RecoveryPlan,
            check_plan,
            "Which VMs fail over together, and in which order.",
            selectors_of,
            {"route": ROUTE},
        ),
    )

    def expand(self, expansion: Expansion) -> Iterator[Resource | Finding]:
        return expand_plans(expansion)

    def adopt(self, estate: AdoptedEstate) -> Iterator[Adopted]:
        return adopt_plans(estate)

    def read(self, azure: Azure, declared: Declared) -> AsyncIterator[Resource | Unreadable]:
        return read_plans(azure, declared)

    def normalise(self, spec: RecoveryPlanSpec) -> RecoveryPlanSpec:
        return normal_plan(spec)

    def judge(self, comparison: Comparison[RecoveryPlanSpec]) -> Verdict | None:
        """Azure refuses to change a plan that a job works on, and members that are replicated in another vault."""
        facts = comparison.live.observed if comparison.live else None
        if not isinstance(facts, RecoveryPlanFacts) or not facts.busy:
            return _judge_strangers(comparison)
        waits = " and waits for a manual action" if facts.scenario_status.lower() == "suspended" else ""
        return Verdict(
            Action.BLOCKED,
            Reason.CANNOT_CHANGE,
            f"the job {facts.scenario} works on it{waits}: Azure changes no plan meanwhile",
            f"wait until job {ArmId(facts.job_id).name} has ended, then plan again",
        )

    def steps(self, comparison: Comparison[RecoveryPlanSpec], verdict: Verdict) -> tuple[Step, ...]:
        desired = comparison.situation.desired.get(comparison.address)  # as the policies spell it
        place = (comparison.live or comparison.desired) if desired else None
        if verdict.action not in (Action.CREATE, Action.UPDATE) or desired is None or place is None:
            return ()
        plan = ArmId(str(place.arm_id))
        verb = "create" if comparison.live is None else "update"
        return (
            replication_step(
                comparison,
                verb,
                f"{verb} recovery plan {comparison.address.name} in vault {vault_of(plan).name}",
                arguments={"id": str(plan), "plan": msgspec.json.decode(msgspec.json.encode(desired.spec))},
                permission=PERMISSION,
                usually="a few seconds",
            ),
        )

    def consequences(self, comparison: Comparison[RecoveryPlanSpec], verdict: Verdict) -> tuple[Consequence, ...]:  # noqa: ARG002
        """Who fails over with the others from now on, and who no longer does."""
        if comparison.desired is None:
            return ()
        before = comparison.live_spec.members() if comparison.live else ()
        after = comparison.wanted_spec.members()
        joins = [machine.name for machine in after if machine not in before]
        leaves = [one.name for one in before if one not in after and one.segment("virtualMachines")]
        told = []
        if joins:
            text = f"{some_names(joins)} fail{'s' if len(joins) == 1 else ''} over with this plan from now on"
            told.append(Consequence(effect=Effect.STRENGTHENS, text=text))
        if leaves:
            text = f"{some_names(leaves)} no longer fail{'s' if len(leaves) == 1 else ''} over with this plan"
            figures = {"virtual_machines": len(leaves)}
            told.append(Consequence(effect=Effect.WEAKENS, text=text, figures=figures))
        return tuple(told)

    def describe(self, spec: RecoveryPlanSpec) -> Iterator[Phrase]:
        return plan_phrases(spec)

    async def perform(self, azure: Azure, step: Step) -> Operation | None:
        return await (operate if step.verb in VERBS else send)(azure, step)

    async def verify(self, azure: Azure, step: Step) -> None:
        await (check_operated if step.verb in VERBS else read_back)(azure, step)

    async def running(self, azure: Azure, step: Step, since: datetime) -> Operation | None:
        """A plan that is still being saved: Azure refuses to save it a second time. Or the operation of it."""
        if step.verb in VERBS:
            return await find_operation(azure, step, since)
        plan = ArmId(step.arguments["id"])
        return await find_open_job(azure, plan, "SaveRecoveryPlan", (plan.name,), since)


def _judge_strangers(comparison: Comparison[RecoveryPlanSpec]) -> Verdict | None:
    """Of VMs that stay in the vault where they are, though their route leads through another by now."""
    if comparison.desired is None or comparison.desired.arm_id is None:
        return None
    vault, state = vault_of(comparison.desired.arm_id), comparison.situation.live.state
    members = [state[ref.address] for ref in comparison.wanted_spec.machines if ref.address in state]
    elsewhere = {
        one.address.name: one.observed.vault_id.name
        for one in members
        if isinstance(one.observed, ReplicationFacts) and one.observed.vault_id != vault
    }
    if not elsewhere:
        return None
    verb = "is" if len(elsewhere) == 1 else "are"
    return Verdict(
        Action.BLOCKED,
        Reason.CANNOT_CHANGE,
        f"{some_names(sorted(elsewhere))} {verb} replicated in vault {', '.join(sorted(set(elsewhere.values())))}, and "
        f"a recovery plan holds VMs of its own vault, {vault.name}",
        "see what is said of their replication; or leave the route in the vault that they are in",
    )
