"""Every rule on the body of a policy: one body that it refuses, and the nearest one that is accepted."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

TIME = "2026-03-01T22:00:00Z"
ODD_TIME = "2026-03-01T22:10:00Z"
INVALID = "BMSUserErrorInvalidPolicyInput"
Body = dict[str, Any]


def keep(count: int, unit: str, time: str = TIME) -> Body:
    return {"retentionTimes": [time], "retentionDuration": {"count": count, "durationType": unit}}


def long(**retention: Any) -> Body:
    return {"retentionPolicyType": "LongTermRetentionPolicy", **retention}


def daily(**changes: Any) -> Body:
    return {
        "backupManagementType": "AzureIaasVM",
        "schedulePolicy": {
            "schedulePolicyType": "SimpleSchedulePolicy",
            "scheduleRunFrequency": "Daily",
            "scheduleRunTimes": [TIME],
        },
        "retentionPolicy": long(dailySchedule=keep(30, "Days")),
        "timeZone": "UTC",
        **changes,
    }


def weekly(days: tuple[str, ...] = ("Sunday",), **changes: Any) -> Body:
    schedule = daily()["schedulePolicy"] | {"scheduleRunFrequency": "Weekly", "scheduleRunDays": list(days)}
    kept = long(weeklySchedule={"daysOfTheWeek": list(days), **keep(12, "Weeks")})
    return daily(**{"schedulePolicy": schedule, "retentionPolicy": kept, **changes})


def enhanced(frequency: str = "Daily", **changes: Any) -> Body:
    schedule: Body = {"schedulePolicyType": "SimpleSchedulePolicyV2", "scheduleRunFrequency": frequency}
    if frequency == "Daily":
        schedule["dailySchedule"] = {"scheduleRunTimes": [TIME]}
    else:
        schedule["weeklySchedule"] = {"scheduleRunTimes": [TIME], "scheduleRunDays": ["Sunday"]}
    body = daily(policyType="V2", schedulePolicy=schedule, instantRpRetentionRangeInDays=7)
    if frequency == "Weekly":
        body["retentionPolicy"] = long(weeklySchedule={"daysOfTheWeek": ["Sunday"], **keep(12, "Weeks")})
    return body | changes


def hourly(interval: Any = 4, duration: Any = 12, start: str = "2026-03-01T08:00:00Z", **changes: Any) -> Body:
    schedule = {
        "schedulePolicyType": "SimpleSchedulePolicyV2",
        "scheduleRunFrequency": "Hourly",
        "hourlySchedule": {
            "interval": interval,
            "scheduleWindowStartTime": start,
            "scheduleWindowDuration": duration,
        },
    }
    return daily(policyType="V2", schedulePolicy=schedule, instantRpRetentionRangeInDays=7) | changes


def change(body: Body, path: str, value: Any) -> Body:
    """``body`` with one value replaced; a value of None removes the key."""
    changed = deepcopy(body)
    *parents, last = path.split(".")
    target = changed
    for name in parents:
        target = target[name]
    if value is None:
        del target[last]
    else:
        target[last] = value
    return changed


def monthly(by: Body, base: Body | None = None, count: int = 12) -> Body:
    body = deepcopy(base or daily())
    body["retentionPolicy"]["monthlySchedule"] = {**by, **keep(count, "Months")}
    return body


def yearly(by: Body, months: list[str], count: int = 3) -> Body:
    body = daily()
    body["retentionPolicy"]["yearlySchedule"] = {"monthsOfYear": months, **by, **keep(count, "Years")}
    return body


def by_date(*days: Body) -> Body:
    return {"retentionScheduleFormatType": "Daily", "retentionScheduleDaily": {"daysOfTheMonth": list(days)}}


def by_week(days: list[str], weeks: list[str]) -> Body:
    inner = {"daysOfTheWeek": days, "weeksOfTheMonth": weeks}
    return {"retentionScheduleFormatType": "Weekly", "retentionScheduleWeekly": inner}


FIRST = {"date": 1, "isLast": False}
LAST = {"date": 0, "isLast": True}


def archive(mode: str, **more: Any) -> Body:
    return {"ArchivedRP": {"tieringMode": mode, **more}}


def retention_days(count: int) -> Body:
    return long(dailySchedule=keep(count, "Days"))


CASES: list[tuple[str, str, Body, Body]] = [
    ("BP-01", "an Enhanced schedule in a Standard policy", change(enhanced(), "policyType", "V1"), enhanced()),
    ("BP-01", "hourly in a Standard policy", change(hourly(), "policyType", "V1"), hourly()),
    ("BP-01", "no schedule", change(daily(), "schedulePolicy", None), daily()),
    ("BP-01", "an unknown frequency", change(daily(), "schedulePolicy.scheduleRunFrequency", "Monthly"), daily()),
    ("BP-02", "ten past", change(daily(), "schedulePolicy.scheduleRunTimes", [ODD_TIME]), daily()),
    ("BP-02", "two run times", change(daily(), "schedulePolicy.scheduleRunTimes", [TIME, TIME]), daily()),
    ("BP-02", "no time at all", change(daily(), "schedulePolicy.scheduleRunTimes", ["soon"]), daily()),
    ("BP-02", "a window at ten past", hourly(start="2026-03-01T08:10:00Z"), hourly(start="2026-03-01T08:30:00Z")),
    ("BP-03", "weekly without a day", change(weekly(), "schedulePolicy.scheduleRunDays", []), weekly()),
    ("BP-03", "a day twice", change(weekly(), "schedulePolicy.scheduleRunDays", ["Sunday", "Sunday"]), weekly()),
    ("BP-03", "daily with weekdays", change(daily(), "schedulePolicy.scheduleRunDays", ["Sunday"]), daily()),
    ("BP-03", "daily with a window", change(enhanced(), "schedulePolicy.hourlySchedule", {"interval": 4}), enhanced()),
    ("BP-04", "every five hours", hourly(interval=5), hourly(interval=6)),
    ("BP-04", "every 24 hours", hourly(interval=24, duration=24), hourly(interval=12, duration=24)),
    ("BP-05", "a window shorter than the interval", hourly(interval=8, duration=6), hourly(interval=8, duration=8)),
    ("BP-05", "a window longer than a day", hourly(duration=25), hourly(duration=24)),
    ("BP-08", "an IANA zone", daily(timeZone="Europe/Berlin"), daily(timeZone="W. Europe Standard Time")),
    ("BP-08", "hourly without a zone", change(hourly(), "timeZone", None), hourly()),
    ("BP-09", "another retention time", daily(retentionPolicy=long(dailySchedule=keep(30, "Days", ODD_TIME))), daily()),
    ("BP-12", "six days", daily(retentionPolicy=retention_days(6)), daily(retentionPolicy=retention_days(7))),
    ("BP-12", "10000 days", daily(retentionPolicy=retention_days(10000)), daily(retentionPolicy=retention_days(9999))),
    ("BP-12", "days counted in weeks", daily(retentionPolicy=long(dailySchedule=keep(30, "Weeks"))), daily()),
    ("BP-12", "5164 weeks", change(weekly(), "retentionPolicy.weeklySchedule.retentionDuration.count", 5164), weekly()),
    ("BP-12", "1189 months", monthly(by_date(FIRST), count=1189), monthly(by_date(FIRST), count=1188)),
    ("BP-12", "100 years", yearly(by_date(FIRST), ["May"], 100), yearly(by_date(FIRST), ["May"], 99)),
    ("BP-13", "daily without daily retention", change(daily(), "retentionPolicy.dailySchedule", None), daily()),
    (
        "BP-13",
        "weekly with daily retention",
        change(weekly(), "retentionPolicy.dailySchedule", keep(30, "Days")),
        weekly(),
    ),
    ("BP-13", "no retention", change(daily(), "retentionPolicy", None), daily()),
    (
        "BP-14",
        "retention without weekdays",
        change(weekly(), "retentionPolicy.weeklySchedule.daysOfTheWeek", []),
        weekly(),
    ),
    (
        "BP-14",
        "retention on a day without a run",
        change(weekly(), "retentionPolicy.weeklySchedule.daysOfTheWeek", ["Monday"]),
        weekly(("Sunday", "Monday")),
    ),
    (
        "BP-15",
        "weekly, kept by date",
        monthly(by_date(FIRST), weekly()),
        monthly(by_week(["Sunday"], ["First"]), weekly()),
    ),
    (
        "BP-15",
        "monthly on a day without a run",
        monthly(by_week(["Monday"], ["First"]), weekly()),
        monthly(by_week(["Sunday"], ["Last"]), weekly()),
    ),
    ("BP-16", "neither format", monthly({"retentionScheduleFormatType": "Invalid"}), monthly(by_date(FIRST))),
    (
        "BP-16",
        "both formats",
        monthly(by_date(FIRST) | {"retentionScheduleWeekly": by_week(["Sunday"], ["First"])}),
        monthly(by_week(["Sunday"], ["First", "Third"])),
    ),
    ("BP-16", "weeks without days", monthly(by_week([], ["First"])), monthly(by_week(["Friday"], ["First"]))),
    ("BP-16", "yearly without a month", yearly(by_date(FIRST), []), yearly(by_date(FIRST), ["January"])),
    (
        "BP-17",
        "the 29th",
        monthly(by_date({"date": 29, "isLast": False})),
        monthly(by_date({"date": 28, "isLast": False})),
    ),
    ("BP-17", "a last day with a number", monthly(by_date({"date": 31, "isLast": True})), monthly(by_date(LAST))),
    (
        "BP-18",
        "more than 9999 points",
        monthly(by_date(FIRST), daily(retentionPolicy=retention_days(9999)), count=1188),
        monthly(by_date(FIRST), daily(retentionPolicy=retention_days(9000)), count=1188),
    ),
    ("BP-20", "six days in Standard", daily(instantRpRetentionRangeInDays=6), daily(instantRpRetentionRangeInDays=5)),
    ("BP-20", "no days at all", daily(instantRpRetentionRangeInDays=0), daily(instantRpRetentionRangeInDays=1)),
    (
        "BP-20",
        "weekly Standard with 2",
        weekly(instantRpRetentionRangeInDays=2),
        weekly(instantRpRetentionRangeInDays=5),
    ),
    (
        "BP-20",
        "31 days in Enhanced",
        enhanced(instantRpRetentionRangeInDays=31, retentionPolicy=retention_days(60)),
        enhanced(instantRpRetentionRangeInDays=30, retentionPolicy=retention_days(60)),
    ),
    (
        "BP-21",
        "weekly Enhanced with 21",
        enhanced("Weekly", instantRpRetentionRangeInDays=21),
        enhanced("Weekly", instantRpRetentionRangeInDays=20),
    ),
    ("BP-22", "18 days every 4 h", hourly(instantRpRetentionRangeInDays=18), hourly(instantRpRetentionRangeInDays=17)),
    (
        "BP-22",
        "23 days every 6 h",
        hourly(6, instantRpRetentionRangeInDays=23),
        hourly(6, instantRpRetentionRangeInDays=22),
    ),
    (
        "BP-25",
        "a suffix without a prefix",
        daily(instantRPDetails={"azureBackupRGNameSuffix": "x"}),
        daily(instantRPDetails={"azureBackupRGNamePrefix": "rg-", "azureBackupRGNameSuffix": "-x"}),
    ),
    (
        "BP-25",
        "a name that ends in a dot",
        daily(instantRPDetails={"azureBackupRGNamePrefix": "rg", "azureBackupRGNameSuffix": "."}),
        daily(instantRPDetails={"azureBackupRGNamePrefix": "rg."}),
    ),
    (
        "BP-25",
        "a name of 75 characters",
        daily(instantRPDetails={"azureBackupRGNamePrefix": "r" * 74}),
        daily(instantRPDetails={"azureBackupRGNamePrefix": "r" * 73}),
    ),
    ("BP-27", "an unknown mode", daily(tieringPolicy=archive("Sometimes")), daily(tieringPolicy=archive("DoNotTier"))),
    (
        "BP-27",
        "TierAfter without a duration",
        daily(tieringPolicy=archive("TierAfter")),
        daily(tieringPolicy=archive("TierAfter", duration=3, durationType="Months")),
    ),
    (
        "BP-28",
        "archived after 44 days",
        daily(tieringPolicy=archive("TierAfter", duration=44, durationType="Days")),
        daily(tieringPolicy=archive("TierAfter", duration=45, durationType="Days")),
    ),
    (
        "BP-30",
        "crash consistency in Standard",
        daily(snapshotConsistencyType="OnlyCrashConsistent"),
        enhanced(snapshotConsistencyType="OnlyCrashConsistent"),
    ),
]


@pytest.mark.parametrize(("rule", "why", "refused", "accepted"), CASES, ids=[f"{c[0]} {c[1]}" for c in CASES])
def test_rule(caller: Any, rule: str, why: str, refused: Body, accepted: Body) -> None:
    answer = caller.send("PUT", "rsv-app/backupPolicies/under-test", {"properties": refused})
    assert (answer.status, answer.code, answer.rule) == (400, INVALID, rule), answer.headers
    answer = caller.send("PUT", "rsv-app/backupPolicies/under-test", {"properties": accepted})
    assert answer.status == 200, answer


def test_instant_restore_must_be_below_daily_retention_even_by_default(caller: Any) -> None:
    """BP-23 has a code of its own; Enhanced keeps 7 days when nothing is said."""
    body = enhanced(retentionPolicy=retention_days(7))
    del body["instantRpRetentionRangeInDays"]
    answer = caller.send("PUT", "rsv-app/backupPolicies/under-test", {"properties": body})
    assert (answer.status, answer.code) == (400, "BMSUserErrorInstantRPRetentionExceedsVaultedRetention")
    body["retentionPolicy"] = retention_days(8)
    assert caller.send("PUT", "rsv-app/backupPolicies/under-test", {"properties": body}).status == 200


@pytest.mark.parametrize(
    ("name", "status"),
    [("ab", 400), ("a-1", 200), ("9abc", 400), ("with_underscore!", 200), ("a" * 150, 200), ("a" * 151, 400)],
)
def test_names(caller: Any, name: str, status: int) -> None:
    """BP-11."""
    assert caller.send("PUT", f"rsv-app/backupPolicies/{name}", {"properties": daily()}).status == status


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"backupManagementType": "AzureWorkload"},
        daily(schedulePolicy="daily"),
        daily(retentionPolicy={"retentionPolicyType": "LongTermRetentionPolicy", "dailySchedule": ["x"]}),
        monthly({"retentionScheduleFormatType": "Daily", "retentionScheduleDaily": {"daysOfTheMonth": ["x"]}}),
    ],
)
def test_a_body_that_is_no_policy_is_refused_and_not_a_crash(caller: Any, broken: Body) -> None:
    answer = caller.send("PUT", "rsv-app/backupPolicies/under-test", {"properties": broken})
    assert (answer.status, answer.code) == (400, INVALID)
