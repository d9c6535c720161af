"""With a clock that is wrong nothing is planned that only the time asks for; the rest is told all the same."""

from __future__ import annotations

from datetime import UTC, timedelta, timezone
from typing import Any

from reconciler.diff.clock import leave_out_timed
from reconciler.model.clock_gap import ClockGap
from reconciler.plan.finding import Severity


def test_what_the_time_asks_for_is_left_out_and_both_times_are_told(estate: Any) -> None:
    old = estate.photo("old", "expired", after="new")
    plan = estate.plan((estate.photo("new"), old, estate.shelf("low")), (estate.photo("old"),))
    assert len(plan.changes) == 3
    azures = estate.now.astimezone(timezone(timedelta(hours=5)))
    left = leave_out_timed(plan, ClockGap(estate.now + timedelta(hours=3), azures))
    assert [item.address for item in left.changes] == ["shelf.prod/rg/low"]
    assert (left.due, left.basis, left.applyable) == ((), left.fingerprint, False)
    (error,) = left.findings
    assert (error.code, error.severity) == ("clock", Severity.ERROR)
    assert "says 2026-03-02T06:00:00Z, Azure's 2026-03-02T03:00:00Z, 3 h apart" in error.message
    assert azures.tzinfo is not UTC
