"""What the backup service puts into policies unasked: defaults of fields, and the policies every vault is born with."""

import re
from collections.abc import Mapping
from copy import deepcopy
from datetime import datetime
from typing import Any

from reconciler.emulator.providers.backup_names import POLICIES, draw
from reconciler.emulator.providers.backup_policy_rules import SCHEDULE_TYPES, frequency, policy_tier
from reconciler.emulator.providers.backup_times import parse_time, wire_time
from reconciler.emulator.world import World

Body = dict[str, Any]

DEFAULT_DAYS = 30
_TIME_OF_DAY = re.compile(r"\d\d:\d\d:\d\d(\.\d+)?Z")


def default_instant_days(properties: Mapping[str, Any]) -> int:
    """BP-20: 2 for Standard, 5 when it runs weekly, 7 for Enhanced. (The built-in EnhancedPolicy says 2 itself.)"""
    if policy_tier(properties) == "V2":
        return 7
    return 5 if frequency(properties) == "Weekly" else 2


def fill_in(properties: Mapping[str, Any], held: Mapping[str, Any] | None = None, *, day: str = "2024-01-01") -> Body:
    """A policy as the service keeps it. Times lose `.000`; a tieringPolicy that is left out stays as it was (BP-27).

    `day` (ISO date) completes times that come without a date, as Terraform sends them.
    """
    filled: Body = {"backupManagementType": "AzureIaasVM"}
    if policy_tier(properties) != "V1":
        filled["policyType"] = properties["policyType"]
    filled["instantRPDetails"] = {}
    if held and "tieringPolicy" in held:
        filled["tieringPolicy"] = deepcopy(held["tieringPolicy"])
    filled |= _respell_times(properties, day)
    filled.pop("resourceGuardOperationRequests", None)
    if filled.get("policyType") == "V1":
        del filled["policyType"]
    schedule = filled.get("schedulePolicy")
    if isinstance(schedule, dict) and schedule.get("schedulePolicyType") == SCHEDULE_TYPES["V1"]:
        schedule.setdefault("scheduleWeeklyFrequency", 0)
    if filled.get("instantRpRetentionRangeInDays") is None:
        filled["instantRpRetentionRangeInDays"] = default_instant_days(filled)
    if filled.get("timeZone") is None and frequency(filled) != "Hourly":
        filled["timeZone"] = "UTC"
    filled["protectedItemsCount"] = 0
    return filled


def _respell_times(value: Any, day: str) -> Any:
    """`2024-04-28T16:30:00.000Z` comes back as `2024-04-28T16:30:00Z`; nulls are as good as not sent."""
    if isinstance(value, Mapping):
        return {key: _respell_times(entry, day) for key, entry in value.items() if entry is not None}
    if isinstance(value, list):
        return [_respell_times(entry, day) for entry in value]
    if isinstance(value, str) and _TIME_OF_DAY.fullmatch(value):
        value = f"{day}T{value}"
    if isinstance(value, str) and len(value) > 18 and value[4:5] == "-" and value[10:11] == "T":
        try:
            return wire_time(parse_time(value))
        except ValueError:
            return value
    return value


def policy_body(vault_id: str, name: str, properties: Mapping[str, Any]) -> Body:
    return {
        "id": f"{vault_id}/backupPolicies/{name}",
        "name": name,
        "type": POLICIES,
        "properties": dict(properties),
    }


def put_policy_body(world: World, vault_id: str, name: str, properties: Mapping[str, Any]) -> Body:
    body = policy_body(vault_id, name, properties)
    world.store.put(body["id"], POLICIES, body)
    return body


def create_default_policies(world: World, vault_id: str, created: datetime) -> None:
    """DefaultPolicy at a half hour that differs from vault to vault, EnhancedPolicy at 08:00, and one for SQL."""
    today = created.replace(hour=0, minute=0, second=0, microsecond=0)
    half_hour = draw("default", vault_id) % 48
    daily = wire_time(today.replace(hour=half_hour // 2, minute=half_hour % 2 * 30))
    for name, properties in default_policies(today, daily).items():
        put_policy_body(world, vault_id, name, properties)


def default_policies(today: datetime, daily: str) -> dict[str, Body]:
    morning = wire_time(today.replace(hour=8))
    simple = {
        "schedulePolicyType": "SimpleSchedulePolicy",
        "scheduleRunFrequency": "Daily",
        "scheduleRunTimes": [daily],
        "scheduleWeeklyFrequency": 0,
    }
    hourly = {"interval": 4, "scheduleWindowStartTime": morning, "scheduleWindowDuration": 12}
    virtual_machines: Body = {"backupManagementType": "AzureIaasVM", "instantRPDetails": {}}
    common = {"instantRpRetentionRangeInDays": 2, "timeZone": "UTC", "protectedItemsCount": 0}
    return {
        "DefaultPolicy": {
            **virtual_machines,
            "schedulePolicy": simple,
            "retentionPolicy": keep_daily(daily),
            **common,
        },
        "EnhancedPolicy": {
            "backupManagementType": "AzureIaasVM",
            "policyType": "V2",
            "instantRPDetails": {},
            "schedulePolicy": {
                "schedulePolicyType": "SimpleSchedulePolicyV2",
                "scheduleRunFrequency": "Hourly",
                "hourlySchedule": hourly,
            },
            "retentionPolicy": keep_daily(morning),
            **common,
        },
        "HourlyLogBackup": _log_backup(simple, daily),
    }


def keep_daily(moment: str, days: int = DEFAULT_DAYS) -> Body:
    return {
        "retentionPolicyType": "LongTermRetentionPolicy",
        "dailySchedule": {
            "retentionTimes": [moment],
            "retentionDuration": {"count": days, "durationType": "Days"},
        },
    }


def _log_backup(schedule: Body, daily: str) -> Body:
    """The SQL policy that makes readers filter the list by backupManagementType."""
    kept = {"count": DEFAULT_DAYS, "durationType": "Days"}
    return {
        "backupManagementType": "AzureWorkload",
        "workLoadType": "SQLDataBase",
        "settings": {"timeZone": "UTC", "issqlcompression": False, "isCompression": False},
        "subProtectionPolicy": [
            {"policyType": "Full", "schedulePolicy": schedule, "retentionPolicy": keep_daily(daily)},
            {
                "policyType": "Log",
                "schedulePolicy": {"schedulePolicyType": "LogSchedulePolicy", "scheduleFrequencyInMins": 60},
                "retentionPolicy": {"retentionPolicyType": "SimpleRetentionPolicy", "retentionDuration": kept},
            },
        ],
        "protectedItemsCount": 0,
    }
