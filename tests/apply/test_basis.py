from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from reconciler.apply.basis import check_basis
from reconciler.errors import ExitCode, StalePlanError
from reconciler.plan.change import Action, Change, Consequence, Effect, Reason, Step
from reconciler.plan.finding import Finding, Severity
from reconciler.plan.plan import Plan


def change(name: str = "vm", before: int | None = 1, after: int = 2, **more: Any) -> Change:
    address = f"widget.prod/{name}"
    fields: dict[str, Any] = {
        "address": address,
        "kind": "widget",
        "action": Action.UPDATE,
        "reason": Reason.DIFFERS,
        "before": {"level": before},
        "after": {"level": after},
        "basis": {address: f"seen-{before}", "widget.prod/needed": "seen"},
        "steps": (Step(id=f"{address}#raise", kind="widget", address=address, verb="raise", title="Raise"),),
    }
    return Change(**{**fields, **more})


def plan(*changes: Change, basis: str = "b1", **more: Any) -> Plan:
    return Plan(created="2026-03-01T08:00:00Z", changes=changes, basis=basis, **{"policies": "p1", **more})


def worse(item: Change, effect: Effect) -> Change:
    return msgspec.structs.replace(item, consequences=(Consequence(effect=effect, text="…"),))


def waiting(item: Change, *needed: str) -> Change:
    (step,) = item.steps
    return msgspec.structs.replace(item, steps=(msgspec.structs.replace(step, after=needed),))


def test_on_the_same_basis_the_saved_plan_itself_is_run() -> None:
    saved = plan(change())
    assert check_basis(saved, msgspec.structs.replace(saved, created="2026-03-02T08:00:00Z")) is saved


def test_what_else_changed_in_the_estate_does_not_matter() -> None:
    saved = plan(change())
    assert check_basis(saved, plan(change(), change("elsewhere"), basis="b2", complete=False)) is saved


OTHER_NEED = {"widget.prod/vm": "seen-1", "widget.prod/needed": "another"}
STALE: list[tuple[str, Plan, Plan, str]] = [
    ("live value", plan(change()), plan(change(before=7)), "widget.prod/vm: level changed since"),
    ("gone", plan(change()), plan(), "was to update, now needs nothing or cannot be read"),
    ("action", plan(change()), plan(change(action=Action.BLOCKED)), "was to update, is now to blocked"),
    ("what it refers to", plan(change()), plan(change(basis=OTHER_NEED)), "vm: widget.prod/needed changed since"),
    ("effect", plan(change()), plan(worse(change(), Effect.PRUNES)), "'none', is now 'prunes'"),
    ("steps", plan(change()), plan(change(steps=())), "takes other steps now"),
    ("policies", plan(change()), plan(change(), policies="p2"), "the policies are not the ones"),
    ("no basis", plan(change(), basis=""), plan(change(), basis=""), "were not recorded"),
    ("a change without basis", plan(change(basis={})), plan(change(basis={})), "were not recorded"),
]


@pytest.mark.parametrize(("saved", "fresh", "told"), [case[1:] for case in STALE], ids=[case[0] for case in STALE])
def test_what_differs_is_named(saved: Plan, fresh: Plan, told: str) -> None:
    with pytest.raises(StalePlanError, match="no longer fits") as caught:
        check_basis(saved, fresh)
    assert told in caught.value.message
    assert caught.value.exit_code is ExitCode.REFUSED


def due(name: str, *needed: str, **more: Any) -> Change:
    return waiting(change(name, reason=Reason.DUE, **more), *needed)


def test_what_was_due_and_is_no_longer_as_planned_is_left_out_with_what_waits_for_it() -> None:
    """A snapshot of 06:00 is not taken at noon, and what it should replace stays; the rest of the plan goes on."""
    old = due("old", "widget.prod/taken#raise")
    copy = waiting(change("copy"), "widget.prod/old#raise")
    saved = plan(due("taken"), old, copy, change("vm"), due("same"))
    fresh = plan(due("taken-at-noon"), old, copy, change("vm"), due("same"), basis="b2")
    rest = check_basis(saved, fresh)
    assert [item.address for item in rest.changes] == ["widget.prod/vm", "widget.prod/same"]
    assert rest.basis == rest.fingerprint
    (told,) = rest.findings
    assert told.message.startswith("3 changes of the saved plan left out")


def test_the_first_of_its_schedule_is_left_out_like_those_that_follow() -> None:
    saved = plan(change("first", reason=Reason.FIRST), due("second"), change("vm"))
    fresh = plan(change("first-at-noon", reason=Reason.FIRST), change("vm"), basis="b2")
    assert [item.address for item in check_basis(saved, fresh).changes] == ["widget.prod/vm"]


@pytest.mark.parametrize("now", [due("x", before=5), worse(due("x"), Effect.PRUNES), due("x", action=Action.BLOCKED)])
def test_what_is_due_otherwise_than_planned_is_not_done(now: Change) -> None:
    assert check_basis(plan(due("x"), change()), plan(now, change(), basis="b2")).changes == (change(),)


def test_a_plan_of_which_the_clock_left_nothing_is_stale() -> None:
    with pytest.raises(StalePlanError, match="was due when it was made"):
        check_basis(plan(due("x")), plan(due("later"), basis="b2"))


def test_by_a_wrong_clock_nothing_that_was_due_is_done() -> None:
    error = Finding(code="clock", message="four days apart")
    stopped = check_basis(plan(due("x"), change()), plan(change(), basis="b2", findings=(error,)))
    assert (stopped.errors, stopped.applyable) == ((error,), False)
    assert check_basis(plan(change()), plan(change(), basis="b2", findings=(error,))).applyable


def test_what_was_due_and_cannot_be_seen_any_more_leaves_the_rest_incomplete() -> None:
    unread = Finding(code="unreadable", message="the list of widgets could not be read", severity=Severity.WARNING)
    rest = check_basis(plan(due("x"), change()), plan(change(), basis="b2", complete=False, findings=(unread,)))
    assert (rest.changes, rest.complete) == ((change(),), False)
    assert unread in rest.findings
    assert "hidden by what could not be read" in rest.findings[-1].message
    with pytest.raises(StalePlanError, match="or could not be read"):
        check_basis(plan(due("x")), plan(basis="b2", complete=False))


def test_what_could_not_be_read_elsewhere_does_not_make_it_incomplete() -> None:
    rest = check_basis(plan(due("x"), change()), plan(due("x", before=5), change(), basis="b2", complete=False))
    assert rest.complete


def test_the_clock_excuses_nothing_else() -> None:
    with pytest.raises(StalePlanError, match=r"vm: level changed since"):
        check_basis(plan(due("x"), change()), plan(change(before=7), basis="b2"))


def test_many_differences_are_counted() -> None:
    saved = plan(*(change(f"vm-{number}") for number in range(14)))
    with pytest.raises(StalePlanError, match="and 4 more"):
        check_basis(saved, plan(basis="b2"))


class TestBegun:
    """An earlier run of this very plan was killed: Azure differs by what it did."""

    begun = frozenset({"widget.prod/A"})

    def test_what_is_done_is_left_out_and_the_rest_is_run(self) -> None:
        saved = plan(change("a"), waiting(change("b"), "widget.prod/a#raise"), allowed=("G104=2",))
        rest = check_basis(saved, plan(change("b"), basis="b2"), self.begun)
        assert rest.changes == (change("b"),)
        assert (rest.basis, rest.allowed) == ("b2", ("G104=2",))

    def test_what_is_half_done_is_run_from_where_it_stands(self) -> None:
        half = change("a", before=5)
        assert check_basis(plan(change("a")), plan(half, basis="b2"), self.begun).changes == (half,)

    def test_what_else_changed_in_the_estate_is_not_this_plans_business(self) -> None:
        fresh = plan(change("b"), change("elsewhere"), basis="b2")
        assert check_basis(plan(change("a"), change("b")), fresh, self.begun).changes == (change("b"),)

    @pytest.mark.parametrize(
        ("spoil", "told"),
        [
            (lambda: plan(change("b", before=9), basis="b2"), "widget.prod/b: level changed since"),
            (lambda: plan(basis="b2"), "widget.prod/b: was to update, now needs nothing"),
            (lambda: plan(change("a", after=9), change("b"), basis="b2"), "a: is to become something else"),
            (lambda: plan(worse(change("a"), Effect.DELETES), change("b"), basis="b2"), "is now 'deletes'"),
            (lambda: plan(waiting(change("b"), "widget.prod/new#make"), basis="b2"), "now needs widget.prod/new#make"),
        ],
        ids=["not begun and changed", "not begun and gone", "other goal", "worse effect", "new need"],
    )
    def test_what_was_not_begun_must_be_the_same_and_what_was_must_not_be_worse(
        self, spoil: Callable[[], Plan], told: str
    ) -> None:
        with pytest.raises(StalePlanError) as caught:
            check_basis(plan(change("a"), change("b")), spoil(), self.begun)
        assert told in caught.value.message


async def test_a_saved_plan_whose_run_was_killed_is_finished(shop: Any, widget: Any, plan: Any) -> None:
    from datetime import timedelta

    widgets = (widget("vault", polls=20), widget("vm", after=("vault",)), widget("other"))
    saved = plan(widgets, {})
    shop.limit = timedelta(seconds=1)
    await shop.execute(saved)
    shop.limit = timedelta(hours=1)
    await shop.resume()
    rest = check_basis(saved, plan(widgets, shop.cloud.levels), shop.begun(saved))
    assert [item.address for item in rest.changes] == ["widget.shop/vm"]
    result = await shop.execute(rest)
    assert len(result.done) == 1
    assert set(shop.cloud.sent.values()) == {1}
