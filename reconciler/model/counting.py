"""Numbers in sentences."""

from __future__ import annotations


def count(number: int, noun: str, plural: str = "") -> str:
    """`1 change`, `1,204 changes`, `2 policies`."""
    word = noun if number == 1 else plural or f"{noun}s"
    return f"{number:,} {word}"
