"""What `drift` ends with."""

from __future__ import annotations

import pytest

from reconciler.cli.drift import exit_code
from reconciler.errors import ExitCode
from reconciler.plan.change import Action, Change, Reason
from reconciler.plan.finding import Finding, Severity
from reconciler.plan.plan import Plan

MISSED = Finding(code="snapshot-late", message="m", severity=Severity.WARNING, topic="objectives")


def plan(*reasons: Reason, complete: bool = True, put_off: bool = False, findings: tuple[Finding, ...] = ()) -> Plan:
    changes = tuple(
        Change(address=f"a.b/{number}", kind="a", action=Action.CREATE, reason=reason)
        for number, reason in enumerate(reasons)
    )
    return Plan(
        created="",
        changes=() if put_off else changes,
        deferred=changes if put_off else (),
        complete=complete,
        findings=findings,
    )


@pytest.mark.parametrize(
    ("found", "code"),
    [
        (plan(), ExitCode.OK),
        (plan(Reason.DUE, Reason.EXPIRED), ExitCode.OK),
        (plan(Reason.DUE, Reason.NOT_IN_AZURE), ExitCode.CHANGES),
        (plan(Reason.DUE, Reason.FIRST), ExitCode.CHANGES),
        (plan(Reason.EXPIRED, put_off=True), ExitCode.OK),
        (plan(Reason.DEPENDS_ON_BLOCKED), ExitCode.CHANGES),
        (plan(Reason.DEFERRED, put_off=True), ExitCode.CHANGES),
        (plan(Reason.DUE, complete=False), ExitCode.INCOMPLETE),
        (plan(Reason.DUE, findings=(MISSED,)), ExitCode.OK),
        (plan(Reason.DUE, findings=(Finding(code="x", message="m"),)), ExitCode.ERROR),
    ],
)
def test_what_is_due_is_no_drift(found: Plan, code: ExitCode) -> None:
    assert exit_code(found) is code


def test_a_late_snapshot_counts_where_it_is_asked_for() -> None:
    assert exit_code(plan(Reason.DUE, findings=(MISSED,)), ["objectives"]) is ExitCode.CHANGES
