"""What a freeze window does (G108): a plan tells of it, an apply holds the changes back.

It is judged when a plan is carried out. A plan made on Thursday is not frozen, and meets the Friday all the same; one
made on Friday for Monday is not held up by its having been made.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from reconciler.diff.allowances import Allowances, lift
from reconciler.diff.closure import with_dependants
from reconciler.diff.engine import sort_findings
from reconciler.diff.guards import refusals
from reconciler.kinds.base import Kind, Situation
from reconciler.plan.change import BY_TIME, Change, Reason
from reconciler.plan.finding import Finding, Severity
from reconciler.plan.plan import Plan, Refusal

CODE = "G108"
FROZEN = "frozen"
"""What a plan says of a freeze; an apply says it by the guard's own code."""


def tell_freeze(plan: Plan, situation: Situation, kinds: Iterable[Kind[Any]], allowances: Allowances) -> Plan:
    """The plan with a warning that says what an apply would hold back now; or with the allowance, where it is given."""
    judged, objection = _judge(plan, situation, kinds, allowances)
    if objection is None:
        return judged
    told = Finding(
        code="frozen",
        severity=Severity.WARNING,
        message=f"apply would hold back {objection.message}",
        advice=f"apply it after that, or let it through with --allow {CODE}={objection.count}",
    )
    return msgspec.structs.replace(judged, findings=sort_findings((*judged.findings, told)))


def hold_frozen(plan: Plan, situation: Situation, kinds: Iterable[Kind[Any]], allowances: Allowances) -> Plan:
    """The plan with what a freeze does not let through now, and all that waits for it, under `deferred`.

    Another guard that refuses only what is held is not in the way of the rest. Only the time and the Scope of
    `situation` count.
    """
    plan = msgspec.structs.replace(plan, findings=tuple(item for item in plan.findings if item.code != FROZEN))
    judged, objection = _judge(plan, situation, kinds, allowances)
    if objection is None:
        return judged
    held = with_dependants(plan.changes, objection.addresses)
    rest = msgspec.structs.replace(
        judged,
        changes=tuple(change for change in plan.changes if change.address not in held),
        deferred=(*plan.deferred, *(_put_off(change) for change in plan.changes if change.address in held)),
        findings=sort_findings((*plan.findings, _held(objection))),
        refusals=tuple(item for item in plan.refusals if not item.addresses or not held.issuperset(item.addresses)),
    )
    return msgspec.structs.replace(rest, basis=rest.fingerprint)


def held_by_freeze(plan: Plan) -> Finding | None:
    """What an apply says of the changes that a freeze held back; None where it held none."""
    return next((finding for finding in plan.findings if finding.code == CODE), None)


def _judge(
    plan: Plan, situation: Situation, kinds: Iterable[Kind[Any]], allowances: Allowances
) -> tuple[Plan, Refusal | None]:
    """The plan, with the allowance recorded where one lifts the freeze, and else what stands against it."""
    objections = refusals(plan, situation, kinds, holding=True, at_apply=True)
    judged = lift(msgspec.structs.replace(plan, refusals=objections), allowances)
    allowed = tuple(dict.fromkeys(judged.allowed))
    return msgspec.structs.replace(judged, refusals=plan.refusals, allowed=allowed), next(iter(judged.refusals), None)


def _put_off(change: Change) -> Change:
    return change if change.reason in BY_TIME else msgspec.structs.replace(change, reason=Reason.FROZEN)


def _held(objection: Refusal) -> Finding:
    return Finding(
        code=CODE,
        severity=Severity.WARNING,
        message=f"held back ({objection.title}): {objection.message}",
        advice=f"apply again after that; if it cannot wait, --allow {CODE}={objection.count} lets it through",
    )
