"""A list of names, shortened: `rg-web-*` where every name that begins so is in the list."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache

_FEWEST = 3
"""Names that a wildcard must stand for: two are better written out."""
_SHORTEST = 3
"""Letters before a wildcard: `a*` says nothing to a reader."""
_STEMS = re.compile(r"[-_.]|(?<=[^0-9])(?=[0-9]+$)")


def count_stems(values: Iterable[str]) -> Counter[str]:
    """How many of the values begin with each beginning that ends where a word does."""
    return Counter(stem for value in values for stem in _stems(value))


def shorten(values: Iterable[str], there: Counter[str]) -> tuple[str, ...]:
    """The values, in order; those that share a beginning which no other has as one wildcard. `there` counts the
    beginnings of all values that there are, these among them."""
    wanted = set(values)
    if len(wanted) < _FEWEST:
        return tuple(sorted(wanted))
    ours = count_stems(wanted)
    pure = {stem for stem, number in ours.items() if number >= _FEWEST and number == there[stem]}
    written: set[str] = set()
    for value in wanted:
        stem = next((stem for stem in _stems(value) if stem in pure), None)
        written.add(f"{stem}*" if stem else value)
    return tuple(sorted(written))


@lru_cache(maxsize=1 << 16)
def _stems(value: str) -> Sequence[str]:
    """The beginnings of a name that end where a word does, the shortest first."""
    ends = [found.end() for found in _STEMS.finditer(value)]
    return [value[:end] for end in dict.fromkeys(ends) if _SHORTEST <= end < len(value)]
