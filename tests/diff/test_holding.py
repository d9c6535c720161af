"""What far more goes than comes is held back: the rest of the plan is as if it were not there."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from reconciler.diff.engine import compare
from reconciler.diff.guards import guard
from reconciler.diff.holding import hold_back
from reconciler.model.scope import Limits, Share
from reconciler.plan.change import Action, Consequence, Effect, Reason
from reconciler.plan.finding import Severity
from reconciler.plan.plan import Plan

EXPIRY = Limits(snapshot_deletes=Share(percent=20, count=2))


def photos(estate: Any, number: int, start: int = 0, *, scope: str = "prod/rg", **spec: Any) -> tuple[Any, ...]:
    return tuple(estate.photo(f"p{index}", scope=scope, **spec) for index in range(start, start + number))


def held(estate: Any, desired: Any, live: Any, **allowances: int) -> Plan:
    situation = estate.situation(desired, live, (), EXPIRY)
    return hold_back(compare(situation, estate.kinds), situation, estate.kinds, allowances)


@pytest.mark.parametrize(
    ("expired", "taken", "stay", "waiting"),
    [
        (2, 0, 0, 0),  # few in number
        (3, 0, 100, 0),  # few in percent
        (10, 10, 10, 0),  # as many come as go: retention runs
        (13, 10, 0, 13),  # three more
        (12, 10, 0, 0),
        (13, 0, 51, 13),
        (13, 0, 52, 0),
        (0, 50, 0, 0),
    ],
)
def test_expiry_passes_by_what_is_taken_by_percent_or_by_number(
    estate: Any, expired: int, taken: int, stay: int, waiting: int
) -> None:
    desired = (
        *photos(estate, expired, state="expired"),
        *photos(estate, taken, 100),
        *photos(estate, stay, 200),
    )
    live = (*photos(estate, expired), *photos(estate, stay, 200), *photos(estate, 500, 1000))  # 500 are not ours
    plan = held(estate, desired, live)
    assert len(plan.deferred) == waiting
    assert [item.code for item in plan.findings] == ["G107"] * bool(waiting)
    assert sum(item.action is Action.CREATE for item in plan.changes) == taken
    assert sum(item.action is Action.DELETE for item in plan.changes) == expired - waiting


def test_subscriptions_expire_apart_and_the_warning_says_figures(estate: Any) -> None:
    other = photos(estate, 30, scope="other/rg")
    desired = (
        *photos(estate, 8, state="expired"),
        *photos(estate, 2, 50),
        *photos(estate, 1, 60, scope="PROD/x"),
        *other[1:],
        estate.photo("p0", "expired", scope="other/rg"),
    )
    plan = held(estate, desired, (*photos(estate, 8), *other))
    (finding,) = plan.findings
    assert finding.severity is Severity.WARNING
    assert finding.message == (
        "held back (too many expired): 8 of 8 photos in prod would be deleted and 3 taken (62 % fewer): "
        "more than 20 % and more than 2"
    )
    assert "--allow G107=8 deletes them" in finding.advice
    assert [item.address for item in plan.changes if item.action is Action.DELETE] == ["photo.other/rg/p0"]


def test_what_is_held_back_is_due_and_the_rest_can_be_applied(estate: Any) -> None:
    plan = held(estate, (*photos(estate, 8, state="expired"), *photos(estate, 2, 50)), photos(estate, 8))
    assert {item.reason for item in plan.deferred} == {Reason.EXPIRED}
    assert (plan.drift, plan.refusals, plan.applyable, plan.empty) == ((), (), True, False)
    assert plan.basis == plan.fingerprint


def test_what_waits_for_a_deletion_waits_along(estate: Any) -> None:
    situation = estate.situation(
        (*photos(estate, 8, state="expired"), estate.shelf("low")), photos(estate, 8), (), EXPIRY
    )
    plan = compare(situation, estate.kinds)
    shelf = next(item for item in plan.changes if item.kind == "shelf")
    (step,) = shelf.steps
    waiting = msgspec.structs.replace(shelf, steps=(msgspec.structs.replace(step, after=("photo.prod/rg/p3#burn",)),))
    changed = tuple(waiting if item is shelf else item for item in plan.changes)
    rest = hold_back(msgspec.structs.replace(plan, changes=changed), situation, estate.kinds, {})
    assert rest.changes == ()
    assert [item.reason for item in rest.deferred if item.kind == "shelf"] == [Reason.DEFERRED]


@pytest.mark.parametrize(("number", "waiting"), [(7, 8), (8, 0), (20, 0)])
def test_it_is_let_through_by_number(estate: Any, number: int, waiting: int) -> None:
    plan = held(estate, photos(estate, 8, state="expired"), photos(estate, 8), G107=number)
    assert len(plan.deferred) == waiting
    assert plan.allowed == (() if waiting else (f"G107={number}",))
    assert not waiting or "--allow G107=7 lets 7 through, there are 8" in plan.findings[0].message


def test_other_guards_refuse_only_what_is_done_and_are_named_beforehand(estate: Any) -> None:
    situation = estate.situation(photos(estate, 8, state="expired"), photos(estate, 8), (), EXPIRY)
    plan = compare(situation, estate.kinds)
    prunes = (Consequence(effect=Effect.PRUNES, text="", figures={"recovery_points_pruned": 1}),)
    changed = (msgspec.structs.replace(plan.changes[0], consequences=prunes), *plan.changes[1:])
    plan = msgspec.structs.replace(plan, changes=changed)
    rest = hold_back(plan, situation, estate.kinds, {})
    assert guard(rest, situation, estate.kinds).refusals == ()
    assert "--allow G107=8 --allow G104=1 deletes them" in rest.findings[0].advice
    let_go = hold_back(plan, situation, estate.kinds, {"G107": 8})
    assert [item.code for item in guard(let_go, situation, estate.kinds).refusals] == ["G104"]
