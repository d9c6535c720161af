"""When two names are one to Azure: casing does not count, letter by letter."""

from __future__ import annotations

from functools import lru_cache


def fold(text: str) -> str:
    """The comparable spelling of a name or an id.

    Azure compares ordinally, each letter with its one capital: `Ö` is `ö`, but `ß` is not `ss`, as `str.casefold` would
    have it, so that `rg-straße` and `rg-strasse` are two resource groups.
    """
    return text.lower() if text.isascii() else "".join(map(_fold, text))


@lru_cache(maxsize=1024)
def _fold(letter: str) -> str:
    if letter.isascii():
        return letter.lower()
    upper = letter.upper()
    lower = (upper if len(upper) == 1 else letter).lower()
    return lower if len(lower) == 1 and not lower.isascii() else letter
