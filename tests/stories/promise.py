"""What a snapshot schedule promises, worked out again the slow and obvious way: slot after slot, rule after rule.

Nothing of the program is used here: who wants to know what must be in Azure reads this page.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

MONDAY = datetime(1970, 1, 5, tzinfo=UTC)
PERIODS = {"hourly": "%Y-%m-%d %H", "daily": "%Y-%m-%d", "weekly": "%G-W%V", "monthly": "%Y-%m"}
"""Rule → how the period that a slot lies in is written."""


@dataclass(frozen=True)
class Schedule:
    """`keep` as in YAML, but for `age`, which is a span here. `region` is where copies go."""

    name: str
    every: timedelta
    keep: dict[str, int]
    age: timedelta | None = None
    offset: timedelta = timedelta()
    region: str = ""

    def slot(self, now: datetime) -> datetime:
        """The slot that has begun last."""
        slot = MONDAY + self.offset
        slot += (now - slot) // self.every * self.every
        assert slot <= now < slot + self.every
        return slot

    def kept(self, slots: set[datetime], now: datetime) -> set[datetime]:
        """Those that any rule wants, and the newest."""
        newest_first = sorted(slots, reverse=True)
        wanted = set(newest_first[: max(1, self.keep.get("count", 0))])
        wanted |= {slot for slot in slots if self.age and slot > now - self.age}
        for rule, form in PERIODS.items():
            newest = {slot.strftime(form): slot for slot in sorted(slots)} if rule in self.keep else {}
            wanted |= {newest[period] for period in sorted(newest, reverse=True)[: self.keep.get(rule, 0)]}
        return wanted


@dataclass
class Promise:
    """The slots of one disk (or VM) by one schedule that must be there; `taken` and `dropped` count what came and
    went, `missed` the slots that no run saw. `blocked` slots cannot be taken: somebody else has the name."""

    schedule: Schedule
    slots: set[datetime] = field(default_factory=set)
    blocked: set[datetime] = field(default_factory=set)
    ended: bool = False
    taken: int = 0
    dropped: int = 0
    missed: int = 0
    most: int = 0
    _last: datetime | None = None

    def keep(self, now: datetime) -> None:
        """A run that came to its end at `now`: the slot of now is there, and what no rule wants is gone."""
        slot = self.schedule.slot(now)
        if slot == self._last and not self.schedule.age:
            return  # only age goes on by itself
        if not self.ended and slot != self._last:
            self.missed += (slot - self._last) // self.schedule.every - 1 if self._last else 0
            self._last = slot
            if slot not in self.blocked:
                self.slots.add(slot)
                self.taken += 1
        self.most = max(self.most, len(self.slots))
        wanted = self.schedule.kept(self.slots, now)
        self.dropped += len(self.slots - wanted)
        self.slots = wanted
