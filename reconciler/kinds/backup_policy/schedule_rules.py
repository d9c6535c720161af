"""Rules about when backups start: BP-01 to BP-11."""

from __future__ import annotations

import re
from collections.abc import Iterator

from reconciler.kinds.backup_policy.rule import Draft, PolicyRule
from reconciler.kinds.document_rule import Breach
from reconciler.model.time_zones import (
    keeps_other_time,
    shifts_in_summer,
    similar_zones,
    windows_zone,
)
from reconciler.plan.finding import Severity

INTERVALS = (4, 6, 8, 12)
HOURS_PER_DAY = 24
_NAME = re.compile(r"^[a-zA-Z][-_!a-zA-Z0-9]{2,149}$")
_ON_THE_HALF_HOUR = re.compile(r":(00|30)$")
_LATEST_WINDOW_START = "19:30"


def _hourly_needs_enhanced(draft: Draft) -> Iterator[Breach]:
    if draft.hourly and not draft.enhanced:
        yield Breach(
            ("schedule", "frequency"),
            "Hourly needs tier Enhanced; tier Standard makes one backup a day at most",
            "write tier: Enhanced, or frequency: Daily with a time",
        )


def _start_time(draft: Draft) -> Iterator[Breach]:
    time = draft.policy.schedule.time
    if draft.hourly:
        if time is not None:
            yield Breach(("schedule", "time"), "time is not used with Hourly", "write windowStart instead of time")
    elif time is None:
        yield Breach(("schedule",), f"{draft.policy.schedule.frequency} needs a time", 'add time: "22:00" or your own')
    elif not _ON_THE_HALF_HOUR.search(time):
        yield Breach(
            ("schedule", "time"),
            f"{time} is not on the hour or half hour",
            f'write "{time[:2]}:00" or "{time[:2]}:30"',
        )


def _keys_of_frequency(draft: Draft) -> Iterator[Breach]:
    schedule = draft.policy.schedule
    days = schedule.weekdays
    if draft.weekly and not days:
        yield Breach(("schedule",), "Weekly needs at least one weekday", "add weekdays: [Sunday] or your own")
    if not draft.weekly and days is not None:
        yield Breach(
            ("schedule", "weekdays"),
            f"weekdays are not used with {schedule.frequency}",
            "remove weekdays, or write frequency: Weekly",
        )
    if days and len(set(days)) < len(days):
        yield Breach(("schedule", "weekdays"), "a weekday is given twice", "name each weekday once")
    if draft.hourly:
        if schedule.window_start is None:
            yield Breach(("schedule",), "Hourly needs windowStart", 'add windowStart: "08:00" or your own')
        return
    written = {
        "intervalHours": schedule.interval_hours,
        "durationHours": schedule.duration_hours,
        "windowStart": schedule.window_start,
    }
    for key, value in written.items():
        if value is not None:
            yield Breach(
                ("schedule", key),
                f"{key} is not used with {schedule.frequency}",
                f"remove {key}, or write frequency: Hourly",
            )


def _interval(draft: Draft) -> Iterator[Breach]:
    interval = draft.policy.schedule.interval_hours
    if not draft.hourly or interval in INTERVALS:
        return
    if interval is None:
        yield Breach(("schedule",), "Hourly needs intervalHours", "add intervalHours: 4, 6, 8 or 12")
    elif interval == HOURS_PER_DAY:
        yield Breach(
            ("schedule", "intervalHours"), "every 24 hours is what Daily means", "write frequency: Daily with a time"
        )
    else:
        yield Breach(("schedule", "intervalHours"), f"{interval} is not an interval of Azure's", "write 4, 6, 8 or 12")


def _duration(draft: Draft) -> Iterator[Breach]:
    schedule = draft.policy.schedule
    if not draft.hourly:
        return
    if schedule.duration_hours is None:
        yield Breach(("schedule",), "Hourly needs durationHours", "add durationHours: 12 or your own")
        return
    least = schedule.interval_hours or min(INTERVALS)
    if not least <= schedule.duration_hours <= HOURS_PER_DAY:
        yield Breach(
            ("schedule", "durationHours"),
            f"{schedule.duration_hours} is not between the interval ({least}) and {HOURS_PER_DAY}",
            f"write {least} to {HOURS_PER_DAY}",
        )


def _whole_intervals(draft: Draft) -> Iterator[Breach]:
    interval, duration = draft.policy.schedule.interval_hours, draft.policy.schedule.duration_hours
    if draft.hourly and interval and duration and duration % interval:
        yield Breach(
            ("schedule", "durationHours"),
            f"{duration} is not a whole number of intervals of {interval} h; Terraform's provider would refuse it",
            f"write {duration - duration % interval or interval}",
        )


def _window_start(draft: Draft) -> Iterator[Breach]:
    start = draft.policy.schedule.window_start
    if draft.hourly and start and (not _ON_THE_HALF_HOUR.search(start) or start > _LATEST_WINDOW_START):
        yield Breach(
            ("schedule", "windowStart"),
            f"{start} is not a half hour between 00:00 and {_LATEST_WINDOW_START}",
            'write for example "08:00"',
        )


def _time_zone(draft: Draft) -> Iterator[Breach]:
    if windows_zone(draft.time_zone) is None:
        close = similar_zones(draft.time_zone)
        advice = f"did you mean {' or '.join(close)}?" if close else 'write for example "Europe/Amsterdam" or "UTC"'
        yield Breach(("schedule", "timeZone"), f"time zone {draft.time_zone!r} is not known to Azure", advice)


def _summer_time(draft: Draft) -> Iterator[Breach]:
    zone = windows_zone(draft.time_zone)
    if zone and shifts_in_summer(zone):
        yield Breach(
            ("schedule", "timeZone"),
            f"{zone} has daylight saving and Azure does not shift the start: it is an hour later on summer clocks",
            "nothing to do, or write timeZone: UTC",
        )


def _other_clock(draft: Draft) -> Iterator[Breach]:
    zone = windows_zone(draft.time_zone)
    if zone and keeps_other_time(draft.time_zone, zone):
        yield Breach(
            ("schedule", "timeZone"),
            f"Azure knows {draft.time_zone} only as {zone}, whose clocks are others during some of the year",
            "write timeZone: UTC and the time in UTC",
        )


def _name(draft: Draft) -> Iterator[Breach]:
    if not _NAME.match(draft.name):
        yield Breach(
            ("name",),
            f"{draft.name!r} is not a name for a policy: 3 to 150 of letters, digits and -, a letter first",
            "write for example daily-30d",
        )


def _plain_name(draft: Draft) -> Iterator[Breach]:
    if _NAME.match(draft.name) and set("_!") & set(draft.name):
        plain = re.sub(r"[_!]", "-", draft.name)
        yield Breach(("name",), f"{draft.name}: Azure takes _ and !, other tools refuse them", f"write {plain}")


SCHEDULE_RULES = (
    PolicyRule("BP-01", Severity.ERROR, "tf-pol, mcp, enh", _hourly_needs_enhanced),
    PolicyRule("BP-02", Severity.ERROR, "tf-pol, ps-s", _start_time),
    PolicyRule("BP-03", Severity.ERROR, "tf-pol, ps-s", _keys_of_frequency),
    PolicyRule("BP-04", Severity.ERROR, "sdk-b, tf-pol, ps-s, mcp, enh", _interval),
    PolicyRule("BP-05", Severity.ERROR, "ps-s, tf-pol, enh", _duration),
    PolicyRule("BP-06", Severity.WARNING, "tf-pol", _whole_intervals),
    PolicyRule("BP-07", Severity.WARNING, "ps-s, cli-h", _window_start),
    PolicyRule("BP-08", Severity.ERROR, "ps-s, sdk-b, iaas", _time_zone),
    PolicyRule("BP-08", Severity.WARNING, "sdk-b", _other_clock),
    PolicyRule("BP-08", Severity.INFO, "iaas", _summer_time),
    PolicyRule("BP-11", Severity.ERROR, "tf-pol", _name),
    PolicyRule("BP-11", Severity.WARNING, "azurerm", _plain_name),
)
