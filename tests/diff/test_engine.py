"""The laws of the comparison, on two small kinds."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.diff.engine import compare
from reconciler.model.live import Unreadable
from reconciler.plan.change import ABSENT, Action, Effect, Reason
from reconciler.plan.finding import Finding, Severity
from reconciler.plan.graph import order


def the(plan: Any, name: str) -> Any:
    return next(change for change in plan.changes if change.address.endswith(f"/{name}"))


def steps_of(plan: Any) -> list[str]:
    return [step.id.split("/")[-1] for step in order(plan.steps())]


def test_what_is_not_there_is_created_after_what_it_needs(estate: Any) -> None:
    plan = estate.plan((estate.box("vm-1"), estate.shelf("low")))
    assert [(change.address, change.action, change.reason) for change in plan.changes] == [
        ("box.prod/rg/vm-1", Action.CREATE, Reason.NOT_IN_AZURE),
        ("shelf.prod/rg/low", Action.CREATE, Reason.NOT_IN_AZURE),
    ]
    assert steps_of(plan) == ["low#put", "vm-1#put-up"]
    assert the(plan, "vm-1").before is None
    assert the(plan, "vm-1").after == {"shelf": "shelf.prod/rg/low", "size": "small", "state": "Standing"}
    assert the(plan, "low").source.file == "shelves.yaml"


def test_equal_states_need_nothing(estate: Any) -> None:
    both = (estate.shelf("low", colours=("red", "blue")), estate.box("vm-1", facts=estate.facts(age=3)))
    other = (estate.shelf("LOW", colours=("blue", "red"), note="ignored"), estate.box("VM-1", shelf="LoW"))
    plan = estate.plan(both, other)
    assert plan.empty
    assert plan.unchanged == 2
    assert plan.findings == ()


@pytest.mark.parametrize(
    ("before", "after", "fields"),
    [
        ({"height": 1}, {"height": 2}, [("height", 1, 2)]),
        ({"colours": ("b", "a")}, {"colours": ("b",)}, [("colours", ["a", "b"], ["b"])]),
        (
            {"tags": {"env": "prod", "cost.center": "1"}},
            {"tags": {"env": "test"}},
            [('tags["cost.center"]', "1", None), ("tags.env", "prod", "test")],
        ),
        ({"height": 1, "note": "a"}, {"height": 2, "note": "b"}, [("height", 1, 2)]),
    ],
)
def test_differences_by_field(estate: Any, before: Any, after: Any, fields: Any) -> None:
    plan = estate.plan((estate.shelf("low", **after),), (estate.shelf("low", **before),))
    change = the(plan, "low")
    assert change.action is Action.UPDATE
    assert [(item.path, item.before, item.after) for item in change.fields] == fields


def test_a_field_that_cannot_change_blocks(estate: Any) -> None:
    plan = estate.plan((estate.shelf("low", place="east"),), (estate.shelf("low"),))
    change = the(plan, "low")
    assert (change.action, change.reason) == (Action.BLOCKED, Reason.CANNOT_CHANGE)
    assert "place" in change.why
    assert change.manual
    assert change.steps == ()
    assert not plan.applyable


def test_the_verdict_of_the_kind_counts(estate: Any) -> None:
    shelf = estate.shelf("low")
    plan = estate.plan((shelf, estate.box("vm-1")), (shelf, estate.box("vm-1", state="SoftDeleted")))
    assert the(plan, "vm-1").action is Action.UNDELETE
    assert steps_of(plan) == ["vm-1#undelete", "vm-1#put-up"]


@pytest.mark.parametrize(("note", "expected"), [("ours", Action.RELEASE), ("someone", "unmanaged"), ("nobody", None)])
def test_what_no_policy_asks_for(estate: Any, note: str, expected: Any) -> None:
    plan = estate.plan((), (estate.shelf("low", note=note),))
    said = [change.action for change in plan.changes] + [finding.code for finding in plan.findings]
    assert said == ([expected] if expected else [])


def test_a_release_that_keeps_everything_is_a_finding(estate: Any) -> None:
    plan = estate.plan((), (estate.box("vm-1", size="kept"),))
    assert plan.empty
    assert [(item.code, item.severity, item.address) for item in plan.findings] == [
        ("no_longer_declared", Severity.INFO, "box.prod/rg/vm-1")
    ]


def test_unreadable_is_not_absent(estate: Any) -> None:
    gap = Unreadable(("box",), "prod/rg/low", "cannot list boxes", why="403", location="west")
    shelf = estate.shelf("low")
    import dataclasses

    box = dataclasses.replace(estate.box("vm-1"), location="west")
    plan = estate.plan((shelf, box), (shelf,), unreadable=(gap,))
    assert plan.empty
    assert not plan.complete
    assert plan.unknown == ("box.prod/rg/vm-1",)
    assert plan.unchanged == 1
    (finding,) = plan.findings
    assert finding.code == "unreadable"
    assert "unknown behind it: 1 resource," in finding.message


def test_nothing_is_released_where_the_vm_list_failed(estate: Any) -> None:
    gap = Unreadable(("virtual_machine",), "prod", "cannot list VMs")
    plan = estate.plan((), (estate.box("vm-1"),), unreadable=(gap,))
    assert plan.empty
    assert plan.unknown == ("box.prod/rg/vm-1",)


def test_a_vm_that_a_policy_asks_for_and_that_found_no_place_is_not_released(estate: Any) -> None:
    situation = estate.situation((), (estate.box("vm-1", size="gone"), estate.box("vm-2", size="gone")))
    plan = compare(situation, estate.kinds, assignments=[estate.assignment("VM-1", "24h")])
    assert [change.address for change in plan.changes] == ["box.prod/rg/vm-2"]


def test_what_needs_something_unknown_waits(estate: Any) -> None:
    gap = Unreadable(("shelf",), "prod", "cannot list shelves")
    plan = estate.plan((estate.shelf("low"), estate.box("vm-1")), (), unreadable=(gap,))
    assert [(change.action, change.reason) for change in plan.changes] == [(Action.BLOCKED, Reason.UNREADABLE)]
    assert "shelf.prod/rg/low" in plan.changes[0].why


def test_a_block_spreads_to_what_newly_needs_it(estate: Any) -> None:
    desired = (estate.shelf("low", place="east"), estate.box("new"), estate.box("old", size="large"))
    plan = estate.plan(desired, (estate.shelf("low"), estate.box("old")))
    assert the(plan, "new").action is Action.BLOCKED
    assert the(plan, "new").reason is Reason.DEPENDS_ON_BLOCKED
    assert "shelf.prod/rg/low" in the(plan, "new").why
    assert the(plan, "new").steps == ()
    assert the(plan, "old").action is Action.UPDATE


def test_a_block_does_not_spread_to_what_it_only_orders_as_long_as_it_is_there(estate: Any) -> None:
    _, box, shelf = estate.kinds
    loose = type("Loose", (type(box),), {"order_only": frozenset({"shelf"})})()
    desired = (estate.shelf("low", place="east"), estate.box("new"))
    there = compare(estate.situation(desired, (estate.shelf("low"),)), (loose, shelf))
    assert (the(there, "low").action, the(there, "new").action) == (Action.BLOCKED, Action.CREATE)
    held = compare(estate.situation(desired, (estate.shelf("low"),)), (box, shelf))
    assert the(held, "new").action is Action.BLOCKED


def test_a_move_waits_for_its_new_place_before_it_lets_go(estate: Any) -> None:
    live = (estate.shelf("low", note="ours"), estate.box("vm-1"))
    plan = estate.plan((estate.shelf("high"), estate.box("vm-1", "high")), live)
    assert steps_of(plan) == ["high#put", "vm-1#take-down", "vm-1#put-up", "low#clear"]


def test_a_place_is_taken_down_after_its_users_left_and_not_when_they_cannot(estate: Any) -> None:
    live = (estate.shelf("low", note="ours"), estate.box("vm-1"))
    assert steps_of(estate.plan((), live)) == ["vm-1#take-down", "low#clear"]
    stuck = estate.plan((estate.shelf("high"), estate.box("vm-1", "high", size="impossible")), live)
    assert the(stuck, "low").reason is Reason.DEPENDS_ON_BLOCKED


def test_what_expires_goes_after_what_takes_its_place(estate: Any) -> None:
    """And not at all where that cannot be taken: a failed create never leads to a delete."""
    old = estate.photo("old", "expired", after="new")
    kept = estate.photo("kept", after="new")
    live = (estate.photo("old"), estate.photo("kept"))
    plan = estate.plan((old, kept, estate.photo("new")), live)
    assert steps_of(plan) == ["new#take", "old#burn"]
    assert the(plan, "old").steps[0].after == ("photo.prod/rg/new#take",)
    assert (the(plan, "old").reason, the(plan, "old").details, the(plan, "old").after) == (Reason.EXPIRED, (), None)
    stuck = estate.plan((old, kept, estate.photo("new", "torn")), live)
    assert (the(stuck, "old").action, the(stuck, "old").reason) == (Action.BLOCKED, Reason.DEPENDS_ON_BLOCKED)


def test_what_is_due_rests_on_what_is_there_now(estate: Any) -> None:
    plan = estate.plan((estate.photo("old", "expired", after="new"), estate.photo("new")), (estate.photo("old"),))
    assert the(plan, "new").basis == {"photo.prod/rg/new": ABSENT}
    assert set(the(plan, "old").basis) == {"photo.prod/rg/new", "photo.prod/rg/old"}
    assert the(plan, "old").basis["photo.prod/rg/old"] != ABSENT
    assert [change.address for change in plan.due] == ["photo.prod/rg/new", "photo.prod/rg/old"]
    assert plan.drift == ()


def test_what_nobody_desires_is_left_alone(estate: Any) -> None:
    plan = estate.plan((), (estate.photo("theirs"),))
    assert plan.empty
    assert plan.findings == ()


def test_objectives_are_those_of_the_assignment(estate: Any) -> None:
    both = (estate.shelf("low"), estate.box("vm-1", facts=estate.facts(age=30)))
    situation = estate.situation(both, both)
    codes = {
        rpo: [
            item.code
            for item in compare(situation, estate.kinds, assignments=[estate.assignment("vm-1", rpo)]).findings
        ]
        for rpo in ("24h", "48h")
    }
    assert codes == {"24h": ["rpo"], "48h": []}
    assert compare(situation, estate.kinds).findings == ()


def test_findings_are_sorted_and_said_once(estate: Any) -> None:
    one = Finding(code="b", message="m")
    plan = compare(estate.situation(), estate.kinds, [one, Finding(code="a", message="m", severity=Severity.INFO), one])
    assert [item.code for item in plan.findings] == ["b", "a"]


def test_the_basis_covers_the_resource_and_what_it_refers_to_but_nothing_volatile(estate: Any) -> None:
    def basis(height: int = 1, age: int = 0, owner: str = "", size: str = "small", note: str = "") -> str:
        live = (
            estate.shelf("low", height=height, note=note),
            estate.box("vm-1", facts=estate.facts(age=age, owner=owner), size=size),
        )
        return str(estate.plan((live[0], estate.box("vm-1", size="large")), live).basis)

    assert basis() == basis(age=9)
    assert len({basis(), basis(owner="x"), basis(size="medium"), basis(height=2), basis(note="x")}) == 5


def test_the_deletion_shows_its_effect(estate: Any) -> None:
    plan = estate.plan((), (estate.box("vm-1", size="gone"),))
    assert the(plan, "vm-1").effect is Effect.DELETES


NAMES = st.sampled_from(["a", "b", "c", "d"])


@st.composite
def states(draw: Any) -> Any:
    """Any estate: shelves, and boxes on shelves that may or may not be there."""
    heights = draw(st.dictionaries(NAMES, st.tuples(st.integers(1, 3), st.sampled_from(["west", "east"]))))
    sizes = st.sampled_from(["small", "large", "gone", "kept", "impossible"])
    boxes = draw(st.dictionaries(NAMES, st.tuples(NAMES, sizes)))
    return heights, boxes


def build(estate: Any, drawn: Any, note: str = "") -> Any:
    shelves, boxes = drawn
    return (
        *(estate.shelf(name, height=height, place=place, note=note) for name, (height, place) in shelves.items()),
        *(estate.box(name, shelf, size=size) for name, (shelf, size) in boxes.items()),
    )


RELAXED = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@RELAXED
@given(drawn=states())
def test_no_state_differs_from_itself(estate: Any, drawn: Any) -> None:
    state = build(estate, drawn)
    plan = estate.plan(state, state)
    assert plan.empty
    assert plan.unchanged == len(state)


@RELAXED
@given(wanted=states(), found=states())
def test_every_plan_can_be_ordered_and_does_not_depend_on_the_order_of_reading(
    estate: Any, wanted: Any, found: Any
) -> None:
    desired, live = build(estate, wanted), build(estate, found, note="ours")
    plan = estate.plan(desired, live)
    assert plan == estate.plan(desired[::-1], live[::-1])
    done: set[str] = set()
    for step in order(plan.steps()):
        assert done.issuperset(step.after)
        done.add(step.id)
    assert plan.unchanged + sum(change.after is not None for change in plan.changes) == len(desired)
    assert all(not change.steps for change in plan.blocked)
    assert msgspec.json.decode(msgspec.json.encode(plan), type=type(plan)) == plan
