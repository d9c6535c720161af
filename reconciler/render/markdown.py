"""A plan or a drift report for a pull request: one comment, whole sections folded away, nothing in it that a name
could break out of."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.model.counting import count
from reconciler.plan.plan import Plan
from reconciler.render.escape import fence, markdown
from reconciler.render.text import layout, section_lines
from reconciler.render.view import Section, view
from reconciler.render.wording import DriftWording, PlanWording, Wording

MOST_CHARACTERS = 60_000
"""GitHub takes comments of 65,536 characters; a footer of the pipeline has to fit too."""

_FRAME = 400
"""More than the title, the note and the fences of a section take."""

_ELSEWHERE = "the text and JSON formats show everything"

_OPEN = 12
"""Sections of so many lines or fewer are shown unfolded."""


def render_plan(plan: Plan) -> str:
    """What apply would do, as one comment."""
    return _render(plan, PlanWording())


def render_drift(plan: Plan) -> str:
    """How Azure differs from the policies, as one comment."""
    return _render(plan, DriftWording())


def _render(plan: Plan, wording: Wording) -> str:
    shown = view(plan, wording)
    title = shown.counts or shown.verdict
    parts = [f"## {markdown(title)}", ""]
    if shown.counts:
        parts += [markdown(shown.verdict), ""]
    room = MOST_CHARACTERS - sum(len(part) + 1 for part in parts)
    for index, section in enumerate(shown.sections):
        if room < 3 * _FRAME:
            parts.append(f"{count(len(shown.sections) - index, 'section')} left out: {_ELSEWHERE}")
            break
        block = "\n".join(_section(section, room - 2 * _FRAME))
        parts.append(block)
        room -= len(block) + 1
    return "\n".join(parts).rstrip()


def _section(section: Section, room: int) -> Iterator[str]:
    lines = [_diff(layout(line)) for line in section_lines(section)]
    kept = _fit(lines, room)
    missing = len(lines) - len(kept)
    if missing:
        kept.append(f"… {count(missing, 'more line')}: {_ELSEWHERE}")
    ticks = fence("\n".join(kept))
    title = f"{section.title} ({section.size:,})"
    folded = len(kept) > _OPEN
    yield f"<details><summary>{title}</summary>" if folded else f"### {title}"
    yield ""
    if section.note:
        yield f"{markdown(section.note[0].upper() + section.note[1:])}."
        yield ""
    yield f"{ticks}diff"
    yield from kept
    yield ticks
    if folded:
        yield ""
        yield "</details>"
    yield ""


def _fit(lines: list[str], room: int) -> list[str]:
    kept = []
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            break
        kept.append(line)
    return kept


def _diff(text: str) -> str:
    """The line as GitHub colours it in a `diff` block: the symbol in the first column, `~` as `!`."""
    bare = text.lstrip(" ")
    indent = len(text) - len(bare)
    symbol, _, rest = bare.partition(" ")
    if symbol in ("+", "-", "~", "!"):
        return f"{'!' if symbol == '~' else symbol}{' ' * max(indent - 1, 0)}{rest}"
    return " " + text[1:] if indent else f" {text}"
