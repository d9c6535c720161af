"""Whether an apply has brought everything that the policies ask for: only then may a stamp say so."""

from __future__ import annotations

from reconciler.apply.result import Result, Status
from reconciler.plan.change import BY_TIME
from reconciler.plan.plan import Plan


def brings_everything(plan: Plan, result: Result | None) -> bool:
    """True where nothing was left out, put off or failed but what only the clock asks for; also where there was nothing
    to do (`result` is None). What is blocked does not count: nobody can do it from here.

    A plan for what is mine leaves the drift alone, which is there to be told. Held against a base it may leave out
    earlier merges as well: those are then not applied.
    """
    whole = plan.complete and not (plan.errors or plan.refusals or plan.restore or plan.targets or plan.excludes)
    narrowed = plan.only not in ("", "mine") or bool(plan.only and plan.base and plan.base.ref)
    if not whole or narrowed or any(change.reason not in BY_TIME for change in plan.deferred):
        return False
    if result is None:
        return not plan.actionable
    timed = {step.id for change in plan.due for step in change.steps}
    return all(ending.status is Status.DONE or ending.step.id in timed for ending in result.endings)
