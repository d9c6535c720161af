"""The two tasks of a backup job: the snapshot, and the way of its data into the vault (backup.md §6)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from reconciler.emulator.providers.backup_times import NEVER_ENDED, iso_duration, wire_time

SNAPSHOT_LENGTH = timedelta(seconds=459)
"""Recorded: 7 minutes and 37 to 41 seconds, of jobs of 41 minutes."""

_BEGINS = timedelta(seconds=1)


@dataclass(frozen=True)
class Span:
    """When a backup started, when it ends or will end, and what time it is."""

    start: datetime
    end: datetime
    now: datetime

    @property
    def snapshot_end(self) -> datetime:
        return self.start + min(SNAPSHOT_LENGTH, (self.end - self.start) / 2)


def show_tasks(span: Span, snapshot: str, transfer: str) -> list[dict[str, Any]]:
    """The tasks in their states; one that is under way has lasted until now."""
    return [
        _show("Take Snapshot", snapshot, span.start + _BEGINS, span.snapshot_end, span.now),
        _show("Transfer data to vault", transfer, span.snapshot_end, span.end, span.now),
    ]


def running_states(span: Span) -> tuple[str, str]:
    """The states of the tasks of a backup that runs."""
    return ("InProgress", "NotStarted") if span.now < span.snapshot_end else ("Completed", "InProgress")


def _show(name: str, status: str, start: datetime, end: datetime, now: datetime) -> dict[str, Any]:
    length = {"Completed": end - start, "InProgress": max(timedelta(0), now - start)}.get(status, timedelta(0))
    return {
        "taskId": name,
        "startTime": wire_time(start) if status != "NotStarted" else NEVER_ENDED,
        "endTime": wire_time(end) if status == "Completed" else NEVER_ENDED,
        "duration": iso_duration(length),
        "status": status,
        "taskType": "Normal",
    }
