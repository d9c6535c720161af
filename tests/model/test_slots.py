"""Slots against a list of every one of them since the anchor, and the two spellings."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.slots import ANCHOR, Cadence, Missed, parse_label, parse_slot, slot_label, spell_slot
from reconciler.model.snapshot_schedule import Keep, SnapshotSchedule

HOURS = st.integers(1, 30 * 24)
MOMENTS = st.integers(0, 3 * 366 * 24 * 60).map(
    lambda minutes: datetime(1971, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)


@st.composite
def cadences(draw: st.DrawFn) -> Cadence:
    hours = draw(HOURS)
    return Cadence(timedelta(hours=hours), timedelta(minutes=draw(st.integers(0, hours * 60 - 1))))


def every_slot(cadence: Cadence, until: datetime) -> list[datetime]:
    """All that have begun by `until`, one after another."""
    found = []
    slot = ANCHOR + cadence.offset
    while slot <= until:
        found.append(slot)
        slot += cadence.every
    return found


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("every", "offset", "now", "slot"),
    [
        ("6h", None, "2026-11-22T13:04", "2026-11-22T12:00"),
        ("6h", None, "2026-11-22T12:00", "2026-11-22T12:00"),
        ("6h", "2h", "2026-11-22T13:04", "2026-11-22T08:00"),
        ("1d", None, "2026-11-22T23:59", "2026-11-22T00:00"),
        ("1d", "22h", "2026-11-22T13:04", "2026-11-21T22:00"),
        ("1w", None, "2026-11-22T13:04", "2026-11-16T00:00"),  # a Monday
        ("7d", "1d", "2026-11-22T13:04", "2026-11-17T00:00"),
        ("1h", "30m", "2026-11-22T13:04", "2026-11-22T12:30"),
        ("1d", None, "1969-12-31T12:00", "1969-12-31T00:00"),
    ],
)
def test_slot(every: str, offset: str | None, now: str, slot: str) -> None:
    schedule = SnapshotSchedule(every=every, offset=offset, keep=Keep(count=1))
    assert Cadence.of(schedule).slot(at(now)) == at(slot)


@given(cadences(), MOMENTS)
def test_the_slot_is_the_last_that_began(cadence: Cadence, now: datetime) -> None:
    assert cadence.slot(now) == every_slot(cadence, now)[-1]


@given(cadences(), MOMENTS)
def test_a_slot_lies_in_itself(cadence: Cadence, now: datetime) -> None:
    slot = cadence.slot(now)
    assert cadence.slot(slot) == slot
    assert cadence.slot(slot + cadence.every - timedelta(microseconds=1)) == slot


@given(MOMENTS)
def test_the_zone_of_the_clock_does_not_count(now: datetime) -> None:
    cadence = Cadence(timedelta(hours=6))
    assert cadence.slot(now.astimezone(timezone(timedelta(hours=9)))) == cadence.slot(now)


@given(cadences(), MOMENTS, MOMENTS)
def test_missed_are_the_slots_in_between(cadence: Cadence, newest: datetime, now: datetime) -> None:
    between = [slot for slot in every_slot(cadence, now)[:-1] if slot > newest]
    expected = Missed(len(between), between[0], between[-1]) if between else None
    assert cadence.missed(newest, now) == expected


@given(MOMENTS)
def test_spellings_come_back(moment: datetime) -> None:
    assert parse_slot(spell_slot(moment)) == moment
    assert parse_label(slot_label(moment)) == moment
    assert parse_label(slot_label(moment).lower()) == moment


def test_spellings() -> None:
    slot = at("2026-11-22T06:00")
    assert spell_slot(slot) == "2026-11-22T06:00Z"
    assert slot_label(slot) == "20261122T0600Z"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2026-1-2T06:00Z",
        "2026-11-22T06:00",
        "2026-11-22T06:00Z ",
        "2026-13-22T06:00Z",
        "20261122T0600Z",
    ],
)
def test_what_somebody_else_wrote_is_no_slot(text: str) -> None:
    assert parse_slot(text) is None


@pytest.mark.parametrize("text", ["", "before-upgrade", "2026-11-22T06:00Z", "20261122T060Z", "20261322T0600Z"])
def test_what_somebody_else_named_is_no_label(text: str) -> None:
    assert parse_label(text) is None
