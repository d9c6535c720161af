"""What has to be added to a verdict, so that nobody takes it for more than it is."""

from __future__ import annotations

from reconciler.plan.plan import Plan


def unread(plan: Plan) -> str:
    """Wherever the picture is not whole."""
    return "" if plan.complete else " A part of Azure could not be read: what lies behind it is unknown."


def frozen(plan: Plan) -> str:
    """Where a change freeze is on: what is told above waits for its end."""
    told = any(finding.code == "frozen" for finding in plan.findings)
    return " A change freeze is on: apply would hold changes back now." if told else ""
