"""A plan or a drift report for a pull request: one comment, one line a change to open, nothing in it that a name could
break out of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from reconciler.model.counting import count
from reconciler.plan.plan import Plan
from reconciler.render.escape import fence, html, markdown, visible
from reconciler.render.lines import Extent, Line, group_lines, heading, notice_lines, refusal_lines
from reconciler.render.style import Tone
from reconciler.render.text import layout
from reconciler.render.view import Group, Section, View, view
from reconciler.render.wording import DriftWording, PlanWording, Wording

MOST_CHARACTERS = 60_000
"""GitHub takes comments of 65,536 characters; a footer of the pipeline has to fit too."""

_EXTENT = Extent(addresses=50, findings=20)
_BLOCK = 12_000
"""No single change may take more: the others have to be seen as well."""
_RESERVE = 400
"""Room for what is said at the end."""
_ELSEWHERE = "the text and JSON formats show everything"


def render_plan(plan: Plan) -> str:
    """What apply would do, as one comment."""
    return _render(plan, PlanWording(), f" · plan {plan.digest[:12]}")


def render_drift(plan: Plan) -> str:
    """How Azure differs from the policies, as one comment."""
    return _render(plan, DriftWording(), "")


def _render(plan: Plan, wording: Wording, mark: str) -> str:
    shown = view(plan, wording)
    parts = [f"## {markdown(shown.verdict)}", ""]
    if shown.counts:
        parts += [*_table(shown), ""]
    blocks = [block for section in shown.sections for block in _blocks(section, wording)]
    room = MOST_CHARACTERS - sum(len(part) + 1 for part in parts) - _RESERVE
    kept = _fit(blocks, room)
    parts += kept
    if len(kept) < len(blocks):
        parts += [f"**{count(len(blocks) - len(kept), 'part')} left out: {_ELSEWHERE}.**", ""]
    if shown.advice:
        parts.append(_fenced("console", [visible(line) for line in shown.advice]))
    parts.append(f"<sub>{count(plan.machines, 'VM')} · {markdown(plan.created)}{mark}</sub>")
    return "\n".join(parts)


def _table(shown: View) -> Iterator[str]:
    """The figures, a column each."""
    yield f"| {' | '.join(word for word, _ in shown.figures)} |"
    yield f"| {' | '.join('--:' for _ in shown.figures)} |"
    yield f"| {' | '.join(f'{number:,}' for _, number in shown.figures)} |"


def _blocks(section: Section, wording: Wording) -> Iterator[str]:
    """The section in parts that are left out as a whole; its title goes with the first."""
    note = f"{markdown(section.note[0].upper() + section.note[1:])}.\n\n" if section.note else ""
    title = f"### {markdown(section.title)} ({section.size:,})\n\n{note}"
    bodies = [_group(group, wording) for group in section.groups]
    found = [line for refusal in section.refusals for line in refusal_lines(refusal, _EXTENT)]
    found += [line for notice in section.notices for line in notice_lines(notice, _EXTENT)]
    if found and section.title in (wording.errors, wording.refused):
        bodies.append(_diff(found))
    elif found:
        yield _folded(f"{html(section.title)} ({section.size:,})", _diff(found))
        return
    for body in bodies:
        yield f"{title}{body}"
        title = ""


def _group(group: Group, wording: Wording) -> str:
    """One line to open, with what may be lost in bold before it."""
    head = heading(group)
    lines = list(group_lines(group, wording, _EXTENT))
    told = [line for line in lines if line.tone in (Tone.ALARM, Tone.STRONG)]
    if head.tone is not Tone.ALARM and lines and not told:
        return _folded(f"<code>{head.symbol}</code> {html(head.text)}", _diff(lines))
    rest = [line for line in lines if line not in told]
    points = "".join(f"\n- {_bold(line)}" for line in told)
    return f"`{head.symbol}` {markdown(head.text)}\n{points}\n\n" + (_folded("Details", _diff(rest)) if rest else "")


def _bold(line: Line) -> str:
    text = markdown(line.text)
    return f"**{text}**" if line.tone is Tone.ALARM else text


def _folded(summary: str, body: str) -> str:
    return f"<details><summary>{summary}</summary>\n\n{body}\n</details>\n"


def _diff(lines: Iterable[Line]) -> str:
    """The lines in a `diff` block, which GitHub colours: the symbol in the first column, `~` as `!`."""
    shown = [_coloured(layout(line)) for line in lines]
    kept = _fit(shown, _BLOCK)
    if len(kept) < len(shown):
        kept.append(f"… {count(len(shown) - len(kept), 'more line')}: {_ELSEWHERE}")
    return _fenced("diff", kept)


def _fenced(language: str, lines: list[str]) -> str:
    ticks = fence("\n".join(lines))
    return "\n".join((f"{ticks}{language}", *lines, ticks, ""))


def _fit(parts: list[str], room: int) -> list[str]:
    kept = []
    for part in parts:
        room -= len(part) + 1
        if room < 0:
            break
        kept.append(part)
    return kept


def _coloured(text: str) -> str:
    bare = text.lstrip(" ")
    indent = len(text) - len(bare)
    symbol, _, rest = bare.partition(" ")
    if symbol in ("+", "-", "~", "!"):
        return f"{'!' if symbol == '~' else symbol}{' ' * max(indent - 1, 0)}{rest}"
    return " " + text[1:] if indent else f" {text}"
