"""How far the clock of this machine is from Azure's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

TOLERANCE = timedelta(minutes=10)
"""What no slot and no retention is hurt by."""


@dataclass(frozen=True, slots=True)
class ClockGap:
    """Both clocks at one moment, aware UTC."""

    ours: datetime
    azures: datetime

    @property
    def span(self) -> timedelta:
        return abs(self.ours - self.azures)

    def corrected(self, now: datetime) -> datetime:
        """What Azure's clock shows when ours shows `now`."""
        return now + (self.azures - self.ours)
