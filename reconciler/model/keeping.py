"""Which snapshots a `keep` holds on to: the union of its rules, as in restic's `forget`.

Every rule looks at what is there, never at what should be: `daily: 7` holds the newest of each of the last seven days
*that have one*, so a week without a run expires nothing. The newest of all is always held. Days, weeks (ISO, from
Monday), months and years are those of UTC.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

import msgspec

from reconciler.model.counting import count
from reconciler.model.duration import parse_duration
from reconciler.model.slots import Cadence
from reconciler.model.snapshot_schedule import Keep

NEWEST = "newest"
"""The rule that holds the newest of all, whatever the others say."""

_PERIODS: dict[str, Callable[[datetime], tuple[int, ...]]] = {
    "hourly": lambda slot: (slot.toordinal(), slot.hour),
    "daily": lambda slot: (slot.toordinal(),),
    "weekly": lambda slot: tuple(slot.isocalendar())[:2],
    "monthly": lambda slot: (slot.year, slot.month),
    "yearly": lambda slot: (slot.year,),
}
"""Rule → the period that a slot (UTC) lies in."""
_NOUNS = {"hourly": "hour", "daily": "day", "weekly": "week", "monthly": "month", "yearly": "year"}
_LENGTHS = {"hourly": 1, "daily": 24, "weekly": 168, "monthly": 31 * 24, "yearly": 366 * 24}
"""The hours of the longest period of each rule."""
_SHORTEST_MONTH = timedelta(days=28)
_INSIDE: dict[str, dict[str, int]] = {
    "hourly": {},
    "daily": {"hourly": 24},
    "weekly": {"hourly": 168, "daily": 7},
    "monthly": {"hourly": 31 * 24, "daily": 31},
    "yearly": {"hourly": 366 * 24, "daily": 366, "monthly": 12},
}
"""Rule → those whose periods its own are made of, and of how many at most: the newest of a month is the newest of its
day as well, but a month may end within a week."""


def kept(keep: Keep, slots: Iterable[datetime], now: datetime) -> dict[datetime, tuple[str, ...]]:
    """The slots that `keep` holds at `now`, newest first, each with the rules that hold it. Times are aware."""
    ordered = sorted({slot.astimezone(UTC) for slot in slots}, reverse=True)
    found: dict[datetime, list[str]] = {}
    for rule, held in _held(keep, ordered, now):
        for slot in held:
            found.setdefault(slot, []).append(rule)
    return {slot: tuple(found[slot]) for slot in ordered if slot in found}


def most(keep: Keep, cadence: Cadence) -> int:
    """How many slots of one disk `keep` holds at most once it has run for ever: exact or a few too many, never too few.

    A snapshot is taken before the one that it replaces goes: for a moment there is one more.
    """
    hours = cadence.every / timedelta(hours=1)
    wanted: dict[str, int] = {rule: number for rule in _PERIODS if (number := getattr(keep, rule))}
    periods = {rule: number for rule, number in wanted.items() if _LENGTHS[rule] > hours}
    run = max(
        1,
        keep.count or 0,
        -(-parse_duration(keep.age) // cadence.every) if keep.age else 0,
        *(number for rule, number in wanted.items() if rule not in periods),
    )
    return run + sum(number - 1 - _shared(rule, number, run, periods, cadence) for rule, number in periods.items())


def _shared(rule: str, number: int, run: int, periods: dict[str, int], cadence: Cadence) -> int:
    """How many of the slots that `rule` holds, beside the newest, are surely held by the `run` newest or by a rule of
    shorter periods."""
    if cadence.every > _SHORTEST_MONTH:
        return 0  # a month may have no slot, and then the rules reach back further
    by_run = (run - 1) * cadence.every // timedelta(hours=_LENGTHS[rule])
    by_finer = [(periods.get(finer, 1) - 1) // parts for finer, parts in _INSIDE[rule].items()]
    return min(number - 1, max([by_run, *by_finer]))


def say(keep: Keep) -> str:
    """For people: `the newest 24, and one each of the last 7 days and 4 weeks`."""
    parts = [f"the newest {keep.count:,}" if keep.count and keep.count > 1 else "the newest"] if keep.count else []
    if keep.age:
        parts.append(f"those younger than {keep.age}")
    periods = [count(number, noun) for rule, noun in _NOUNS.items() if (number := getattr(keep, rule))]
    if periods:
        parts.append(f"one each of the last {_listed(periods)}")
    return ", and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else parts[0] if parts else "the newest"


def runs_out(keep: Keep) -> bool:
    """Whether what it holds goes one day where nothing new comes. The other rules count what is there, and hold on to
    it for ever then."""
    return bool(keep.age) and not keep.count and not any(getattr(keep, rule) for rule in _PERIODS)


def spell_keep(keep: Keep) -> str:
    """As in tags: compact JSON of what is given."""
    return msgspec.json.encode(keep).decode()


def parse_keep(text: str) -> Keep | None:
    """The `keep` that `spell_keep` wrote; None for anything else."""
    try:
        return msgspec.json.decode(text, type=Keep)
    except msgspec.DecodeError:
        return None


def _held(keep: Keep, ordered: list[datetime], now: datetime) -> Iterable[tuple[str, Iterable[datetime]]]:
    yield NEWEST, ordered[:1]
    if keep.count:
        yield "count", ordered[: keep.count]
    if keep.age:
        age = parse_duration(keep.age)
        yield "age", [slot for slot in ordered if now - slot < age]
    for rule, period in _PERIODS.items():
        if number := getattr(keep, rule):
            newest: dict[tuple[int, ...], datetime] = {}
            for slot in ordered:
                newest.setdefault(period(slot), slot)
            yield rule, list(newest.values())[:number]


def _listed(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]
