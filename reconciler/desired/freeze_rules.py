"""What is wrong with the freeze windows of a Scope, known without Azure: code `freeze`, and `freeze-passed`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from reconciler.model.document import Declared
from reconciler.model.freeze import Dates, Freeze
from reconciler.model.frozen import dated, frozen, zone_of
from reconciler.model.scope import Scope
from reconciler.model.time_zones import similar_zones, zone_info
from reconciler.plan.finding import Finding, Severity


def check_freeze(declared: Declared, today: dt.date) -> Iterator[Finding]:
    """Windows that contradict themselves, are empty, never end or are over, and zones that nobody knows."""
    scope = declared.scope.value
    wrong = [finding for index, freeze in enumerate(scope.freeze) for finding in _window(freeze, index, declared)]
    yield from wrong
    if not wrong:
        yield from _endless(declared)
        for index, freeze in enumerate(scope.freeze):
            yield from _passed(freeze, index, declared, today)


def _window(freeze: Freeze, index: int, declared: Declared) -> Iterator[Finding]:
    if (freeze.weekly is None) is (freeze.dates is None):
        both = "both `weekly` and `dates`" if freeze.weekly else "neither `weekly` nor `dates`"
        yield _error(
            declared,
            (index,),
            f"has {both}",
            "keep one, or make two windows of it"
            if freeze.weekly
            else "add weekly: {weekdays: [Friday]}, or dates: {from: 2026-12-18, until: 2027-01-04}",
        )
    if freeze.weekly and freeze.weekly.from_ == freeze.weekly.to:
        advice = 'write to: "24:00" for the rest of the day; a whole one needs neither `from` nor `to`'
        yield _error(declared, (index, "weekly", "to"), "begins and ends at the same time", advice)
    if freeze.weekly and len(set(freeze.weekly.weekdays)) < len(freeze.weekly.weekdays):
        yield _error(declared, (index, "weekly", "weekdays"), "names a weekday twice", "name each weekday once")
    if freeze.dates:
        yield from _dates(freeze.dates, index, declared)
    yield from _zone(freeze, index, declared)


def _dates(dates: Dates, index: int, declared: Declared) -> Iterator[Finding]:
    unknown = False
    for key, text in (("from", dates.from_), ("until", dates.until)):
        try:
            dt.datetime.fromisoformat(text)
        except ValueError:
            unknown = True
            yield _error(declared, (index, "dates", key), f"there is no {text}", "write a day of the calendar")
    if not unknown and dated(dates).start >= dated(dates).end:
        message = f"ends ({dates.until}) before it begins ({dates.from_})"
        yield _error(declared, (index, "dates", "until"), message, "write a later `until`; its last day counts")


def _zone(freeze: Freeze, index: int, declared: Declared) -> Iterator[Finding]:
    name = zone_of(freeze, declared.scope.value)
    if zone_info(name) is None:
        close = similar_zones(name)
        path = ("freeze", index, "timeZone") if freeze.time_zone else ("defaults", "timeZone")
        yield Finding(
            code="freeze",
            message=f"freeze[{index}]: time zone {name!r} is not known",
            advice=f"did you mean {' or '.join(close)}?" if close else 'write for example "Europe/Amsterdam" or "UTC"',
            source=declared.scope.at(*path),
        )


def _endless(declared: Declared) -> Iterator[Finding]:
    """Weekly windows that leave no minute of a week between them."""
    scope = declared.scope.value
    weekly = tuple(freeze for freeze in scope.freeze if freeze.weekly)
    alone = Scope(subscriptions=scope.subscriptions, defaults=scope.defaults, freeze=weekly)
    found = frozen(alone, dt.datetime(2026, 1, 5, 12, tzinfo=dt.UTC))
    if found and found.until is None:
        yield Finding(
            code="freeze",
            message="freeze: the weekly windows leave no minute of the week: nothing would ever be applied",
            advice="leave a day out; what must never change is left out of the policies",
            source=declared.scope.at("freeze"),
        )


def _passed(freeze: Freeze, index: int, declared: Declared, today: dt.date) -> Iterator[Finding]:
    """A day late, since `today` is of UTC and the window of its own zone."""
    if freeze.dates and dated(freeze.dates).end < dt.datetime.combine(today, dt.time()) - dt.timedelta(days=1):
        yield Finding(
            code="freeze-passed",
            message=f"freeze[{index}] ({freeze.reason}) ended {freeze.dates.until}: it holds nothing back any more",
            severity=Severity.INFO,
            advice="remove it, or set the dates of the next one",
            source=declared.scope.at("freeze", index, "dates", "until"),
        )


def _error(declared: Declared, path: tuple[str | int, ...], message: str, advice: str) -> Finding:
    return Finding(
        code="freeze",
        message=f"freeze[{path[0]}] {message}",
        advice=advice,
        source=declared.scope.at("freeze", *path),
    )
