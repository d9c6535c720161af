"""Numbers in sentences."""

from __future__ import annotations


def count(number: int, noun: str) -> str:
    """`1 change`, `1,204 changes`, `2 backup policies`, `2 vault settings`."""
    return f"{number:,} {noun if number == 1 else _plural(noun)}"


def _plural(noun: str) -> str:
    if noun.endswith("s"):
        return noun
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return f"{noun[:-1]}ies"
    return f"{noun}s"
