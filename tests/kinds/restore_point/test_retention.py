"""Whatever a VM has: nothing goes that is not ours, nor the last thing that it could be restored from."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from reconciler.kinds.restore_point.due import facts_of
from reconciler.kinds.restore_point.retention import settle
from reconciler.kinds.restore_point.spec import Due, Expiry, RestorePointSpec
from reconciler.model.keeping import kept
from reconciler.model.resource import Ref, Resource
from reconciler.model.snapshot_schedule import Keep
from tests.kinds.restore_point.conftest import collection, machine, point, schedule

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
SLOT = NOW.replace(hour=6)
VM = machine()
DECLARED = {
    "six-hourly": schedule(),
    "gfs": schedule("gfs", keep={"hourly": 2, "daily": 3}),
    "aged": schedule("aged", keep={"age": "2d"}),
}
HOMES = [collection(VM, of=name, keep=keep) for name in (*DECLARED, "lost") for keep in (Keep(count=3), Keep(daily=9))]
STATES = st.sampled_from(["Succeeded", "Succeeded", "Succeeded", "Failed", "Creating", "Deleting", "Updating"])


@st.composite
def live_points(draw: Callable[..., object]) -> list[Resource]:
    """Points of several schedules, some broken, some of other people; one address each."""
    made = draw(st.lists(st.tuples(st.sampled_from(HOMES), st.integers(0, 40), STATES, st.booleans()), max_size=25))
    found = {}
    for home, back, state, foreign in made:
        slot = SLOT - timedelta(hours=6) * back
        one = point(home, slot, state=state, name=f"by-hand-{back}" if foreign and back % 3 == 0 else "")
        found.setdefault(one.address, one)
    return list(found.values())


def taken_in(home_index: int) -> Resource:
    home = HOMES[home_index]
    new = point(home, SLOT)
    due = Due(home.arm_id, VM, home.schedule, SLOT, (), 0, None)
    spec = RestorePointSpec(collection=Ref.of(home.address))
    return Resource(new.address, spec, new.arm_id, observed=due)


@given(live_points(), st.one_of(st.none(), st.integers(0, 5).map(taken_in)))
def test_what_is_left_can_restore_the_vm_and_is_nobody_elses(points: list[Resource], taken: Resource | None) -> None:
    points = [one for one in points if taken is None or facts_of(one).slot != SLOT]
    settled = settle(points, taken, DECLARED, NOW)
    gone = {one.address: one for one in settled if isinstance(one.observed, Expiry)}
    by_address = {one.address: one for one in points}
    assert len({one.address for one in settled}) == len(settled)
    for address, one in gone.items():
        facts = facts_of(by_address[address])
        assert facts.slot is not None
        assert facts.schedule in DECLARED
        assert facts.state in ("Succeeded", "Failed")
        assert one.spec.waits_for == (Ref.of(taken.address) if taken else None)
    usable = [one for one in points if facts_of(one).usable and facts_of(one).slot]
    if usable and taken is None:
        newest = max(facts_of(one).slot or NOW for one in usable)
        assert any(one.address not in gone and facts_of(one).slot == newest for one in usable)


@given(live_points())
def test_what_its_schedule_holds_stays_unless_it_is_held_for_being_the_newest_only(points: list[Resource]) -> None:
    settled = {one.address: one for one in settle(points, None, DECLARED, NOW)}
    for name, document in DECLARED.items():
        own = [one for one in points if facts_of(one).schedule == name and facts_of(one).usable]
        held = kept(document.value.keep, [slot for one in own if (slot := facts_of(one).slot)], NOW)
        for one in own:
            slot = facts_of(one).slot
            rules = held.get(slot, ()) if slot else ()
            went = isinstance(settled[one.address].observed, Expiry)
            assert not went or rules in ((), ("newest",))
            assert went or rules != ()


@given(live_points())
def test_settling_again_changes_nothing(points: list[Resource]) -> None:
    """What apply leaves is what the next plan wants."""
    left = [one for one in settle(points, None, DECLARED, NOW) if not isinstance(one.observed, Expiry)]
    assert not any(isinstance(one.observed, Expiry) for one in settle(left, None, DECLARED, NOW))
