"""A list of names, shortened: `rg-web-*` where every name that begins so is in the list."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

_FEWEST = 3
"""Names that a wildcard must stand for: two are better written out."""
_SHORTEST = 3
"""Letters before a wildcard: `a*` says nothing to a reader."""
_STEMS = re.compile(r"[-_.]|(?<=[^0-9])(?=[0-9]+$)")


def shorten(values: Iterable[str], everything: Iterable[str]) -> tuple[str, ...]:
    """The values, in order; those that share a beginning which nothing else in `everything` has as one wildcard."""
    wanted = set(values)
    if len(wanted) < _FEWEST:
        return tuple(sorted(wanted))
    there = Counter(stem for value in everything for stem in _stems(value))
    ours = Counter(stem for value in wanted for stem in _stems(value))
    pure = {stem for stem, number in ours.items() if number >= _FEWEST and number == there[stem]}
    written: set[str] = set()
    for value in wanted:
        stem = next((stem for stem in _stems(value) if stem in pure), None)
        written.add(f"{stem}*" if stem else value)
    return tuple(sorted(written))


def _stems(value: str) -> Sequence[str]:
    """The beginnings of a name that end where a word does, the shortest first."""
    ends = [found.end() for found in _STEMS.finditer(value)]
    return [value[:end] for end in dict.fromkeys(ends) if _SHORTEST <= end < len(value)]
