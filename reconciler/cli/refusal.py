"""What ends an apply before it asks anybody: errors, guards, and permissions that are missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.errors import DeniedError, GuardRefusedError, PolicyError
from reconciler.plan.finding import Severity

if TYPE_CHECKING:
    from reconciler.workflow import Review


def refuse(review: Review) -> None:
    """Raises PolicyError, GuardRefusedError or DeniedError where the plan must not be carried out."""
    plan = review.plan
    if plan.errors:
        raise PolicyError(
            f"{len(plan.errors)} error{'s' if len(plan.errors) > 1 else ''} must be mended before anything is applied",
            why=str(plan.errors[0]),
        )
    if plan.refusals:
        raise GuardRefusedError(
            "; ".join(f"{refusal.code} {refusal.message}" for refusal in plan.refusals),
            why="a guard refuses this plan; nothing was changed",
            advice="; ".join(refusal.advice for refusal in plan.refusals),
        )
    denied = [finding for finding in review.preflight if finding.severity is Severity.ERROR]
    if denied:
        raise DeniedError(
            f"{len(denied)} permission{'s are' if len(denied) > 1 else ' is'} missing; nothing was changed",
            why=denied[0].message,
            advice=denied[0].advice,
        )
