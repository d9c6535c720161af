"""A plan or a drift report for a pull request: one comment, one line a change to open, nothing in it that a name could
break out of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.model.counting import count
from reconciler.plan.change import Action, Reason
from reconciler.plan.plan import Plan
from reconciler.plan.provenance import Base
from reconciler.render.comment import ELSEWHERE, Block, clip, diff_block, fenced, fit, folded, length, told_apart
from reconciler.render.escape import html, markdown, visible
from reconciler.render.folding import ALARMING, Group
from reconciler.render.lines import (
    Extent,
    Line,
    alarm_line,
    heading,
    member_lines,
    notice_lines,
    refusal_lines,
    story_lines,
    write_lines,
    writers,
)
from reconciler.render.origins import commits
from reconciler.render.style import Tone
from reconciler.render.text import READ_FIRST
from reconciler.render.view import Section, View, view
from reconciler.render.wording import DriftWording, PlanWording, Wording

MOST_CHARACTERS = 60_000
"""GitHub takes comments of 65,536 characters; a footer of the pipeline has to fit too. Azure DevOps takes 150,000,
GitLab 1,000,000."""

_EXTENT = Extent(addresses=50, findings=20)
_MEMBERS = (2_000, 12)
"""Resources of one group that are listed: where there is room, and where there is little."""
_LINE = 400
"""Characters of a heading and of what may be lost; Azure's names have 260 at most."""
_WRITER = 120
_RESERVE = 200
"""Room for what is said at the end, and after each section of what is left out."""
_ALARMS = 20
_SEVERE, _COMMON, _LATER, _CHAPTER = 100, 200, 300, 400
"""Ranks: what stops it and what is lost, what else it does, what comes later, and what was found."""


def render_plan(plan: Plan, comment: str = "") -> str:
    """What apply would do, as one comment. `comment` tells several of one pull request apart (`prod`)."""
    return _render(plan, PlanWording(), marker("plan", comment), f" · plan {plan.digest[:12]}")


def render_drift(plan: Plan, comment: str = "") -> str:
    """How Azure differs from the policies, as one comment."""
    return _render(plan, DriftWording(), marker("drift", comment), "")


def marker(name: str, comment: str = "") -> str:
    """The hidden first line by which one comment is found again and edited, not repeated."""
    suffix = told_apart(comment)
    return f"<!-- reconciler:{name}{':' if suffix else ''}{suffix} -->"


def _render(plan: Plan, wording: Wording, mark: str, plan_mark: str) -> str:
    shown = view(plan, wording)
    head = [mark, f"## {_prose(shown.verdict, plan.base)}", ""]
    if shown.counts:
        head += [*_table(shown, wording), ""]
    tail = [f"{_prose(line, plan.base)}\n" for line in shown.unknown]
    if shown.advice:
        tail.append(fenced("console", [clip(visible(line), _LINE) for line in shown.advice]))
    compared = f" · {_prose(shown.compared, plan.base)}" if shown.compared else ""
    unchanged = f" · {plan.unchanged:,} {wording.rest}" if shown.rows else ""
    made = markdown(clip(plan.created, _LINE))
    tail.append(f"<sub>{count(plan.machines, 'VM')}{unchanged} · {made}{plan_mark}{compared}</sub>")
    room = MOST_CHARACTERS - sum(length(part) + 1 for part in (*head, *tail)) - _RESERVE
    return "\n".join((*head, *_body(shown, plan, wording, room), *tail))


def _body(shown: View, plan: Plan, wording: Wording, room: int) -> Iterator[str]:
    """Everything between the table and the end, as much as there is room for."""
    titles, blocks = [f"### {READ_FIRST}\n" if shown.alarms else ""], list(_alarms(shown))
    losses = {id(item.group.first): item.losses for item in shown.alarms}
    for number, section in enumerate(shown.sections, 1):
        bodies = _blocks(section, number, wording, losses)
        titles.append("" if bodies[0].headed else _title(section, plan.base))
        blocks += bodies
    chosen = fit(blocks, room - _RESERVE - sum(length(title) + _RESERVE for title in titles))
    shortened = sum(form not in ("", block.forms[0]) for block, form in zip(blocks, chosen, strict=True))
    for number, title in enumerate(titles):
        own = [form for block, form in zip(blocks, chosen, strict=True) if block.section == number]
        kept = [form for form in own if form]
        if title:
            yield title
        yield from kept
        if len(kept) < len(own):
            yield f"**… and {count(len(own) - len(kept), 'more part')} left out: {ELSEWHERE}.**\n"
        elif own and number == 0:
            yield ""
    if shortened:
        yield f"**{count(shortened, 'part')} shortened to fit a comment: {ELSEWHERE}.**\n"


def _table(shown: View, wording: Wording) -> Iterator[str]:
    """The figures, a column each; with a base, a row for each origin."""
    if not shown.rows:
        yield f"| {' | '.join(word for word, _ in shown.figures)} |"
        yield f"| {' | '.join('--:' for _ in shown.figures)} |"
        yield f"| {' | '.join(f'{number:,}' for _, number in shown.figures)} |"
        return
    names = [name for name in wording.figures if any(row.figures.get(name) for row in shown.rows)]
    yield f"| | {' | '.join(wording.figures[name] for name in names)} |"
    yield f"| :-- | {' | '.join('--:' for _ in names)} |"
    for row in shown.rows:
        cells = (f"{row.figures[name]:,}" if row.figures.get(name) else "" for name in names)
        yield f"| {row.title} | {' | '.join(cells)} |"


def _alarms(shown: View) -> Iterator[Block]:
    for number, alarm in enumerate(shown.alarms[:_ALARMS]):
        line = alarm_line(alarm)
        subject = markdown(clip(f"{alarm.group.subject} ({alarm.place})", _LINE))
        told = "; ".join(_bold(loss) for loss in alarm.losses[: len(ALARMING)])
        yield Block(0, number, (f"- `{line.symbol}` {subject}: {told}",))
    more = len(shown.alarms) - _ALARMS
    if more > 0:
        yield Block(0, _ALARMS, (f"- and {more:,} more, first in their sections",))


def _title(section: Section, base: Base | None) -> str:
    note = f"\n{markdown(section.note[0].upper() + section.note[1:])}.\n" if section.note else ""
    return f"### {_prose(section.title, base)} ({section.size:,})\n{note}"


def _prose(text: str, base: Base | None) -> str:
    """A sentence of ours, in which the forge may link the commits that it names."""
    safe = markdown(clip(text, 2 * _LINE))
    for commit in commits(base):
        safe = safe.replace(markdown(commit), commit)
    return safe


def _blocks(section: Section, number: int, wording: Wording, losses: dict[int, tuple[str, ...]]) -> list[Block]:
    """The section in parts that are left out as a whole. What was found is one part, with its title in it."""
    if section.groups:
        rank = _LATER if section.title == wording.deferred else _COMMON
        return [_group(group, number, rank, wording, losses.get(id(group.first), ())) for group in section.groups]
    if section.title in (wording.errors, wording.refused):
        told = [list(refusal_lines(item, _EXTENT)) for item in section.refusals]
        told += [list(notice_lines(item, _EXTENT)) for item in section.notices]
        return [Block(number, 0, (diff_block(lines), diff_block(lines[:2]))) for lines in told]
    lines = [line for notice in section.notices for line in notice_lines(notice, _EXTENT)]
    title = f"{html(section.title)} ({section.size:,})"
    return [Block(number, _CHAPTER, (folded(title, diff_block(lines)), f"**{title}**\n"), headed=True)]


def _group(group: Group, number: int, rank: int, wording: Wording, told_above: Sequence[str]) -> Block:
    """One line to open, with what may be lost in bold before it, unless that stands above all."""
    head = _headline(group, wording)
    lines = [*story_lines(group, wording), *write_lines(group)]
    above = {visible(loss) for loss in told_above}
    told = [line for line in lines if line.tone in (Tone.ALARM, Tone.STRONG) and line.text not in above]
    rest = [line for line in lines if line not in told]
    alarming = group.first.effect in ALARMING or head.tone is Tone.ALARM
    if alarming and group.first.effect in ALARMING:
        rank = _SEVERE + ALARMING.index(group.first.effect)
    elif alarming:
        rank = _SEVERE + len(ALARMING)
    who = writers(group)
    text = clip(head.text, _LINE) + (f" (written by {clip(who, _WRITER)})" if who else "")
    quiet = not told and not alarming
    points = "".join(f"\n- {_point(line)}" for line in told)
    brief = f"`{head.symbol}` {markdown(text)}\n{points}\n" if points else f"`{head.symbol}` {markdown(text)}\n"
    forms = []
    for most in _MEMBERS if len(group.changes) > _MEMBERS[-1] else _MEMBERS[:1]:
        body = [*rest, *member_lines(group, most)]  # a long list is cut off, what it does is not
        if body and quiet:
            forms.append(folded(f"<code>{head.symbol}</code> {html(text)}", diff_block(body)))
        elif body:
            forms.append(f"{brief}\n{folded('Details', diff_block(body))}")
    return Block(number, rank, (*forms, brief))


def _headline(group: Group, wording: Wording) -> Line:
    """Of many that change alike, the change stands first: `policy daily-30d → daily-14d on 212 VMs`."""
    head, change = heading(group, wording), group.first
    alike = change.action is Action.UPDATE and change.reason is Reason.DIFFERS and len(change.details) == 1
    if len(group.changes) == 1 or not alike or not wording.acting:
        return head
    text = visible(f"{wording.detail(change.details[0])} on {group.subject}")
    return Line(head.depth, head.symbol, text, head.tone)


def _point(line: Line) -> str:
    return _bold(line.text) if line.tone is Tone.ALARM else markdown(clip(line.text, _LINE))


def _bold(text: str) -> str:
    """Stars without words, or with a space inside of them, would be something else."""
    words = text.strip()
    return f"**{markdown(clip(words, _LINE))}**" if words else ""
