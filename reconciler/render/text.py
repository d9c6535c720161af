"""A plan or a drift report for the terminal, in the manner that people know from Terraform."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from reconciler.plan.plan import Plan
from reconciler.render.lines import Line, group_lines, notice_lines, refusal_lines
from reconciler.render.style import Tone, paint
from reconciler.render.view import Section, view
from reconciler.render.wording import DriftWording, PlanWording, Wording

_INDENT = 4


def render_plan(plan: Plan, *, colour: bool = False, width: int = 0) -> str:
    """What apply would do. Lines are wrapped at `width` columns; 0 leaves them whole, for `grep`."""
    return _render(plan, PlanWording(), colour, width)


def render_drift(plan: Plan, *, colour: bool = False, width: int = 0) -> str:
    """How Azure differs from the policies."""
    return _render(plan, DriftWording(), colour, width)


def section_lines(section: Section) -> Iterator[Line]:
    """Everything below the title of a section."""
    for refusal in section.refusals:
        yield from refusal_lines(refusal)
    for notice in section.notices:
        yield from notice_lines(notice)
    for group in section.groups:
        yield from group_lines(group)


def layout(line: Line, width: int = 0) -> str:
    """One line of plain text, or several where it is wider than `width`; the rest hangs below its text."""
    margin = " " * (_INDENT * line.depth + 2)
    lead = f"{margin}{line.symbol} " if line.symbol else margin
    if not width or len(lead) + len(line.text) <= width:
        return lead + line.text
    return textwrap.fill(
        line.text,
        max(width, len(lead) + 20),
        initial_indent=lead,
        subsequent_indent=" " * len(lead),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _render(plan: Plan, wording: Wording, colour: bool, width: int) -> str:
    shown = view(plan, wording)
    blocks = []
    for section in shown.sections:
        note = paint(f" ({section.note})", Tone.QUIET, colour=colour) if section.note else ""
        body = [paint(layout(line, width), line.tone, colour=colour) for line in section_lines(section)]
        blocks.append("\n".join((paint(section.title, Tone.STRONG, colour=colour) + note, *body)))
    last = [paint(shown.verdict, Tone.GOOD if shown.calm else Tone.STRONG, colour=colour)]
    if shown.counts:
        last.append(paint(shown.counts, Tone.STRONG, colour=colour))
    return "\n\n".join((*blocks, "\n".join(last)))
