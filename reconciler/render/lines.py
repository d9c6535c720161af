"""The lines of one group of changes and of one finding: what the text and the Markdown report have in common."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from reconciler.model.counting import count
from reconciler.plan.change import Action, Change, Consequence, FieldChange
from reconciler.plan.finding import Finding
from reconciler.plan.plan import Refusal
from reconciler.render.escape import value, visible
from reconciler.render.style import Tone
from reconciler.render.view import ALARMING, Group, Notice

MOST_ADDRESSES = 10

SYMBOLS = {
    Action.CREATE: ("+", Tone.GOOD),
    Action.UPDATE: ("~", Tone.CHANGE),
    Action.RELEASE: ("-", Tone.BAD),
    Action.DELETE: ("-", Tone.ALARM),
    Action.UNDELETE: ("↺", Tone.BACK),
    Action.BLOCKED: ("!", Tone.ALARM),
}


@dataclass(frozen=True, slots=True)
class Line:
    """`symbol` stands at the margin of its level; the text is escaped for one line of plain text."""

    depth: int
    symbol: str
    text: str
    tone: Tone = Tone.PLAIN


def group_lines(group: Group) -> Iterator[Line]:
    """A group of like changes: which, why, what it does to the data, what differs, how."""
    change = group.first
    symbol, tone = SYMBOLS.get(change.action, ("·", Tone.PLAIN))
    many = len(group.changes) > 1
    subject = count(len(group.changes), change.title or change.kind) if many else change.address
    yield Line(0, symbol, visible(f"{subject} {_agree(group.sentence, many)}"), tone)
    if many:
        yield from _list([change.address for change in group.changes])
    for consequence in change.consequences:
        yield _consequence(consequence)
    yield from _differences(change)
    yield from _steps(change, many)
    if change.manual:
        yield Line(1, "", visible(f"what to do: {change.manual}"), Tone.STRONG)
    if change.source:
        yield Line(1, "", visible(f"from {change.source}"), Tone.QUIET)


def notice_lines(notice: Notice) -> Iterator[Line]:
    """A finding, its resources and its places."""
    finding = notice.finding
    tone = {"error": Tone.BAD, "warning": Tone.CHANGE, "doubt": Tone.CHANGE}.get(finding.severity.value, Tone.PLAIN)
    one = f"{notice.addresses[0]}: " if len(notice.addresses) == 1 else ""
    place = f"{finding.source}: " if finding.source else ""
    yield Line(0, "·", visible(f"{place}{one}{finding.code}: {finding.message}"), tone)
    if len(notice.addresses) > 1:
        yield from _list(notice.addresses)
    yield from _advice(finding)


def refusal_lines(refusal: Refusal) -> Iterator[Line]:
    """A guard that refuses, and how to lift it."""
    yield Line(0, "!", visible(f"{refusal.code} {refusal.title}: {refusal.message}"), Tone.ALARM)
    yield from _list(refusal.addresses)
    if refusal.advice:
        yield Line(1, "", visible(refusal.advice), Tone.STRONG)


def _list(addresses: Sequence[str]) -> Iterator[Line]:
    for address in addresses[:MOST_ADDRESSES]:
        yield Line(2, "", visible(address), Tone.QUIET)
    if len(addresses) > MOST_ADDRESSES:
        yield Line(2, "", f"and {len(addresses) - MOST_ADDRESSES:,} more", Tone.QUIET)


def _agree(sentence: str, many: bool) -> str:
    """The verb in the number of its subject."""
    verb, _, rest = sentence.partition(" ")
    return f"{ {'is': 'are', 'has': 'have'}.get(verb, verb) if many else verb } {rest}"


def _consequence(consequence: Consequence) -> Line:
    alarming = consequence.effect in ALARMING
    return Line(1, "!" if alarming else "·", visible(consequence.text), Tone.ALARM if alarming else Tone.PLAIN)


def _differences(change: Change) -> Iterator[Line]:
    if change.fields:
        yield from (_field(field) for field in change.fields)
    elif change.before is None and change.after is not None:
        for path, wanted in _said("", change.after):
            yield Line(1, "+", visible(f"{path}: {value(wanted)}"), Tone.GOOD)


def _said(path: str, wanted: object) -> Iterator[tuple[str, object]]:
    """What a new resource is told, by dotted path. What is left to Azure (nothing, empty, 0) is not shown."""
    if isinstance(wanted, dict):
        for name, inner in wanted.items():
            yield from _said(f"{path}.{name}" if path else name, inner)
    elif wanted is False or wanted not in (None, "", [], 0):
        yield path, wanted


def _field(field: FieldChange) -> Line:
    if field.before is None:
        return Line(1, "+", visible(f"{field.path}: {value(field.after)}"), Tone.GOOD)
    if field.after is None:
        return Line(1, "-", visible(f"{field.path}: {value(field.before)}"), Tone.BAD)
    return Line(1, "~", visible(f"{field.path}: {value(field.before)} → {value(field.after)}"), Tone.CHANGE)


def _steps(change: Change, many: bool) -> Iterator[Line]:
    """The steps where there is more to know than the action says: several of them, or an approval to get first."""
    if len(change.steps) > 1 and many:
        yield Line(1, "", visible(f"in {len(change.steps)} steps each: {', '.join(s.verb for s in change.steps)}"))
    elif len(change.steps) > 1:
        for number, step in enumerate(change.steps, 1):
            usually = f" (usually {step.usually})" if step.usually else ""
            yield Line(1, f"{number}.", visible(f"{step.title or step.verb}{usually}"))
    for guard in sorted({step.needs_approval for step in change.steps if step.needs_approval}):
        yield Line(1, "!", visible(f"needs approval: Resource Guard {guard}"), Tone.ALARM)


def _advice(finding: Finding) -> Iterator[Line]:
    if finding.advice:
        yield Line(1, "", visible(finding.advice), Tone.STRONG)
    for place in finding.also:
        yield Line(1, "", visible(f"see also {place}"), Tone.QUIET)
