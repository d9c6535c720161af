"""Which recovery point a person means."""

from __future__ import annotations

import pytest

from reconciler.errors import UsageError
from reconciler.operate.points import PointBody, PointProperties, pick

TIMES = ("2026-03-02T07:55:00.1234567Z", "2026-03-02T07:50:00Z", "2026-03-02T04:00:00Z")
POINTS = [
    PointBody(
        id=f"/Subscriptions/s/recoveryPoints/p{number}",
        name=f"p{number}",
        properties=PointProperties(
            recovery_point_time=text, recovery_point_type="AppConsistent" if number == 2 else "CrashConsistent"
        ),
    )
    for number, text in enumerate(TIMES)
]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("latest-processed", "p0"),
        ("latest-app-consistent", "p2"),
        ("2026-03-02T07:52:00Z", "p1"),
        ("2026-03-02T08:50:00+01:00", "p1"),
        ("2026-03-02T07:50", "p1"),
        ("P1", "p1"),
        ("/subscriptions/S/recoverypoints/p2", "p2"),
    ],
)
def test_found(wanted: str, found: str) -> None:
    assert pick(wanted, POINTS, "web-01").sent.rpartition("/")[2] == found


def test_what_is_sent_is_told_with_its_time_and_kind() -> None:
    assert pick("latest-app-consistent", POINTS, "web-01").words == "2026-03-02 04:00:00 UTC, application-consistent"


@pytest.mark.parametrize("wanted", ["2026-03-01", "p9", "yesterday"])
def test_not_found_says_what_there_is(wanted: str) -> None:
    with pytest.raises(UsageError) as error:
        pick(wanted, POINTS, "web-01")
    assert f"web-01 has no recovery point '{wanted}'" in str(error.value)
    assert "2026-03-02T07:55:00Z, 2026-03-02T07:50:00Z" in error.value.advice


def test_without_any() -> None:
    with pytest.raises(UsageError, match="it has none"):
        pick("latest-processed", [], "web-01")
