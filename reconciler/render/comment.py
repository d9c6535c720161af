"""What fits into one comment: parts in a longer and a shorter form, and which of them is shown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from reconciler.model.counting import count
from reconciler.render.escape import fence
from reconciler.render.lines import Line
from reconciler.render.text import layout

ELSEWHERE = "the HTML report of this run, and the text and JSON formats, show everything"
_BLOCK = 12_000
"""No single change may take more: the others have to be seen as well."""
_WIDE = 1_000
"""Characters of one line inside a block."""


@dataclass(frozen=True, slots=True)
class Block:
    """A part of the comment that is shown in one of its forms (the fullest first), or not at all. Those of a lower
    `rank` are told first; `headed` ones carry their own title."""

    section: int
    rank: int
    forms: tuple[str, ...]
    headed: bool = False


def fit(blocks: Sequence[Block], room: int) -> list[str]:
    """The form of each, "" for those that are left out. Nothing is left out while something of a higher rank is told,
    and nothing is told at length while something else is left out."""
    order = sorted(range(len(blocks)), key=lambda number: blocks[number].rank)
    chosen = [""] * len(blocks)
    for number in sorted(order, key=lambda number: not blocks[number].headed):
        brief = blocks[number].forms[-1]
        if length(brief) + 1 > room:
            return chosen
        chosen[number] = brief
        room -= length(brief) + 1
    for level in range(-2, -1 - max((len(block.forms) for block in blocks), default=0), -1):
        for number in order:
            forms = blocks[number].forms
            longer = forms[max(level, -len(forms))]
            more = length(longer) - length(chosen[number])
            if more <= room:
                chosen[number] = longer
                room -= more
    return chosen


def length(text: str) -> int:
    """In UTF-16 units: no forge counts more than that for a character."""
    return len(text) if text.isascii() else len(text) + sum(char > "\uffff" for char in text)


def told_apart(comment: str) -> str:
    """What tells the reports of several runs on one commit apart (`prod`), as a word without surprises."""
    return re.sub(r"[^A-Za-z0-9._/]+", "-", comment).strip("-")[:100]


def clip(text: str, most: int) -> str:
    """Its beginning, where it is longer: no name may take the room of all others."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def folded(summary: str, body: str) -> str:
    """Something to open."""
    return f"<details><summary>{summary}</summary>\n\n{body}\n</details>\n"


def diff_block(lines: Iterable[Line]) -> str:
    """The lines in a `diff` block, which forges colour: the symbol in the first column, `~` as `!`."""
    shown = [_coloured(clip(layout(line), _WIDE)) for line in lines]
    kept: list[str] = []
    room = _BLOCK
    for line in shown:
        room -= length(line) + 1
        if room < 0:
            kept.append(f"… {count(len(shown) - len(kept), 'more line')}: {ELSEWHERE}")
            break
        kept.append(line)
    return fenced("diff", kept)


def fenced(language: str, lines: Sequence[str]) -> str:
    """A block that none of the lines can end."""
    ticks = fence("\n".join(lines))
    return "\n".join((f"{ticks}{language}", *lines, ticks, ""))


def _coloured(text: str) -> str:
    bare = text.lstrip(" ")
    indent = len(text) - len(bare)
    symbol, _, rest = bare.partition(" ")
    if symbol in ("+", "-", "~", "!"):
        return f"{'!' if symbol == '~' else symbol}{' ' * max(indent - 1, 0)}{rest}"
    return " " + text[1:] if indent else f" {text}"
