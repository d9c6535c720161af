"""The arithmetic of recovery points against a simulation that makes, tags and expires them day by day."""

from __future__ import annotations

import datetime as dt
from calendar import monthrange

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.model.recovery_points import lapsed, pruned, recovery_points
from reconciler.model.retention import (
    MONTHS,
    WEEKDAYS,
    WEEKS,
    Daily,
    Monthly,
    PolicyTerms,
    Retention,
    Schedule,
    Weekly,
    Yearly,
    increases,
    reductions,
)

DAILY = Schedule(frequency="Daily", time="22:00", time_zone="UTC")
HOURLY = Schedule(frequency="Hourly", time="08:00", interval_hours=4, duration_hours=12, time_zone="UTC")
SUNDAYS = Schedule(frequency="Weekly", time="22:00", weekdays=("Sunday",), time_zone="UTC")
TODAY = dt.date(2026, 11, 22)


def terms(schedule: Schedule = DAILY, instant: int = 2, **tiers: object) -> PolicyTerms:
    return PolicyTerms(
        tier="Enhanced",
        schedule=schedule,
        retention=Retention(**tiers),  # type: ignore[arg-type]
        instant_days=instant,
    )


def lifetime(policy: PolicyTerms, day: dt.date) -> int:
    """Days that the vaulted point of `day` lives under `policy`: every tier asked, the slow way."""
    retention, keeps = policy.retention, [policy.instant_days]
    weekday = WEEKDAYS[day.weekday()]
    length = monthrange(day.year, day.month)[1]

    def named(tier: Monthly | Yearly) -> bool:
        if tier.days:
            return str(day.day) in tier.days or ("last" in tier.days and day.day == length)
        weeks = {WEEKS[index] for index in range(4) if index * 7 < day.day <= index * 7 + 7}
        if (day + dt.timedelta(days=7)).month != day.month:
            weeks.add("Last")
        return weekday in tier.weekdays and bool(weeks & set(tier.weeks))

    if retention.daily:
        keeps.append(retention.daily.days)
    if retention.weekly and weekday in retention.weekly.weekdays:
        keeps.append(retention.weekly.weeks * 7)
    if retention.monthly and named(retention.monthly):
        keeps.append(retention.monthly.months * 31)
    if retention.yearly and MONTHS[day.month - 1] in retention.yearly.months and named(retention.yearly):
        keeps.append(retention.yearly.years * 366)
    return max(keeps)


def simulate(before: PolicyTerms, after: PolicyTerms, today: dt.date, years: int) -> tuple[int, int]:
    """Points held under `before` on `today` after so many years, and how many `after` prunes of them."""
    vaulted: list[dt.date] = []
    snapshots: list[dt.date] = []
    day = today - dt.timedelta(days=366 * years)
    while day <= today:
        if before.schedule.frequency != "Weekly" or WEEKDAYS[day.weekday()] in before.schedule.weekdays:
            vaulted.append(day)
            snapshots += [day] * (before.schedule.starts_per_day - 1)
        vaulted = [made for made in vaulted if (day - made).days < lifetime(before, made)]
        snapshots = [made for made in snapshots if (day - made).days < before.instant_days]
        day += dt.timedelta(days=1)
    newest = max(vaulted)
    left = [made for made in vaulted if made == newest or (today - made).days < lifetime(after, made)]
    left_snapshots = [made for made in snapshots if (today - made).days < after.instant_days]
    held = len(vaulted) + len(snapshots)
    return held, held - len(left) - len(left_snapshots)


names = st.sampled_from(WEEKDAYS)
weekdays = st.lists(names, min_size=1, max_size=3, unique=True).map(tuple)
weeks = st.lists(st.sampled_from(WEEKS), min_size=1, max_size=3, unique=True).map(tuple)
days = st.lists(st.sampled_from([*map(str, range(1, 29)), "last"]), min_size=1, max_size=3, unique=True).map(tuple)
months = st.lists(st.sampled_from(MONTHS), min_size=1, max_size=3, unique=True).map(tuple)
chosen = st.one_of(
    st.fixed_dictionaries({"days": days}),
    st.fixed_dictionaries({"weeks": weeks, "weekdays": weekdays}),
)
retentions = st.builds(
    Retention,
    daily=st.none() | st.builds(Daily, days=st.integers(7, 60)),
    weekly=st.none() | st.builds(Weekly, weeks=st.integers(1, 20), weekdays=weekdays),
    monthly=st.none() | st.builds(lambda n, c: Monthly(months=n, **c), st.integers(1, 14), chosen),
    yearly=st.none() | st.builds(lambda n, m, c: Yearly(years=n, months=m, **c), st.integers(1, 2), months, chosen),
)
schedules = st.sampled_from([DAILY, HOURLY]) | weekdays.map(
    lambda some: Schedule(frequency="Weekly", time="22:00", weekdays=some, time_zone="UTC")
)
policies = st.builds(
    PolicyTerms, tier=st.just("Enhanced"), schedule=schedules, retention=retentions, instant_days=st.integers(7, 12)
)


@settings(max_examples=40, deadline=None)
@given(before=policies, after=policies, today=st.dates(dt.date(2024, 1, 1), dt.date(2027, 12, 31)))
def test_the_arithmetic_agrees_with_the_simulation(before: PolicyTerms, after: PolicyTerms, today: dt.date) -> None:
    held, gone = simulate(before, after, today, years=3)
    assert recovery_points(before, today) == held
    assert pruned(before, after, today) == gone


@given(policy=policies, today=st.dates(dt.date(2024, 1, 1), dt.date(2027, 12, 31)))
def test_the_same_policy_prunes_nothing_and_reduces_nothing(policy: PolicyTerms, today: dt.date) -> None:
    assert pruned(policy, policy, today) == 0
    assert reductions(policy, policy) == ()


@given(before=policies, after=policies)
def test_what_prunes_with_equal_choices_of_days_is_a_reduction(before: PolicyTerms, after: PolicyTerms) -> None:
    shorter = PolicyTerms(
        tier=before.tier,
        schedule=before.schedule,
        retention=Retention(daily=after.retention.daily, weekly=before.retention.weekly),
        instant_days=before.instant_days,
    )
    if pruned(before, shorter, TODAY):
        assert any(item.of_retention for item in reductions(before, shorter))


@pytest.mark.parametrize(
    ("before", "after", "gone"),
    [
        (terms(daily=Daily(days=30)), terms(daily=Daily(days=14)), 16),
        (terms(daily=Daily(days=14)), terms(daily=Daily(days=30)), 0),
        (terms(HOURLY, 7, daily=Daily(days=30)), terms(HOURLY, 2, daily=Daily(days=30)), 15),
        (
            terms(daily=Daily(days=30), weekly=Weekly(weeks=12, weekdays=("Sunday",))),
            terms(daily=Daily(days=30)),
            7,  # 12 Sundays, 5 of them within the last 30 days
        ),
        (
            terms(SUNDAYS, 5, weekly=Weekly(weeks=104, weekdays=("Sunday",))),
            terms(SUNDAYS, 5, weekly=Weekly(weeks=52, weekdays=("Sunday",))),
            52,
        ),
    ],
)
def test_known_figures(before: PolicyTerms, after: PolicyTerms, gone: int) -> None:
    assert pruned(before, after, TODAY) == gone


def test_the_newest_point_is_never_pruned() -> None:
    weekly = terms(SUNDAYS, 1, weekly=Weekly(weeks=52, weekdays=("Sunday",)))
    nothing = terms(SUNDAYS, 1, weekly=Weekly(weeks=1, weekdays=("Monday",)))
    assert pruned(weekly, nothing, TODAY + dt.timedelta(days=5)) == 51


@pytest.mark.parametrize(
    ("after", "text"),
    [
        (terms(daily=Daily(days=14)), ["daily retention 30 d → 14 d"]),
        (terms(instant=1, daily=Daily(days=30)), ["instant restore 2 d → 1 d"]),
        (
            terms(SUNDAYS, 5, weekly=Weekly(weeks=52, weekdays=("Sunday",))),
            ["daily retention of 30 d dropped", "up to 168 h between backups instead of 24 h"],
        ),
        (terms(HOURLY, 2, daily=Daily(days=30)), []),
    ],
)
def test_reductions_are_told_in_days(after: PolicyTerms, text: list[str]) -> None:
    assert [str(item) for item in reductions(terms(daily=Daily(days=30)), after)] == text


def test_tiers_are_compared_in_days_not_in_counts() -> None:
    year = terms(monthly=Monthly(months=12, days=("1",)), daily=Daily(days=30))
    fewer_but_longer = terms(monthly=Monthly(months=13, days=("1",)), daily=Daily(days=30))
    assert reductions(year, fewer_but_longer) == ()
    assert year.retention.in_days == {"daily": 30, "monthly": 372}


def test_increases_are_told_too() -> None:
    more = terms(HOURLY, 7, daily=Daily(days=60), monthly=Monthly(months=12, days=("1",)))
    assert [str(item) for item in increases(terms(daily=Daily(days=30)), more)] == [
        "daily retention 30 d → 60 d",
        "monthly retention of 12 months added",
        "instant restore 2 d → 7 d",
        "up to 12 h between backups instead of 24 h",
    ]


@pytest.mark.parametrize(
    ("kept", "days_ago", "gone"),
    [
        (terms(daily=Daily(days=30)), 0, 0),
        (terms(daily=Daily(days=30)), 1, 0),  # yesterday's backup: today's is still to come
        (terms(daily=Daily(days=30)), 2, 1),
        (terms(daily=Daily(days=30)), 12, 11),
        (terms(daily=Daily(days=30)), 400, 29),
        (terms(SUNDAYS, 5, weekly=Weekly(weeks=52, weekdays=("Sunday",))), 20, 2),
    ],
)
def test_what_only_a_stop_has_kept_goes_when_backups_begin_again(kept: PolicyTerms, days_ago: int, gone: int) -> None:
    assert lapsed(kept, TODAY - dt.timedelta(days=days_ago), TODAY) == gone
