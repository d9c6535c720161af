"""Did you mean …?"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def closest(word: str, choices: Iterable[str]) -> str:
    """The choice that `word` was probably meant to be, casing and separators aside; "" where none is near."""
    spelled = {_plain(choice): choice for choice in choices}
    found = get_close_matches(_plain(word), spelled, n=1, cutoff=0.7)
    return spelled[found[0]] if found else ""


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """Advice for an unknown word: the near choice, or all of them where they are few."""
    known = sorted(choices)
    near = closest(word, known)
    if near:
        return f"did you mean `{near}`?"
    if not known:
        return "there is none"
    if len(known) > 12:
        return f"there are {len(known)}, none of them similar"
    return "there is " + ", ".join(f"`{choice}`" for choice in known)


def _plain(word: str) -> str:
    return word.casefold().replace("_", "").replace("-", "").replace(" ", "")
