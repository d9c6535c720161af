"""Colour, where the caller wants it: the sixteen ANSI colours, which every terminal and CI log shows."""

from __future__ import annotations

from enum import Enum


class Tone(Enum):
    """What a line means to the eye; the value is its ANSI code."""

    PLAIN = ""
    STRONG = "1"
    QUIET = "2"
    GOOD = "32"
    CHANGE = "33"
    BACK = "36"
    BAD = "31"
    ALARM = "1;31"


def paint(text: str, tone: Tone, *, colour: bool) -> str:
    """The text in this tone, or as it is without colour."""
    if not colour or not tone.value or not text:
        return text
    return f"\x1b[{tone.value}m{text}\x1b[0m"
