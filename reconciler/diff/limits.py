"""What Azure takes of one vault: so much in a day, so much at all.

What goes over a daily allowance (BP-53) is put off to a later run, with everything that depends on it. What can never
fit (BP-50, BP-51) is an error.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from reconciler.diff.closure import with_dependants
from reconciler.diff.engine import sort_findings
from reconciler.diff.lanes import by_lane, lies_in, name_of, population
from reconciler.kinds.base import Kind, Quota, Situation
from reconciler.model.address import Address
from reconciler.model.counting import count
from reconciler.model.scope import Limits
from reconciler.plan.change import Action, Change, Reason
from reconciler.plan.finding import Finding, Severity
from reconciler.plan.plan import Plan

URGENCY = (Action.UNDELETE, Action.CREATE, Action.UPDATE, Action.RELEASE, Action.DELETE)
"""What is done first where not everything can be done today."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What one vault takes: `daily` steps in 24 hours, and `most` resources of the kinds that use this quota."""

    quota: Quota
    steps: str
    daily: int
    resources: str
    most: int
    rule: str


def allowances(limits: Limits) -> tuple[Allowance, ...]:
    """Azure's numbers, or the Scope's where it allows less. Policy writes come first: VMs wait for their policy."""
    return (
        Allowance(Quota.POLICY_WRITES, "policy writes", limits.policy_writes_per_day, "policies", 200, "BP-51"),
        Allowance(Quota.CONFIGURATIONS, "protection changes", 1000, "protected VMs", limits.vms_per_vault, "BP-50"),
    )


def keep_within_limits(plan: Plan, situation: Situation, kinds: Iterable[Kind[Any]]) -> Plan:
    """The plan with what a vault cannot take today under `deferred`, and an error for what it can never hold."""
    quotas = {kind.name: kind.quota for kind in kinds if kind.quota}
    findings = [*plan.findings]
    late: set[str] = set()
    for allowance in allowances(situation.declared.scope.value.limits):
        counted = [change for change in plan.actionable if quotas.get(change.kind) is allowance.quota]
        findings.extend(_overfull(situation, counted, allowance))
        due = [change for change in counted if change.address not in late]
        for lane, group in by_lane(due).items():
            surplus = _surplus(group, allowance.daily)
            if surplus:
                findings.append(_wave(lane, group, surplus, allowance))
                late |= with_dependants(plan.changes, (change.address for change in surplus))
    if not late and len(findings) == len(plan.findings):
        return plan
    trimmed = msgspec.structs.replace(
        plan,
        changes=tuple(change for change in plan.changes if change.address not in late),
        deferred=(
            *plan.deferred,
            *(
                msgspec.structs.replace(change, reason=Reason.DEFERRED)
                for change in plan.changes
                if change.address in late
            ),
        ),
        findings=sort_findings(findings),
    )
    return msgspec.structs.replace(trimmed, basis=trimmed.fingerprint)


def _surplus(changes: list[Change], daily: int) -> list[Change]:
    """What is over the day's allowance, the most urgent changes kept. A change is never split."""
    surplus = []
    used = 0
    for change in sorted(changes, key=lambda item: (URGENCY.index(item.action), Address.parse(item.address).key)):
        if used and used + len(change.steps) > daily:
            surplus.append(change)
        else:
            used += len(change.steps)
    return surplus


def _wave(lane: str, group: list[Change], surplus: list[Change], allowance: Allowance) -> Finding:
    needed = sum(len(change.steps) for change in group)
    return Finding(
        code="BP-53",
        message=(
            f"wave 1 of {-(-needed // allowance.daily)} in {name_of(lane)}: it takes {allowance.daily} "
            f"{allowance.steps} in 24 hours and this plan has {needed}; put off: {count(len(surplus), 'change')}"
        ),
        severity=Severity.WARNING,
        advice="apply this wave and run again after 24 hours; what others changed in the vault today counts too",
    )


def _overfull(situation: Situation, changes: list[Change], allowance: Allowance) -> Iterator[Finding]:
    kinds = frozenset(change.kind for change in changes)
    lanes = by_lane(changes)
    held = population(situation, kinds, lanes)
    for lane, group in lanes.items():
        arriving = sum(_arrives(change, lane, situation) for change in group)
        total = held.get(lane, 0) + arriving
        if arriving and total > allowance.most:
            yield Finding(
                code=allowance.rule,
                message=(
                    f"{name_of(lane)} would hold {total} {allowance.resources}; it can hold {allowance.most} "
                    f"({held.get(lane, 0)} are there, {arriving} would come)"
                ),
                advice="declare another vault in the region and let the policies spread over both",
            )


def _arrives(change: Change, lane: str, situation: Situation) -> bool:
    live = situation.live.state.get(Address.parse(change.address))
    return change.after is not None and (live is None or not lies_in(live, lane))
