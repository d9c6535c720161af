"""What a guard holds back and the rest of the plan does not wait for (G107).

Expired snapshots that stay cost money; snapshots that are not taken cost data. So where far more would go than comes,
only the deletions wait for a person, and the cadence goes on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from reconciler.diff.allowances import Allowances, lift
from reconciler.diff.closure import with_dependants
from reconciler.diff.engine import sort_findings
from reconciler.diff.guards import guard, refusals
from reconciler.kinds.base import Kind, Situation
from reconciler.plan.change import BY_TIME, Change, Reason
from reconciler.plan.finding import Finding, Severity
from reconciler.plan.plan import Plan, Refusal


def hold_back(plan: Plan, situation: Situation, kinds: Iterable[Kind[Any]], allowances: Allowances) -> Plan:
    """The plan with what a holding guard objects to, and is not allowed, under `deferred`, with all that waits for it.

    What only the clock asks for keeps its reason there; a warning says how many, why, and what lets them go.
    """
    kinds = tuple(kinds)
    objections = refusals(plan, situation, kinds, holding=True)
    judged = lift(msgspec.structs.replace(plan, refusals=objections), allowances)
    if not judged.refusals:
        return judged
    held = with_dependants(plan.changes, (address for item in judged.refusals for address in item.addresses))
    also = [item for item in guard(plan, situation, kinds).refusals if held.intersection(item.addresses)]
    rest = msgspec.structs.replace(
        judged,
        changes=tuple(change for change in plan.changes if change.address not in held),
        deferred=(*plan.deferred, *(_put_off(change) for change in plan.changes if change.address in held)),
        findings=sort_findings((*plan.findings, *_told(judged.refusals, also, allowances))),
        refusals=(),
    )
    return msgspec.structs.replace(rest, basis=rest.fingerprint)


def _put_off(change: Change) -> Change:
    return change if change.reason in BY_TIME else msgspec.structs.replace(change, reason=Reason.DEFERRED)


def _told(held: Iterable[Refusal], also: Iterable[Refusal], allowances: Allowances) -> Iterator[Finding]:
    """`also` are the guards that will refuse the plan once these are let go."""
    asked = [f"--allow {item.code}={item.count}" for item in also if item.code not in allowances]
    for item in held:
        let_go = " ".join((f"--allow {item.code}={item.count}", *asked))
        yield Finding(
            code=item.code,
            severity=Severity.WARNING,
            message=f"held back ({item.title}): {item.message}",
            advice="see whether the clock, the cadence and the retention are what they should be, or nothing was "
            f"applied for long; {let_go} deletes them, until then they stay and new ones are taken",
        )
