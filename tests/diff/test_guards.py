"""The guards: what each refuses, from which number on, and how it is lifted."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from reconciler.diff.allowances import lift, parse_allowances
from reconciler.diff.engine import compare
from reconciler.diff.guards import GUARDS, guard
from reconciler.errors import UsageError
from reconciler.model.live import Unreadable
from reconciler.model.scope import Limits, Share
from reconciler.plan.change import Action, Change, Consequence, Effect, Reason
from reconciler.plan.plan import Plan, Refusal

LIMITS = Limits(updates_per_vault=Share(percent=30, count=3), releases_per_vault=Share(percent=10, count=1))
GAP = Unreadable(("shelf",), "other", "cannot list shelves")


def refusals(estate: Any, desired: Any, live: Any, unreadable: Any = (), *, limits: Limits = LIMITS) -> dict[str, int]:
    situation = estate.situation(desired, live, unreadable, limits)
    plan = guard(compare(situation, estate.kinds), situation, estate.kinds)
    return {item.code: item.count for item in plan.refusals}


def boxes(estate: Any, number: int, start: int = 0, **spec: Any) -> tuple[Any, ...]:
    return tuple(estate.box(f"vm-{index}", **spec) for index in range(start, start + number))


@pytest.mark.parametrize(
    ("changed", "of", "expected"),
    [(3, 4, {}), (4, 20, {}), (6, 20, {}), (7, 20, {"G101": 7}), (4, 4, {"G101": 4}), (0, 0, {})],
)
def test_updates_pass_by_percent_or_by_number(estate: Any, changed: int, of: int, expected: Any) -> None:
    shelf = estate.shelf("low")
    desired = (shelf, *boxes(estate, changed, size="large"), *boxes(estate, of - changed, changed))
    assert refusals(estate, desired, (shelf, *boxes(estate, of))) == expected


def test_what_an_earlier_apply_began_is_finished_however_much_it_is(estate: Any) -> None:
    shelf = estate.shelf("low")
    situation = estate.situation((shelf, *boxes(estate, 20, size="large")), (shelf, *boxes(estate, 20)), (), LIMITS)
    plan = compare(situation, estate.kinds)
    begun = tuple(msgspec.structs.replace(change, reason=Reason.UNFINISHED) for change in plan.changes)
    assert [item.code for item in guard(plan, situation, estate.kinds).refusals] == ["G101"]
    assert guard(msgspec.structs.replace(plan, changes=begun), situation, estate.kinds).refusals == ()


@pytest.mark.parametrize(("released", "of", "expected"), [(1, 2, {}), (2, 20, {}), (3, 20, {"G102": 3})])
def test_releases_pass_by_percent_or_by_number(estate: Any, released: int, of: int, expected: Any) -> None:
    shelf = estate.shelf("low")
    desired = (shelf, *boxes(estate, of - released, released))
    assert refusals(estate, desired, (shelf, *boxes(estate, of))) == expected


def test_vaults_are_counted_apart(estate: Any) -> None:
    shelves = (estate.shelf("low"), estate.shelf("high"))
    low, high = boxes(estate, 3, shelf="low"), boxes(estate, 3, 10, shelf="high")
    changed = (*boxes(estate, 3, shelf="low", size="large"), *boxes(estate, 3, 10, shelf="high", size="large"))
    assert refusals(estate, (*shelves, *changed), (*shelves, *low, *high)) == {}


def test_new_protection_is_never_too_much(estate: Any) -> None:
    assert refusals(estate, (estate.shelf("low"), *boxes(estate, 50)), ()) == {}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [(3, 2, {"G104": 1}), (2, 3, {}), (3, 99, {"G105": 1}), (2, 2, {})],
)
def test_effects(estate: Any, before: int, after: int, expected: Any) -> None:
    assert refusals(estate, (estate.shelf("low", height=after),), (estate.shelf("low", height=before),)) == expected


def about(action: Action, *figures: dict[str, int], effect: Effect = Effect.PRUNES, protects: bool = False) -> Change:
    consequences = tuple(Consequence(effect=effect, text="", figures=one) for one in figures)
    return Change(
        address="box.prod/rg/vm",
        kind="box",
        action=action,
        reason=Reason.DIFFERS,
        consequences=consequences,
        protects=protects,
    )


LESS = "prune recovery points or weaken protection"
POLICY = about(Action.UPDATE, {"virtual_machines": 500, "recovery_points_pruned": 8000}, {"virtual_machines": 500})
MACHINE = about(Action.UPDATE, {"recovery_points_pruned": 16}, protects=True)


@pytest.mark.parametrize(
    ("changes", "code", "says"),
    [
        ((POLICY,), "G104", "1 change would " + LESS + ": up to 8,000 recovery points of 500 VMs"),
        ((POLICY, MACHINE), "G104", "2 changes would " + LESS + ": up to 8,016 recovery points of 501 VMs"),
        (
            (about(Action.UPDATE, {"virtual_machines": 40}, effect=Effect.WEAKENS),),
            "G104",
            "1 change would " + LESS + ": protection of 40 VMs",
        ),
        (
            (about(Action.UPDATE, {"virtual_machines": 1}, effect=Effect.WEAKENS, protects=True),),
            "G104",
            "1 change would " + LESS,
        ),
        (
            (about(Action.DELETE, {"recovery_points_deleted": 30}, effect=Effect.DELETES, protects=True),),
            "G103",
            "1 change would delete recovery points: up to 30 recovery points of 1 VM",
        ),
        (
            (about(Action.DELETE, {"recovery_points_pruned": 1}),) * 3,
            "G104",
            "3 changes would " + LESS + ": up to 3 recovery points",
        ),
    ],
)  # fmt: skip
def test_a_refusal_says_how_far_it_reaches(estate: Any, changes: Any, code: str, says: str) -> None:
    plan = guard(Plan(created="", changes=changes), estate.situation((), ()), estate.kinds)
    assert [(item.code, item.message, item.count) for item in plan.refusals] == [(code, says, len(changes))]


@pytest.mark.parametrize(("effects", "refused"), [((Effect.PRUNES,), []), ((Effect.PRUNES, Effect.WEAKENS), ["G104"])])
def test_an_undelete_may_prune_and_not_weaken(estate: Any, effects: Any, refused: Any) -> None:
    consequences = tuple(Consequence(effect=effect, text="") for effect in effects)
    change = msgspec.structs.replace(about(Action.UNDELETE, protects=True), consequences=consequences)
    plan = guard(Plan(created="", changes=(change,)), estate.situation((), ()), estate.kinds)
    assert [item.code for item in plan.refusals] == refused


def test_deleting_data_is_refused_from_the_first_vm_on(estate: Any) -> None:
    shelf = estate.shelf("low")
    live = (shelf, *boxes(estate, 20), estate.box("old", size="gone"))
    assert refusals(estate, (shelf, *boxes(estate, 20)), live) == {"G103": 1}


def test_nothing_is_released_while_a_part_of_azure_is_unread(estate: Any) -> None:
    shelf = estate.shelf("low")
    live = (shelf, *boxes(estate, 20))
    assert refusals(estate, (shelf, *boxes(estate, 19)), live, (GAP,)) == {"G106": 1}
    assert refusals(estate, (shelf, *boxes(estate, 20, size="small")), live, (GAP,)) == {}


def test_the_table_of_guards() -> None:
    codes = [item.code for item in GUARDS]
    assert codes == sorted(set(codes))
    assert all(item.title and item.refuses for item in GUARDS)


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ((), {}),
        (("G103=2", "g105"), {"G103": 2, "G105": None}),
        ((" g101 = 40 ",), {"G101": 40}),
        (("G106=1",), {"G106": None}),
    ],
)
def test_allowances(texts: Any, expected: Any) -> None:
    assert parse_allowances(texts) == expected


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (("G103",), "takes the number of changes"),
        (("G999=1",), "no guard 'G999'"),
        (("all",), "no guard 'all'"),
        (("G103=0",), "'0' is not a number"),
        (("G103=",), "'' is not a number"),
        (("G103=-1",), "'-1' is not a number"),
        (("G103=1", "g103=2"), "twice"),
    ],
)
def test_allowances_that_are_refused(texts: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        parse_allowances(texts)
    assert caught.value.advice


@pytest.mark.parametrize(
    ("text", "left", "allowed"),
    [("G103=2", [], ("G103=2",)), ("G103=3", [], ("G103=3",)), ("G103=1", ["G103"], ()), ("G105", ["G103"], ())],
)
def test_a_guard_is_lifted_by_its_name_and_number(text: str, left: Any, allowed: Any) -> None:
    refusal = Refusal(code="G103", title="t", message="2 changes would delete", count=2)
    plan = lift(Plan(created="", refusals=(refusal,)), parse_allowances([text]))
    assert [item.code for item in plan.refusals] == left
    assert plan.allowed == allowed


def test_too_small_a_number_is_told_with_both_numbers() -> None:
    refusal = Refusal(code="G103", title="t", message="7 changes would delete", count=7)
    plan = lift(Plan(created="", refusals=(refusal,)), {"G103": 5})
    assert "--allow G103=5 lets 5 through, there are 7" in plan.refusals[0].message
