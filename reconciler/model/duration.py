"""Durations as the policies write them: `36h`, `14d`, `2w`."""

from __future__ import annotations

import re
from datetime import timedelta

_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
PATTERN = r"^[1-9][0-9]{0,5}[mhdw]$"
"""What a duration looks like: a whole number and one of m, h, d, w."""


def parse_duration(text: str) -> timedelta:
    """`36h` → 36 hours. Raises ValueError, with what to write instead, for anything else."""
    if not re.match(PATTERN, text):
        raise ValueError(f"not a duration: {text!r} (write a whole number and m, h, d or w: 24h, 180d)")
    return int(text[:-1]) * _UNITS[text[-1]]


def format_age(span: timedelta) -> str:
    """A span for people, in the two largest units: `3 d 4 h`, `2 h 5 min`, `40 s`."""
    seconds = int(span.total_seconds())
    if seconds < 0:
        return f"-{format_age(-span)}"
    days, rest = divmod(seconds, 86_400)
    hours, rest = divmod(rest, 3_600)
    minutes, rest = divmod(rest, 60)
    parts = [f"{count} {unit}" for count, unit in ((days, "d"), (hours, "h"), (minutes, "min"), (rest, "s")) if count]
    return " ".join(parts[:2]) or "0 s"
