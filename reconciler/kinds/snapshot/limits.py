"""What Azure takes of one disk and of one region: SN-10, SN-12, SN-13. What goes over is left to a later run."""

from __future__ import annotations

from dataclasses import dataclass, field

from reconciler.kinds.remarks import Remark
from reconciler.kinds.snapshot.holdings import Holdings
from reconciler.kinds.snapshot.timetable import Timetable
from reconciler.kinds.snapshot.wishes import INCREMENTAL_ONLY, Wish
from reconciler.model.casing import fold

INCREMENTALS = 500
IN_FIVE_MINUTES = 7
PENDING = 3
COPIES = 100
AT_ONCE = 16
"""Steps that an apply runs at once: each copy is waited for, so that a plan of many never runs more of them."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a snapshot is left out: rule, words, what to do."""

    rule: str
    message: str
    advice: str
    rule_source: str

    def remark(self, timetable: Timetable, *path: str) -> Remark:
        return timetable.remark(self.rule, self.message, self.advice, *path, rule_source=self.rule_source)


@dataclass(slots=True)
class Room:
    """What is left, while one snapshot after the other is planned."""

    holdings: Holdings
    copying: dict[tuple[str, str], int] = field(default_factory=dict)
    """Disks that this plan copies, by alias and region."""

    def take(self, wish: Wish) -> Refusal | None:
        """Room for one more snapshot of a disk; the reason where there is none."""
        disk = fold(wish.disk.unique_id)
        refusal = self._refusal(disk, wish)
        if refusal is None:
            self.holdings.recent[disk] += 1
            self.holdings.incrementals[disk] += wish.timetable.schedule.incremental
            self.holdings.pending[disk] += wish.disk.sku in INCREMENTAL_ONLY
        return refusal

    def _refusal(self, disk: str, wish: Wish) -> Refusal | None:
        if wish.timetable.schedule.incremental and self.holdings.incrementals[disk] >= INCREMENTALS:
            return Refusal(
                "SN-10",
                f"{INCREMENTALS} incremental snapshots of a disk are there, and Azure allows no more: none is taken",
                "keep fewer, or delete those that others made and nobody needs",
                "inc",
            )
        if self.holdings.recent[disk] >= IN_FIVE_MINUTES:
            return Refusal(
                "SN-10",
                f"{IN_FIVE_MINUTES} snapshots of a disk were taken in five minutes, and Azure allows no more: put off",
                "run it again in five minutes",
                "inc",
            )
        if wish.disk.sku in INCREMENTAL_ONLY and self.holdings.pending[disk] >= PENDING:
            return Refusal(
                "SN-13",
                f"{PENDING} snapshots of a {wish.disk.sku} disk are not complete, and Azure allows no more: put off",
                "run it again once they are complete",
                "inc",
            )
        return None

    def copy(self, alias: str, region: str) -> Refusal | None:
        """Room for the copies of one more disk to a region; they follow each other."""
        place = (fold(alias), region)
        planned = self.copying.get(place, 0) + 1
        running = self.holdings.copying[place]
        if running + min(planned, AT_ONCE) > COPIES:
            return Refusal(
                "SN-12",
                f"{running} copies to {region} run in the subscription, and Azure allows {COPIES}: copies are put off",
                "run it again once they are complete",
                "xrg",
            )
        self.copying[place] = planned
        return None
