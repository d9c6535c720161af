"""A freeze holds back what anybody changed, and lets on what the clock asks for (G108)."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from reconciler.diff.engine import compare
from reconciler.diff.freezing import hold_frozen, tell_freeze
from reconciler.diff.guards import guard
from reconciler.kinds.base import Situation
from reconciler.model.clock_gap import ClockGap
from reconciler.model.document import Declared, Document
from reconciler.model.freeze import Freeze, Weekly
from reconciler.plan.change import Action, Reason
from reconciler.plan.finding import Finding, Severity
from reconciler.plan.plan import Plan
from reconciler.workflow import Wishes, freeze

MONDAYS = Freeze(reason="no Mondays", weekly=Weekly(weekdays=("Monday",)))
SUNDAYS = Freeze(reason="no Sundays", weekly=Weekly(weekdays=("Sunday",)))
UNTIL = "until 2026-03-03 00:00 UTC (no Mondays)"


def situation(estate: Any, desired: Any, live: Any = (), window: Freeze = MONDAYS) -> Situation:
    found: Situation = estate.situation(desired, live)
    scope = found.declared.scope
    frozen = Document(scope.kind, scope.name, msgspec.structs.replace(scope.value, freeze=(window,)), scope.source)
    return Situation(Declared(frozen), found.desired, found.live, found.now)


def planned(estate: Any, where: Situation, **allowances: int) -> Plan:
    plan = guard(compare(where, estate.kinds), where, estate.kinds)
    return tell_freeze(plan, where, estate.kinds, allowances)


def mixed(estate: Any, window: Freeze = MONDAYS) -> Situation:
    """A shelf and a box to be made, a photo to be taken and one to be let go."""
    wanted = (estate.shelf("low"), estate.box("b"), estate.photo("new"), estate.photo("old", "expired"))
    return situation(estate, wanted, (estate.photo("old"),), window)


def test_what_is_due_goes_on_and_the_rest_is_held(estate: Any) -> None:
    where = mixed(estate)
    held = hold_frozen(planned(estate, where), where, estate.kinds, {})
    assert {item.reason for item in held.changes} == {Reason.DUE, Reason.EXPIRED}
    assert {item.kind for item in held.deferred} == {"shelf", "box"}
    assert {item.reason for item in held.deferred} == {Reason.FROZEN}
    assert (held.applyable, held.basis) == (True, held.fingerprint)
    assert held.findings == (
        Finding(
            code="G108",
            severity=Severity.WARNING,
            message=f"held back (frozen): 2 changes {UNTIL}",
            advice="apply again after that; if it cannot wait, --allow G108=2 lets it through",
        ),
    )


def test_a_plan_only_tells_of_it(estate: Any) -> None:
    where = mixed(estate)
    plan = planned(estate, where)
    assert len(plan.changes) == 4
    assert (plan.deferred, plan.refusals) == ((), ())
    (told,) = plan.findings
    assert (told.code, told.severity) == ("frozen", Severity.WARNING)
    assert told.message == f"apply would hold back 2 changes {UNTIL}"
    assert "--allow G108=2" in told.advice


def test_no_window_is_open_or_nothing_but_the_clock_asks(estate: Any) -> None:
    where = mixed(estate, SUNDAYS)
    plan = planned(estate, where)
    assert plan.findings == ()
    assert hold_frozen(plan, where, estate.kinds, {}) == plan
    due = situation(estate, (estate.photo("new"),))
    assert hold_frozen(planned(estate, due), due, estate.kinds, {}) == planned(estate, due)
    assert planned(estate, due).findings == ()


def test_a_plan_of_a_frozen_day_is_applied_on_another(estate: Any) -> None:
    plan = planned(estate, mixed(estate))
    later = hold_frozen(plan, mixed(estate, SUNDAYS), estate.kinds, {})
    assert (later.changes, later.findings) == (plan.changes, ())


@pytest.mark.parametrize(("number", "waiting"), [(1, 2), (2, 0), (9, 0)])
def test_it_is_let_through_by_number(estate: Any, number: int, waiting: int) -> None:
    where = mixed(estate)
    plan = planned(estate, where, G108=number)
    held = hold_frozen(plan, where, estate.kinds, {"G108": number})
    assert len(held.deferred) == waiting
    assert held.allowed == plan.allowed == (() if waiting else (f"G108={number}",))
    if waiting:
        assert "--allow G108=1 lets 1 through, there are 2" in held.findings[0].message


def test_the_first_of_a_schedule_and_what_waits_for_a_change_are_held(estate: Any) -> None:
    where = mixed(estate)
    plan = planned(estate, where)
    shelf = next(item for item in plan.changes if item.kind == "shelf")
    new, old = (item for item in plan.changes if item.kind == "photo")
    first = msgspec.structs.replace(new, reason=Reason.FIRST)
    (step,) = old.steps
    waiting = msgspec.structs.replace(old, steps=(msgspec.structs.replace(step, after=(shelf.steps[0].id,)),))
    held = hold_frozen(msgspec.structs.replace(plan, changes=(shelf, first, waiting)), where, estate.kinds, {})
    assert held.changes == ()
    assert [item.reason for item in held.deferred] == [Reason.FROZEN, Reason.FROZEN, waiting.reason]


def test_blocked_changes_stay_what_they_are(estate: Any) -> None:
    where = situation(estate, (estate.shelf("low"), estate.box("b", size="impossible")), (estate.shelf("low"),))
    plan = planned(estate, where)
    assert [item.action for item in plan.changes] == [Action.BLOCKED]
    assert hold_frozen(plan, where, estate.kinds, {}) == plan


def test_a_guard_that_refuses_only_what_is_held_is_not_in_the_way(estate: Any) -> None:
    """Snapshots go on while a dangerous change waits for two reasons; the second is told again when the first ends."""
    wanted = (estate.shelf("low", height=99), estate.photo("new"))
    where = situation(estate, wanted)
    plan = planned(estate, where)
    assert [item.code for item in plan.refusals] == ["G105"]
    held = hold_frozen(plan, where, estate.kinds, {})
    assert (held.refusals, held.applyable) == ((), True)
    assert [item.code for item in hold_frozen(plan, where, estate.kinds, {"G108": 1}).refusals] == ["G105"]


@pytest.mark.parametrize("hours", [24, -24])
def test_a_clock_that_is_wrong_opens_no_window(estate: Any, hours: int) -> None:
    """By Azure's clock it is Monday, whatever this machine takes it for."""
    where = mixed(estate)
    wrong = estate.now + timedelta(hours=hours)
    azure: Any = SimpleNamespace(now=lambda: wrong, clock_gap=None)
    plan = planned(estate, where)
    assert freeze(azure, where.declared, Wishes(), plan).deferred == ()
    azure.clock_gap = ClockGap(wrong - timedelta(minutes=1), estate.now - timedelta(minutes=1))
    assert len(freeze(azure, where.declared, Wishes(), plan).deferred) == 2
