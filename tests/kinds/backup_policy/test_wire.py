"""Policies as Azure answers them: each trap of the wire once, the way back, and every recorded body."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from azure.mgmt.recoveryservicesbackup._utils.model_base import SdkJSONEncoder
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.kinds.backup_policy.document import BackupPolicy
from reconciler.kinds.backup_policy.request import policy_request
from reconciler.kinds.backup_policy.rules import RULES, Draft
from reconciler.kinds.backup_policy.spec import BackupPolicySpec, InstantRestore, Tiering, spec_of
from reconciler.kinds.backup_policy.wire import AnyPolicy, spec_from
from reconciler.model.document import Document
from reconciler.model.resource import Ref
from reconciler.model.retention import Daily, Monthly, Retention, Schedule, Weekly, Yearly
from reconciler.plan.finding import Severity

VAULT = Ref("vault.prod/rg-backup/rsv-weu-01")
RECORDED = Path(__file__).parents[3].parent / "shared" / "azure" / "wire" / "backup"


def standard(**changes: Any) -> dict[str, Any]:
    """A Standard policy in the shape that the service answers: `policyType` is not there at all."""
    return {
        "backupManagementType": "AzureIaasVM",
        "instantRPDetails": {},
        "schedulePolicy": {
            "schedulePolicyType": "SimpleSchedulePolicy",
            "scheduleRunFrequency": "Daily",
            "scheduleRunTimes": ["2022-05-16T22:00:00Z"],
            "scheduleWeeklyFrequency": 0,
        },
        "retentionPolicy": {
            "retentionPolicyType": "LongTermRetentionPolicy",
            "dailySchedule": {
                "retentionTimes": ["2022-05-16T22:00:00Z"],
                "retentionDuration": {"count": 30, "durationType": "Days"},
            },
        },
        "instantRpRetentionRangeInDays": 2,
        "timeZone": "UTC",
        "protectedItemsCount": 0,
        **changes,
    }


def enhanced(**changes: Any) -> dict[str, Any]:
    return {
        **standard(),
        "policyType": "V2",
        "schedulePolicy": {
            "schedulePolicyType": "SimpleSchedulePolicyV2",
            "scheduleRunFrequency": "Hourly",
            "hourlySchedule": {
                "interval": 4,
                "scheduleWindowStartTime": "2024-04-28T08:00:00Z",
                "scheduleWindowDuration": 12,
            },
        },
        **changes,
    }


def read(properties: dict[str, Any]) -> BackupPolicySpec:
    body = {"id": "/x", "name": "daily-30d", "properties": properties}
    decoded = msgspec.json.decode(json.dumps(body), type=AnyPolicy).decode()
    assert decoded is not None
    return spec_from(decoded, VAULT)


PLAIN = BackupPolicySpec(
    vault=VAULT,
    tier="Standard",
    schedule=Schedule(frequency="Daily", time="22:00", time_zone="UTC"),
    retention=Retention(daily=Daily(days=30)),
    instant_restore=InstantRestore(days=2),
)


def without(key: str, properties: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in properties.items() if name != key}


RUNS_AT = {"schedulePolicyType": "SimpleSchedulePolicy", "scheduleRunFrequency": "Daily"}
TRAPS = {
    "policy type absent": standard(),
    "policy type written": standard(policyType="V1"),
    "another date part": standard(schedulePolicy={**RUNS_AT, "scheduleRunTimes": ["2016-04-04T22:00:00"]}),
    "milliseconds": standard(schedulePolicy={**RUNS_AT, "scheduleRunTimes": ["2024-04-28T22:00:00.000Z"]}),
    "weekly frequency absent": standard(
        schedulePolicy={**RUNS_AT, "scheduleRunTimes": ["2022-05-16T22:00:00Z"], "scheduleRunDays": None}
    ),
    "instant details null": standard(instantRPDetails=None),
    "instant details absent": without("instantRPDetails", standard()),
    "instant days dropped": without("instantRpRetentionRangeInDays", standard()),
    "time zone absent": without("timeZone", standard()),
    "time zone in another casing": standard(timeZone="utc"),
    "count of items": standard(protectedItemsCount=7),
    "tiering empty": standard(tieringPolicy={}),
    "tiering none": standard(tieringPolicy={"ArchivedRP": {"tieringMode": "DoNotTier", "duration": 0}}),
    "tiering invalid": standard(tieringPolicy={"ArchivedRP": {"tieringMode": "Invalid", "durationType": "Invalid"}}),
    "a field of next year": standard(instantAccessSnapshotEnabled=False, somethingNew={"a": [1]}),
    "tiers that are null": standard(
        retentionPolicy={
            "dailySchedule": {"retentionDuration": {"count": 30, "durationType": "Days"}},
            "weeklySchedule": None,
            "monthlySchedule": None,
            "yearlySchedule": None,
        }
    ),
}


@pytest.mark.parametrize("trap", TRAPS)
def test_one_policy_in_all_its_disguises(trap: str) -> None:
    assert read(TRAPS[trap]) == PLAIN


def test_hours_and_the_default_of_enhanced() -> None:
    found = read(without("instantRpRetentionRangeInDays", enhanced()))
    assert found.schedule == Schedule(
        frequency="Hourly", time="08:00", interval_hours=4, duration_hours=12, time_zone="UTC"
    )
    assert found.instant_restore.days == 7


@pytest.mark.parametrize("tier", ["V1", "V2"])
def test_weekly_schedules_of_both_tiers(tier: str) -> None:
    days, times = ["Wednesday", "Sunday"], ["2024-04-22T04:00:00Z"]
    runs = {"scheduleRunDays": days, "scheduleRunTimes": times}
    inner = runs if tier == "V1" else {"weeklySchedule": runs}
    found = read(
        standard(
            policyType=tier,
            schedulePolicy={"scheduleRunFrequency": "Weekly", **inner},
            retentionPolicy={
                "weeklySchedule": {
                    "daysOfTheWeek": ["Sunday", "Wednesday"],
                    "retentionTimes": times,
                    "retentionDuration": {"count": 104, "durationType": "Weeks"},
                }
            },
        )
    )
    assert found.schedule == Schedule(
        frequency="Weekly", time="04:00", weekdays=("Wednesday", "Sunday"), time_zone="UTC"
    )
    assert found.retention.weekly == Weekly(weeks=104, weekdays=("Wednesday", "Sunday"))


def test_months_and_years_by_days_and_by_weeks() -> None:
    found = read(
        standard(
            retentionPolicy={
                "dailySchedule": {"retentionDuration": {"count": 30, "durationType": "Days"}},
                "monthlySchedule": {
                    "retentionScheduleFormatType": "Daily",
                    "retentionScheduleDaily": {
                        "daysOfTheMonth": [{"date": 0, "isLast": True}, {"date": 1, "isLast": False}]
                    },
                    "retentionScheduleWeekly": None,
                    "retentionDuration": {"count": 60, "durationType": "Months"},
                },
                "yearlySchedule": {
                    "retentionScheduleFormatType": "Weekly",
                    "monthsOfYear": ["March", "January"],
                    "retentionScheduleDaily": {"daysOfTheMonth": [{"date": 1, "isLast": False}]},
                    "retentionScheduleWeekly": {"daysOfTheWeek": ["Sunday"], "weeksOfTheMonth": ["Last", "First"]},
                    "retentionDuration": {"count": 10, "durationType": "Years"},
                },
            }
        )
    )
    assert found.retention.monthly == Monthly(months=60, days=("1", "last"))
    assert found.retention.yearly == Yearly(
        years=10, months=("January", "March"), weeks=("First", "Last"), weekdays=("Sunday",)
    )


def test_tiering_and_crash_consistency() -> None:
    tiering = {"ArchivedRP": {"tieringMode": "TierRecommended", "duration": 0, "durationType": "Invalid"}}
    found = read(enhanced(tieringPolicy=tiering, snapshotConsistencyType="OnlyCrashConsistent"))
    assert found.tiering == Tiering(mode="TierRecommended")
    assert found.consistency == "CrashConsistent"


def test_policies_of_databases_are_passed_over() -> None:
    body = {
        "id": "/x",
        "name": "HourlyLogBackup",
        "properties": {
            "backupManagementType": "AzureWorkload",
            "subProtectionPolicy": [{"policyType": "Full", "schedulePolicy": {"scheduleRunTimes": 7}}],
            "schedulePolicy": "of another shape",
        },
    }
    assert msgspec.json.decode(json.dumps(body), type=AnyPolicy).decode() is None


weekdays = st.lists(st.sampled_from(["Sunday", "Monday", "Friday"]), min_size=1, unique=True)
by_days = st.fixed_dictionaries(
    {"days": st.lists(st.integers(1, 28) | st.just("last"), min_size=1, max_size=4, unique=True)}
)
by_weeks = st.fixed_dictionaries(
    {"weeks": st.lists(st.sampled_from(["First", "Third", "Last"]), min_size=1, unique=True), "weekdays": weekdays}
)


@st.composite
def bodies(draw: st.DrawFn) -> dict[str, Any]:
    """Policies of every shape; those that break a rule are dropped."""
    frequency = draw(st.sampled_from(["Daily", "Weekly", "Hourly"]))
    tier = "Enhanced" if frequency == "Hourly" else draw(st.sampled_from(["Standard", "Enhanced"]))
    schedule: dict[str, Any] = {"frequency": frequency, "timeZone": draw(st.sampled_from(["UTC", "Europe/Madrid"]))}
    retention: dict[str, Any] = {}
    if frequency == "Hourly":
        schedule |= {"windowStart": "08:30", "intervalHours": draw(st.sampled_from([4, 6, 8, 12])), "durationHours": 24}
    else:
        schedule["time"] = draw(st.sampled_from(["00:00", "22:30"]))
    if frequency == "Weekly":
        schedule["weekdays"] = draw(weekdays)
        retention["weekly"] = {"weeks": draw(st.integers(1, 100))}
    else:
        retention["daily"] = {"days": draw(st.integers(8, 100))}
    months = draw(st.none() | (by_weeks if frequency == "Weekly" else by_days | by_weeks))
    if months and (frequency != "Weekly" or set(months["weekdays"]) <= set(schedule["weekdays"])):
        retention["monthly"] = {"months": draw(st.integers(1, 60)), **months}
        retention["yearly"] = {"years": 3, "months": ["May", "January"], **months}
    body: dict[str, Any] = {"tier": tier, "schedule": schedule, "retention": retention}
    if draw(st.booleans()):
        body["instantRestore"] = {"days": 5, "resourceGroup": {"prefix": "snap", "suffix": "x"}}
    if draw(st.booleans()):
        body["tiering"] = draw(st.sampled_from([{"mode": "TierAfter", "after": "4mo"}, {"mode": "TierRecommended"}]))
    if tier == "Enhanced" and draw(st.booleans()):
        body["consistency"] = "CrashConsistent"
    return body


@settings(deadline=None)
@given(body=bodies())
def test_what_is_sent_is_what_is_read(body: dict[str, Any]) -> None:
    written = msgspec.convert(body, BackupPolicy)
    draft = Draft("daily-30d", written, "UTC")
    errors = [rule.id for rule in RULES if rule.severity is Severity.ERROR and [*rule.check(draft)]]
    assert errors == []
    spec = spec_of(written, "UTC", VAULT)
    assert spec is not None
    sent = json.loads(json.dumps(policy_request(spec, []), cls=SdkJSONEncoder, exclude_readonly=True))
    assert read(sent["properties"]) == spec
    assert msgspec.convert(msgspec.to_builtins(spec), BackupPolicySpec) == spec
    moments = [text for text in _texts(sent) if text.startswith("2")]
    assert {moment[:10] for moment in moments} == {"2020-01-01"}
    assert "tieringPolicy" in sent["properties"]
    assert "instantRpRetentionRangeInDays" in sent["properties"]


def test_the_guards_request_is_sent(policy: Callable[..., Document[BackupPolicy]]) -> None:
    request = (
        "/subscriptions/x/providers/Microsoft.DataProtection/resourceGuards/g/updateProtectionPolicyRequests/default"
    )
    sent = json.loads(json.dumps(policy_request(PLAIN, [request]), cls=SdkJSONEncoder))
    assert sent["properties"]["resourceGuardOperationRequests"] == [request]


def recorded() -> Iterator[tuple[str, dict[str, Any]]]:
    for file in sorted(RECORDED.glob("*.json")):
        for number, exchange in enumerate(json.loads(file.read_text())["exchanges"]):
            body = (exchange.get("response") or {}).get("body")
            for index, item in enumerate(_policies(body)):
                yield f"{file.stem}-{number}-{index}", item


def _policies(body: Any) -> list[dict[str, Any]]:
    items = body.get("value", [body]) if isinstance(body, dict) else []
    items = items if isinstance(items, list) else []
    return [item for item in items if isinstance(item, dict) and "schedulePolicy" in (item.get("properties") or {})]


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _texts(part)


def test_every_recorded_policy_is_understood() -> None:
    """Where the recordings are; each is read, sent as we would, and read again as the same."""
    for place, body in recorded():
        properties = msgspec.json.decode(json.dumps(body), type=AnyPolicy).decode()
        if properties is None:
            assert body["properties"]["backupManagementType"] != "AzureIaasVM", place
            continue
        spec = spec_from(properties, VAULT)
        assert spec.schedule.frequency == body["properties"]["schedulePolicy"]["scheduleRunFrequency"], place
        assert spec.schedule.time[-3:] in (":00", ":30"), place
        assert spec.retention.in_days, place
        sent = json.loads(json.dumps(policy_request(spec, []), cls=SdkJSONEncoder, exclude_readonly=True))
        assert read(sent["properties"]) == spec, place
