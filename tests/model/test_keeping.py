"""What a keep holds, against a slow and obvious reference, and the laws that retention must never break."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from reconciler.model.duration import parse_duration
from reconciler.model.keeping import kept, most, parse_keep, say, spell_keep
from reconciler.model.slots import Cadence
from reconciler.model.snapshot_schedule import Keep

NOW = datetime(2026, 11, 22, 13, 4, tzinfo=UTC)
PERIODS = {"hourly": "%Y-%m-%d %H", "daily": "%Y-%m-%d", "weekly": "%G-%V", "monthly": "%Y-%m", "yearly": "%Y"}
NUMBERS = st.none() | st.integers(1, 12)
AGES = st.none() | st.builds(lambda number, unit: f"{number}{unit}", st.integers(1, 40), st.sampled_from("hdw"))
KEEPS = st.builds(
    Keep, count=NUMBERS, age=AGES, hourly=NUMBERS, daily=NUMBERS, weekly=NUMBERS, monthly=NUMBERS, yearly=NUMBERS
)
SLOTS = st.sets(
    st.integers(0, 4 * 366 * 24).map(lambda hours: NOW.replace(minute=0) - timedelta(hours=hours)), max_size=60
)


def reference(keep: Keep, slots: Iterable[datetime], now: datetime) -> dict[datetime, set[str]]:
    """Each rule on its own: list the periods, sort, take."""
    there = list(slots)
    found: dict[datetime, set[str]] = {slot: set() for slot in there}
    if there:
        found[max(there)].add("newest")
    for slot in there:
        if keep.count and sum(other > slot for other in there) < keep.count:
            found[slot].add("count")
        if keep.age and now < slot + parse_duration(keep.age):
            found[slot].add("age")
        for rule, form in PERIODS.items():
            newer = {other.strftime(form) for other in there if other > slot}
            alone = slot.strftime(form) not in newer
            if (number := getattr(keep, rule)) and alone and len(newer) < number:
                found[slot].add(rule)
    return {slot: rules for slot, rules in found.items() if rules}


def looser(one: Keep, other: Keep) -> Keep:
    """What holds as long as the one or the other does."""
    ages = [age for age in (one.age, other.age) if age]
    numbers = {
        name: max(getattr(one, name) or 0, getattr(other, name) or 0) or None
        for name in Keep.__struct_fields__
        if name != "age"
    }
    return Keep(age=max(ages, key=parse_duration) if ages else None, **numbers)


def hours(*numbers: int) -> list[datetime]:
    return [NOW.replace(minute=0) - timedelta(hours=number) for number in numbers]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@given(KEEPS, SLOTS)
def test_kept_is_what_the_reference_keeps(keep: Keep, slots: set[datetime]) -> None:
    assert {slot: set(rules) for slot, rules in kept(keep, slots, NOW).items()} == reference(keep, slots, NOW)


@given(KEEPS, SLOTS)
def test_newest_stays_and_nothing_is_invented(keep: Keep, slots: set[datetime]) -> None:
    found = kept(keep, slots, NOW)
    assert found.keys() <= slots
    assert list(found) == sorted(found, reverse=True)
    assert all(found.values())
    if slots:
        assert "newest" in found[max(slots)]


@given(KEEPS, SLOTS)
def test_a_second_look_drops_nothing_more(keep: Keep, slots: set[datetime]) -> None:
    held = kept(keep, slots, NOW)
    assert kept(keep, held, NOW) == held


@given(KEEPS, SLOTS, st.lists(st.integers(0, 400 * 24), max_size=20))
def test_what_was_dropped_never_comes_back(keep: Keep, slots: set[datetime], later: list[int]) -> None:
    """Neither time nor newer snapshots make a dropped one wanted again: a delete that is put off is no other plan."""
    assume(slots)
    dropped = slots - kept(keep, slots, NOW).keys()
    newer = {NOW + timedelta(hours=number) for number in later}
    now = max(newer, default=NOW)
    assert not dropped & kept(keep, slots | newer, now).keys()


@given(KEEPS, KEEPS, SLOTS)
def test_a_looser_keep_holds_all_that_a_tighter_one_holds(one: Keep, other: Keep, slots: set[datetime]) -> None:
    both = kept(looser(one, other), slots, NOW).keys()
    assert kept(one, slots, NOW).keys() | kept(other, slots, NOW).keys() <= both


@given(KEEPS, st.integers(1, 30 * 24), st.integers(0, 24 * 400))
@settings(max_examples=200)
def test_never_more_than_most(keep: Keep, every: int, start: int) -> None:
    """However long it ran, and wherever in the year it stands."""
    cadence = Cadence(timedelta(hours=every))
    now = NOW + timedelta(hours=start)
    newest = cadence.slot(now)
    slots = [newest - number * cadence.every for number in range(3 * 366 * 24 // max(every, 6))]
    assert len(kept(keep, slots, now)) <= most(keep, cadence)


@pytest.mark.parametrize(
    ("keep", "every", "expected"),
    [
        (Keep(count=24), 1, 24),
        (Keep(age="14d"), 24, 14),
        (Keep(age="36h"), 24, 2),
        (Keep(count=24, age="14d"), 6, 56),
        (Keep(hourly=24), 1, 24),
        (Keep(hourly=24), 6, 24),
        (Keep(daily=7), 1, 7),
        (Keep(daily=7, weekly=4), 24, 10),
        (Keep(count=24, daily=7), 1, 30),
        (Keep(daily=30, weekly=4), 24, 30),
        (Keep(daily=400, monthly=12), 24, 400),
        (Keep(monthly=60, yearly=5), 24, 60),
    ],
)
def test_steady_state_reaches_most(keep: Keep, every: int, expected: int) -> None:
    """The figures of rules that fit the calendar are exact: some day of a year holds just as many."""
    cadence = Cadence(timedelta(hours=every))
    assert most(keep, cadence) == expected
    reach = {1: 40, 6: 60, 24: 6 * 366}[every] * 24 // every
    sizes = set()
    for day in range(60):
        now = NOW + timedelta(hours=day * (every + 1))
        newest = cadence.slot(now)
        sizes.add(len(kept(keep, [newest - number * cadence.every for number in range(reach)], now)))
    assert max(sizes) == expected


@pytest.mark.parametrize(
    ("keep", "slots", "expected"),
    [
        (Keep(count=2), hours(1, 7, 13, 19), hours(1, 7)),
        (Keep(age="12h"), hours(1, 7, 13, 19), hours(1, 7)),
        (Keep(age="1h"), hours(7, 13), hours(7)),  # the newest stays, whatever its age
        (Keep(daily=2), hours(1, 7, 13, 19, 25, 61), hours(1, 19)),  # 06:00 and 12:00 are of one day
        (Keep(daily=3), hours(1, 400, 401, 900), hours(1, 400, 900)),  # of days that have one
        (Keep(), hours(1, 2, 3), hours(1)),
        (Keep(count=3), [], []),
    ],
)
def test_kept(keep: Keep, slots: list[datetime], expected: list[datetime]) -> None:
    assert list(kept(keep, slots, NOW)) == expected


def test_weeks_begin_on_monday_and_may_span_a_year() -> None:
    slots = [at("2025-12-28T00:00"), at("2025-12-29T00:00"), at("2026-01-04T00:00"), at("2026-01-05T00:00")]
    held = kept(Keep(weekly=3), slots, at("2026-01-05T08:00"))
    assert list(held) == [at("2026-01-05T00:00"), at("2026-01-04T00:00"), at("2025-12-28T00:00")]


def test_each_slot_tells_the_rules_that_hold_it() -> None:
    slots = [at("2026-11-22T12:00"), at("2026-11-22T06:00"), at("2026-10-31T18:00")]
    assert kept(Keep(count=2, monthly=2), slots, NOW) == {
        slots[0]: ("newest", "count", "monthly"),
        slots[1]: ("count",),
        slots[2]: ("monthly",),
    }


@pytest.mark.parametrize(
    ("keep", "words"),
    [
        (Keep(count=24), "the newest 24"),
        (Keep(count=1), "the newest"),
        (Keep(age="14d"), "those younger than 14d"),
        (Keep(daily=7), "one each of the last 7 days"),
        (Keep(count=24, daily=7, weekly=4), "the newest 24, and one each of the last 7 days and 4 weeks"),
        (
            Keep(count=3, age="2d", daily=7, weekly=4, yearly=1),
            "the newest 3, those younger than 2d, and one each of the last 7 days, 4 weeks and 1 year",
        ),
        (Keep(), "the newest"),
    ],
)
def test_say(keep: Keep, words: str) -> None:
    assert say(keep) == words


@given(KEEPS)
def test_tags_tell_the_keep_again(keep: Keep) -> None:
    text = spell_keep(keep)
    assert parse_keep(text) == keep
    assert len(text) <= 256  # the longest tag value that Azure takes
    assert msgspec.json.decode(text).keys() == {name for name in Keep.__struct_fields__ if getattr(keep, name)}


@pytest.mark.parametrize("text", ["", "24", '{"count":0}', '{"forever":1}', '{"count":"x"}'])
def test_what_somebody_else_wrote_is_no_keep(text: str) -> None:
    assert parse_keep(text) is None
