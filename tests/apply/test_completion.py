"""What may be called applied: everything that the policies ask for, less what the clock asks for and nobody can do."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from reconciler.apply.completion import brings_everything
from reconciler.apply.result import Ending, Result, Status
from reconciler.model.restore_request import RestoreRequest
from reconciler.plan.change import Action, Change, Reason, Step
from reconciler.plan.finding import Finding
from reconciler.plan.plan import Plan, Refusal
from reconciler.plan.provenance import Base


def change(name: str, reason: Reason = Reason.DIFFERS, action: Action = Action.UPDATE) -> Change:
    address = f"vm.p/{name}"
    steps = (Step(id=f"{address}#go", kind="vm", address=address, verb="go", title="go"),)
    return Change(address=address, kind="vm", action=action, reason=reason, steps=steps if action != "blocked" else ())


def plan(*changes: Change, **values: Any) -> Plan:
    return Plan(created="2026-03-02T08:00:00Z", changes=changes, **values)


def result(plan: Plan, *statuses: Status) -> Result:
    return Result(tuple(Ending(step, status) for step, status in zip(plan.steps(), statuses, strict=True)))


DUE = change("due", Reason.DUE)
BLOCKED = change("blocked", Reason.CANNOT_CHANGE, Action.BLOCKED)


@pytest.mark.parametrize(
    ("made", "statuses", "whole"),
    [
        (plan(), None, True),
        (plan(BLOCKED), None, True),
        (plan(change("a")), None, False),
        (plan(change("a")), [Status.DONE], True),
        (plan(change("a"), BLOCKED), [Status.DONE], True),
        (plan(change("a"), change("b")), [Status.DONE, Status.FAILED], False),
        (plan(change("a")), [Status.GOES_ON], False),
        (plan(change("a"), change("b")), [Status.DONE, Status.WAITING], False),
        (plan(change("a"), DUE), [Status.DONE, Status.FAILED], True),
        (plan(change("a", Reason.FIRST)), [Status.FAILED], False),
        (plan(DUE), None, False),
        (plan(deferred=(DUE,)), None, True),
        (plan(deferred=(change("late", Reason.DEFERRED),)), None, False),
        (plan(complete=False), None, False),
        (plan(findings=(Finding(code="x", message="wrong"),)), None, False),
        (plan(refusals=(Refusal(code="G101", title="too many", message="40", count=40),)), None, False),
        (plan(targets=("vault.*",)), None, False),
        (plan(excludes=("vault.*",)), None, False),
        (plan(restore=msgspec.convert({"restore": "disk", "name": "d", "snapshot": "s"}, RestoreRequest)), None, False),
        (plan(only="drift"), None, False),
        (plan(only="mine"), None, True),
        (plan(only="mine", base=Base(applied="a" * 40)), None, True),
        (plan(only="mine", base=Base(ref="main", commit="b" * 40)), None, False),
        (plan(base=Base(ref="main", commit="b" * 40)), None, True),
    ],
)
def test_what_brings_everything(made: Plan, statuses: list[Status] | None, whole: bool) -> None:
    assert brings_everything(made, result(made, *statuses) if statuses else None) is whole
