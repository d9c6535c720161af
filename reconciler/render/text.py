"""A plan or a drift report for the terminal, in the manner that people know from Terraform."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from reconciler.plan.plan import Plan
from reconciler.render.escape import visible
from reconciler.render.lines import (
    ALL,
    Extent,
    Line,
    alarm_line,
    group_lines,
    heading,
    notice_lines,
    refusal_lines,
    write_lines,
)
from reconciler.render.style import Tone, paint
from reconciler.render.view import Section, view
from reconciler.render.wording import DriftWording, PlanWording, Wording

READ_FIRST = "Read these first"
_INDENT = 4


def render_plan(plan: Plan, *, colour: bool = False, width: int = 0, verbose: bool = False) -> str:
    """What apply would do. Lines are wrapped at `width` columns; 0 leaves them whole, for `grep`. `verbose` leaves
    nothing out."""
    return _render(plan, PlanWording(), Look(colour, width, verbose))


def render_drift(plan: Plan, *, colour: bool = False, width: int = 0, verbose: bool = False) -> str:
    """How Azure differs from the policies."""
    return _render(plan, DriftWording(), Look(colour, width, verbose))


@dataclass(frozen=True, slots=True)
class Look:
    """How a report is laid out."""

    colour: bool
    width: int
    verbose: bool

    @property
    def extent(self) -> Extent:
        return ALL if self.verbose else Extent()


def section_lines(section: Section, wording: Wording, extent: Extent) -> Iterator[Line]:
    """Everything below the title of a section."""
    for refusal in section.refusals:
        yield from refusal_lines(refusal, extent)
    for notice in section.notices:
        yield from notice_lines(notice, extent)
    for group in section.groups:
        yield heading(group, wording)
        yield from group_lines(group, wording, extent)
        yield from write_lines(group)


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


def _render(plan: Plan, wording: Wording, look: Look) -> str:
    shown = view(plan, wording, verbose=look.verbose)
    blocks = [_plain(visible(shown.compared), Tone.QUIET, look)] if shown.compared else []
    if shown.alarms:
        blocks.append(_block(READ_FIRST, "", map(alarm_line, shown.alarms), look))
    blocks += [_section(section, wording, look) for section in shown.sections]
    if shown.unknown:
        blocks.append("\n".join(_plain(visible(line), Tone.QUIET, look) for line in shown.unknown))
    if shown.hidden:
        blocks.append(_plain(visible(shown.hidden), Tone.QUIET, look))
    if shown.advice:  # commands to copy: never wrapped
        blocks.append("\n".join(paint(visible(line), Tone.QUIET, colour=look.colour) for line in shown.advice))
    last = [_plain(visible(shown.counts), Tone.PLAIN, look)] if shown.counts else []
    last.append(_plain(visible(shown.verdict), Tone.GOOD if shown.calm else Tone.STRONG, look))
    return "\n\n".join((*blocks, "\n".join(last)))


def _section(section: Section, wording: Wording, look: Look) -> str:
    return _block(section.title, section.note, section_lines(section, wording, look.extent), look)


def _block(title: str, note: str, lines: Iterable[Line], look: Look) -> str:
    after = paint(f" ({note})", Tone.QUIET, colour=look.colour) if note else ""
    body = (paint(layout(line, look.width), line.tone, colour=look.colour) for line in lines)
    return "\n".join((paint(visible(title), Tone.STRONG, colour=look.colour) + after, *body))


def _plain(text: str, tone: Tone, look: Look) -> str:
    if look.width and len(text) > look.width:
        text = textwrap.fill(text, look.width, break_long_words=False, break_on_hyphens=False)
    return paint(text, tone, colour=look.colour)
