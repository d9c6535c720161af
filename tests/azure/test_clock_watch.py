"""A clock that is wrong is seen by the `Date` of Azure's answers; one that is right never is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reconciler.azure.clock_watch import ClockWatch

AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
DATE = "Mon, 02 Mar 2026 08:00:00 GMT"
MINUTE = timedelta(minutes=1)


def seen(*times: tuple[datetime, datetime, str]) -> ClockWatch:
    """When each request was sent by our clock, when it was answered, and the header."""
    clock: Iterator[datetime] = iter([moment for sent, back, _ in times for moment in (sent, back)])
    watch = ClockWatch(lambda: next(clock))
    for _, _, date in times:
        watch.compare(watch.ask(), date)
    return watch


@pytest.mark.parametrize(
    ("sent", "back", "minutes"),
    [
        (AT, AT, None),
        (AT - 10 * MINUTE, AT - 10 * MINUTE, None),
        (AT + 10 * MINUTE, AT + 10 * MINUTE, None),
        (AT - 11 * MINUTE, AT - 11 * MINUTE, 11),
        (AT + 11 * MINUTE, AT + 12 * MINUTE, 11),
        (AT - 300 * MINUTE, AT + MINUTE, None),  # the answer took hours, or the clock was moved meanwhile
        (AT - 300 * MINUTE, AT - 20 * MINUTE, 20),
    ],
)
def test_ten_minutes_between_question_and_answer(sent: datetime, back: datetime, minutes: int | None) -> None:
    gap = seen((sent, back, DATE)).gap
    assert (gap and gap.span) == (minutes and minutes * MINUTE)
    assert gap is None or gap.azures == AT


def test_the_smallest_counts_and_one_that_agrees_settles_it() -> None:
    far, near = AT + timedelta(days=1), AT + timedelta(hours=1)
    gap = seen((far, far, DATE), (near, near, DATE), (far, far, DATE)).gap
    assert gap is not None
    assert gap.span == timedelta(hours=1)
    assert seen((far, far, DATE), (AT, AT, DATE)).gap is None
    settled = seen((AT, AT, DATE))
    assert settled.ask() is None


@pytest.mark.parametrize("date", ["", "soon", "Mon, 99 Foo 2026 08:00:00 GMT"])
def test_what_is_no_date_says_nothing(date: str) -> None:
    far = AT + timedelta(days=1)
    assert seen((far, far, date)).gap is None


@pytest.mark.parametrize(("date", "told"), [(DATE, False), ("Mon, 02 Mar 2026 09:00:00 GMT", True)])
@pytest.mark.parametrize("status", [200, 404])
async def test_every_answer_is_looked_at(door: Any, script: Any, say: Any, status: int, date: str, told: bool) -> None:
    script.on["/things"] = [say(status, {}, {"Date": date})]
    async with door() as azure:
        await azure.exchange("GET", "/things?api-version=2025-01-01")
        assert (azure.clock_gap is not None) == told
