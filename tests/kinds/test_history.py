"""The cadence of a schedule, from what it made: certain, or not at all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.kinds.history import Taken, rhythm, spell
from reconciler.model.duration import parse_duration
from reconciler.model.slots import Cadence

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
COUNT = '{"count":4,"daily":7}'


def taken(*hours: float, keep: str = COUNT) -> list[Taken]:
    """So many hours before noon of a Monday."""
    return [Taken(NOON - timedelta(hours=ago), keep) for ago in hours]


@pytest.mark.parametrize(
    ("made", "found"),
    [
        (taken(0, 6, 12), {"every": "6h", "keep": {"count": 4, "daily": 7}}),
        (taken(0, 6, 12, 18, 42, 66), {"every": "6h", "keep": {"count": 4, "daily": 7}}),
        (taken(0, 24, 48), {"every": "1d", "offset": "12h", "keep": {"count": 4, "daily": 7}}),
        (taken(0, 6, 12, keep='{"hourly":12}'), {"every": "6h", "keep": {"hourly": 12}}),
        (taken(0, 6), "newest slots"),
        (taken(0, 6, 18), "newest slots"),
        (taken(0, 24, 48, keep='{"daily":7}'), "its retention lets go"),
        (taken(0, 24, 48, keep='{"count":2}'), "its retention lets go"),
        (taken(0, 6, 12, keep=""), "in no tag"),
        (taken(0, 6, 12, keep="nonsense"), "in no tag"),
        (taken(0, 0.5, 1), "whole hours"),
        (taken(0, 24 * 31, 24 * 62), "up to 30 days"),
    ],
)
def test_what_slots_tell(made: list[Taken], found: dict[str, Any] | str) -> None:
    said = rhythm(made)
    assert found in said if isinstance(found, str) else said == found


@given(st.integers(1, 30 * 24), st.integers(0, 30 * 24), st.integers(3, 9))
def test_the_cadence_that_made_them_is_found(hours: int, moved: int, number: int) -> None:
    cadence = Cadence(timedelta(hours=hours), timedelta(hours=moved % hours))
    newest = cadence.slot(NOON)
    said = rhythm(Taken(newest - place * cadence.every, '{"count":9}') for place in range(number))
    assert isinstance(said, dict)
    assert parse_duration(said["every"]) == cadence.every
    assert parse_duration(said.get("offset", "1w")) % timedelta(weeks=1) == cadence.offset % timedelta(weeks=1)


@pytest.mark.parametrize(("hours", "text"), [(1, "1h"), (24, "1d"), (36, "36h"), (336, "2w")])
def test_a_span_is_spelled_in_its_largest_unit(hours: int, text: str) -> None:
    assert spell(timedelta(hours=hours)) == text
