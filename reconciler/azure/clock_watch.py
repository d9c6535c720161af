"""Whether this machine's clock is right: every answer of Azure says, in `Date`, when it was given (RFC 9110)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from reconciler.model.clock_gap import TOLERANCE, ClockGap


class ClockWatch:
    """`gap` is the smallest that was seen, None where the clocks agree or nothing was answered yet. An answer that took
    long, or a clock that is set meanwhile, makes no gap: Azure's time need only lie between question and answer."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.gap: ClockGap | None = None
        self._clock = clock
        self._agrees = False

    def ask(self) -> datetime | None:
        """The time to hand to `compare` with the answer; None once the clocks were seen to agree."""
        return None if self._agrees else self._clock()

    def compare(self, asked: datetime | None, date: str) -> None:
        """`date` is the header of the answer; one that is missing or no date says nothing."""
        azures = _moment(date)
        if asked is None or azures is None:
            return
        gap = ClockGap(max(asked, min(azures, self._clock())), azures)
        if gap.span <= TOLERANCE:
            self._agrees, self.gap = True, None
        elif not self._agrees and (self.gap is None or gap.span < self.gap.span):
            self.gap = gap


def _moment(date: str) -> datetime | None:
    try:
        return parsedate_to_datetime(date).astimezone(UTC)
    except (ValueError, TypeError):
        return None
