"""Origins: what is mine, what is pending, what is drift. Laws over any four sides, and the cases by name."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.diff.engine import compare
from reconciler.diff.origins import Sides, keep_only, trace
from reconciler.errors import UsageError
from reconciler.kinds.base import Kind
from reconciler.model.resource import Resource, State
from reconciler.plan.change import BY_TIME, Reason
from reconciler.plan.plan import Plan
from reconciler.plan.provenance import Base, Origin, Provenance
from tests.diff.conftest import Estate

ESTATE = Estate()
KINDS: tuple[Kind[Any], ...] = ESTATE.kinds
BASE = Base(ref="origin/main", commit="b" * 40, applied="a" * 40)
Side = tuple[Resource, ...]


def plan_between(here: Side, live: Side) -> Plan:
    return compare(ESTATE.situation(here, live), ESTATE.kinds)


def told(here: Side, base: Side, applied: Side, live: Side, plan: Plan | None = None) -> Plan:
    states = [{item.address: item for item in side} for side in (here, base, applied, live)]
    return trace(plan or plan_between(here, live), Sides(states[0], states[1], states[2], states[3], BASE), KINDS)


def origin(here: Side, base: Side, applied: Side, live: Side) -> Provenance:
    """Of the one change that there is."""
    (found,) = told(here, base, applied, live).origins.values()
    return found


def shelf(**spec: Any) -> Side:
    return (ESTATE.shelf("low", **{"note": "ours", **spec}),)


@pytest.mark.parametrize(
    ("here", "base", "applied", "live", "expected"),
    [
        (1, 1, 1, 2, Origin.DRIFT),
        (1, 2, 2, 2, Origin.MINE),
        (1, 1, 2, 2, Origin.PENDING),
        (1, 2, 2, 3, Origin.BOTH),
        (1, 2, 3, 3, Origin.MINE),
        (1, 1, 2, 3, Origin.DRIFT),
        (1, 2, 3, 4, Origin.BOTH),
        (1, 1, 1, None, Origin.DRIFT),
        (1, None, None, None, Origin.MINE),
        (1, 1, None, None, Origin.PENDING),
        (1, 2, 2, None, Origin.BOTH),
        (1, None, None, 2, Origin.MINE),
        (1, 1, None, 2, Origin.PENDING),
        (None, 1, 1, 1, Origin.MINE),
        (None, None, 1, 1, Origin.PENDING),
        (None, None, None, 1, Origin.DRIFT),
        (None, 1, 1, 2, Origin.BOTH),
    ],
)
def test_the_sides_and_what_they_come_to(
    here: int | None, base: int | None, applied: int | None, live: int | None, expected: Origin
) -> None:
    """Heights of one shelf; None: not asked for, or not there."""
    sides = (shelf(height=height) if height else () for height in (here, base, applied, live))
    assert origin(*sides).origin is expected


def test_each_field_is_told_apart() -> None:
    found = origin(
        shelf(height=9, colours=("red",), tags={"a": "1"}),
        shelf(height=1, colours=("red",), tags={"a": "1"}),
        shelf(height=1, colours=("blue",), tags={"a": "1"}),
        shelf(height=1, colours=("blue",), tags={"a": "2"}),
    )
    assert found == Provenance(origin=Origin.BOTH, edited=("height",), pending=("colours",), drifted=("tags.a",))


def test_only_fields_of_the_change_count() -> None:
    """The edit asks for a tag that somebody has set by hand already: what is in step with Azure is nobody's matter."""
    found = origin(
        shelf(height=9, tags={"a": "2"}), shelf(tags={"a": "1"}), shelf(tags={"a": "1"}), shelf(tags={"a": "2"})
    )
    assert found == Provenance(origin=Origin.MINE, edited=("height",))


def test_another_spelling_is_no_edit_and_ignored_fields_are_nobodys() -> None:
    found = origin(
        shelf(height=2, colours=("red", "blue"), note="a"),
        shelf(height=2, colours=("blue", "red"), note="b"),
        shelf(height=2, colours=("blue", "red"), note="c"),
        shelf(height=1, colours=("blue", "red")),
    )
    assert found == Provenance(origin=Origin.DRIFT, drifted=("height",))


def test_a_part_of_a_field_belongs_to_the_whole() -> None:
    """The change speaks of the tag, the edit of all tags: a side that has none shows them as one field."""
    found = origin(shelf(tags={"a": "1", "b": "2"}), shelf(), shelf(), shelf(tags={"a": "1", "b": "3"}))
    assert found == Provenance(origin=Origin.BOTH, edited=("tags.b",), drifted=("tags.b",))


def test_what_the_clock_or_a_person_asks_for_has_no_origin() -> None:
    plan = plan_between((ESTATE.photo("new"), ESTATE.photo("old")), (ESTATE.photo("old", state="blurred"),))
    assert {change.reason for change in plan.changes} == BY_TIME
    assert told((), (), (), (), plan).origins == {}
    asked = (msgspec.structs.replace(change, reason=Reason.ASKED) for change in plan_between(shelf(), ()).changes)
    assert told((), (), (), (), msgspec.structs.replace(plan, changes=tuple(asked))).origins == {}


def test_what_is_put_off_has_its_origin() -> None:
    plan = plan_between(shelf(height=2), shelf(height=1))
    later = msgspec.structs.replace(plan, changes=(), deferred=plan.changes)
    assert told(shelf(height=2), shelf(), shelf(), shelf(), later).of_origin(Origin.MINE) == later.deferred


# ---- --only


def mixed() -> Plan:
    """box-new is mine and stands on a shelf that somebody took away; tall has drifted."""
    applied = (ESTATE.shelf("low"), ESTATE.shelf("tall", height=5))
    here = (*applied, ESTATE.box("new", "low"))
    live = (ESTATE.shelf("tall", height=4),)
    return told(here, applied, applied, live)


@pytest.mark.parametrize(
    ("only", "kept", "words"),
    [
        ("", ["box.prod/rg/new", "shelf.prod/rg/low", "shelf.prod/rg/tall"], []),
        ("mine", ["box.prod/rg/new", "shelf.prod/rg/low"], ["(1 drift): shelf.prod/rg/tall", "shelf.prod/rg/low"]),
        ("drift", ["shelf.prod/rg/low", "shelf.prod/rg/tall"], ["(1 mine): box.prod/rg/new"]),
    ],
)
def test_only_keeps_one_origin_and_what_it_needs(only: str, kept: list[str], words: list[str]) -> None:
    plan = keep_only(mixed(), only)
    assert [change.address for change in plan.changes] == kept
    assert sorted(plan.origins) == kept
    assert plan.only == only
    assert plan.basis == plan.fingerprint
    messages = " ".join(finding.message for finding in plan.findings)
    assert all(word in messages for word in words), messages


def test_only_leaves_out_what_is_due() -> None:
    photo = ESTATE.photo("new")
    plan = told((*shelf(height=2), photo), shelf(), shelf(), shelf(), plan_between((*shelf(height=2), photo), shelf()))
    narrowed = keep_only(plan, "mine")
    assert [change.kind for change in narrowed.changes] == ["shelf"]
    assert "1 due" in narrowed.findings[0].message


def test_only_refuses_where_nothing_tells() -> None:
    with pytest.raises(UsageError, match="--only drift"):
        keep_only(plan_between(shelf(height=2), shelf()), "drift")


# ---- laws

SHELVES = st.builds(
    lambda height, colours, tags, place: {"height": height, "colours": colours, "tags": tags, "place": place},
    st.integers(1, 3),
    st.sampled_from([(), ("red",), ("red", "blue"), ("blue", "red")]),
    st.dictionaries(st.sampled_from(["a", "b.c"]), st.sampled_from(["1", "2"]), max_size=2),
    st.sampled_from(["west", "east"]),
)


@st.composite
def sides(draw: st.DrawFn) -> Side:
    """Any of three shelves, some boxes on them, and photos that the clock asks for."""
    specs = {name: draw(st.none() | SHELVES) for name in ("low", "mid", "tall")}
    found = [ESTATE.shelf(name, note="ours", **spec) for name, spec in specs.items() if spec]
    there = [item.address.name for item in found]
    for name in draw(st.sets(st.sampled_from(["one", "two"]))):
        if there:
            size = draw(st.sampled_from(["small", "large", "impossible"]))
            found.append(ESTATE.box(name, draw(st.sampled_from(there)), size=size))
    if draw(st.booleans()):
        found.append(ESTATE.photo("noon"))
    return tuple(found)


def same(one: Resource | None, other: Resource | None) -> bool:
    if one is None or other is None:
        return one is other
    kind = next(kind for kind in KINDS if kind.name == one.address.kind)
    return bool(kind.normalise(one.spec) == kind.normalise(other.spec))


@given(sides(), sides(), sides(), sides())
def test_origins_are_a_partition_of_what_is_not_by_time(here: Side, base: Side, applied: Side, live: Side) -> None:
    plan = told(here, base, applied, live)
    expected = {change.address for change in plan.changes if change.reason not in BY_TIME}
    assert set(plan.origins) == expected
    parts = [{change.address for change in plan.of_origin(origin)} for origin in Origin]
    assert sum(map(len, parts)) == len(expected)
    assert set().union(*parts) == expected


@given(sides(), sides(), sides(), sides())
def test_every_field_comes_from_somewhere(here: Side, base: Side, applied: Side, live: Side) -> None:
    """Where all four sides have the resource, what differs at the ends differs at one of the steps between them."""
    everywhere = set.intersection(*({str(item.address) for item in side} for side in (here, base, applied, live)))
    plan = told(here, base, applied, live)
    for change in plan.changes:
        if change.address in everywhere and change.address in plan.origins:
            found = plan.origins[change.address]
            assert {*found.edited, *found.pending, *found.drifted} == {field.path for field in change.fields}


@given(sides(), sides())
def test_policies_that_nobody_touched_make_drift_of_everything(here: Side, live: Side) -> None:
    assert {found.origin for found in told(here, here, here, live).origins.values()} <= {Origin.DRIFT}


@given(sides(), sides())
def test_azure_as_it_was_applied_makes_everything_mine(here: Side, applied: Side) -> None:
    assert {found.origin for found in told(here, applied, applied, applied).origins.values()} <= {Origin.MINE}


@given(sides(), sides())
def test_a_merge_that_nobody_applied_is_pending(here: Side, applied: Side) -> None:
    assert {found.origin for found in told(here, here, applied, applied).origins.values()} <= {Origin.PENDING}


@given(sides(), sides(), sides(), sides())
def test_the_rule_holds_for_whole_resources(here: Side, base: Side, applied: Side, live: Side) -> None:
    """Where a resource comes or goes as a whole, its origin is what the four sides say of it."""
    plan = told(here, base, applied, live)
    states: list[State] = [{item.address: item for item in side} for side in (here, base, applied, live)]
    for change in plan.changes:
        if change.fields or change.address not in plan.origins:
            continue
        address = next(one for state in states for one in state if str(one) == change.address)
        h, b, a, found = (state.get(address) for state in states)
        drifted = not same(found, a) and not (a is None and h is not None)
        expected = {
            (True, True): Origin.BOTH,
            (True, False): Origin.MINE,
            (False, True): Origin.DRIFT,
            (False, False): Origin.PENDING,
        }[(not same(h, b), drifted)]
        assert plan.origins[change.address].origin is expected


@given(sides(), sides(), sides(), sides(), st.sampled_from(["mine", "drift"]))
def test_what_is_kept_can_be_carried_out(here: Side, base: Side, applied: Side, live: Side, only: str) -> None:
    plan = keep_only(told(here, base, applied, live), only)
    steps = {step.id for step in plan.steps()}
    assert all(needed in steps for step in plan.steps() for needed in step.after)
