"""The lines of one group of changes and of one finding: what the text and the Markdown report have in common."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from reconciler.model.counting import count
from reconciler.plan.change import BY_TIME, Action, Change, Consequence, Detail
from reconciler.plan.finding import Finding, Severity
from reconciler.plan.plan import Refusal
from reconciler.plan.provenance import Origin
from reconciler.render.escape import visible
from reconciler.render.folding import ALARMING, Group, summed
from reconciler.render.style import Tone
from reconciler.render.view import Alarm, Notice
from reconciler.render.wording import Wording

SYMBOLS = {
    Action.CREATE: ("+", Tone.GOOD),
    Action.UPDATE: ("~", Tone.CHANGE),
    Action.RELEASE: ("-", Tone.BAD),
    Action.DELETE: ("-", Tone.ALARM),
    Action.UNDELETE: ("↺", Tone.BACK),
    Action.BLOCKED: ("!", Tone.ALARM),
}
_MOST_PLACES = 3


@dataclass(frozen=True, slots=True)
class Line:
    """`symbol` stands at the margin of its level; the text is escaped for one line of plain text."""

    depth: int
    symbol: str
    text: str
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, slots=True)
class Extent:
    """How much is listed: addresses of one group, and findings of one code. 0 is all."""

    addresses: int = 10
    findings: int = 5


ALL = Extent(0, 0)


def heading(group: Group, wording: Wording) -> Line:
    """Which resources, and what becomes of them. What becomes of the protection of VMs is not said of the VMs."""
    change = group.first
    symbol, tone = SYMBOLS.get(change.action, ("·", Tone.PLAIN))
    if change.reason in BY_TIME and change.effect not in ALARMING:
        tone = Tone.PLAIN if change.action is Action.DELETE else tone
    if len(group.changes) > 1 and change.protects and change.action not in wording.of_machines:
        return Line(0, symbol, visible(f"the protection of {group.subject} {group.sentence}"), tone)
    return Line(0, symbol, visible(f"{group.subject} {agree(group.sentence, many=len(group.changes) > 1)}"), tone)


def alarm_line(alarm: Alarm) -> Line:
    """What a group does to what can be recovered, in one line, and where it stands."""
    symbol, _ = SYMBOLS.get(alarm.group.first.action, ("·", Tone.PLAIN))
    return Line(0, symbol, visible(f"{alarm.group.subject} ({alarm.place}): {'; '.join(alarm.losses)}"), Tone.ALARM)


def write_lines(group: Group) -> Iterator[Line]:
    """Who wrote to what drifted, the newest first; of several resources, how many each wrote to last. Why that is not
    known stands once in the report (`View.unknown`)."""
    if len(group.writes) == 1:
        for write in group.writes[0].writes:
            correlation = f" (correlation {write.correlation_id})" if write.correlation_id else ""
            status = "" if write.status in ("", "Succeeded") else f", {write.status}"
            told = f"{write.at:%Y-%m-%d %H:%M} UTC by {write.caller}: {write.operation}{status}{correlation}"
            yield Line(1, "", visible(f"written {told}"), Tone.QUIET)
    else:
        last = [item.writes[0] for item in group.writes if item.writes]
        callers = Counter(write.caller for write in last)
        for caller, number in callers.most_common(_MOST_PLACES):
            newest = max(write.at for write in last if write.caller == caller)
            told = f"last written by {caller} ({number:,}), at {newest:%Y-%m-%d %H:%M} UTC or before"
            yield Line(1, "", visible(told), Tone.QUIET)
        if len(callers) > _MOST_PLACES:
            yield Line(1, "", f"and by {len(callers) - _MOST_PLACES:,} more", Tone.QUIET)


def writers(group: Group) -> str:
    """Who wrote last, in a few words for a headline: `alice@example.com and 2 others`; "" where nobody knows."""
    callers = Counter(item.writes[0].caller for item in group.writes if item.writes)
    if not callers:
        return ""
    first, others = callers.most_common(1)[0][0], len(callers) - 1
    return visible(f"{first} and {count(others, 'other')}" if others else first)


def group_lines(group: Group, wording: Wording, extent: Extent) -> Iterator[Line]:
    """Below the heading: which, what it does to the data, what differs, how, and what asks for it."""
    if len(group.changes) > 1:
        yield from _list([item.address for item in group.changes], extent.addresses)
    yield from story_lines(group, wording)


def member_lines(group: Group, most: int, width: int = 110) -> Iterator[Line]:
    """Which resources, by the group that they are in: `prod/rg-web (80): vm-1, vm-2`; nothing for one alone."""
    if len(group.changes) == 1:
        return
    places: dict[str, list[str]] = {}
    for change in group.changes:
        place, _, name = change.address.partition(".")[2].rpartition("/")
        places.setdefault(place, []).append(name)
    left, hidden = most, 0
    for place, names in places.items():
        shown = names[:left]
        left -= len(shown)
        if not shown:
            hidden += len(names)
            continue
        more = f", and {len(names) - len(shown):,} more" if len(names) > len(shown) else ""
        text = visible(f"{place} ({len(names):,}): {', '.join(shown)}{more}")
        for part in textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False):
            yield Line(1, "", part, Tone.QUIET)
    if hidden:
        yield Line(1, "", f"and {hidden:,} more in other resource groups", Tone.QUIET)


def story_lines(group: Group, wording: Wording) -> Iterator[Line]:
    """The same, without the list of which."""
    change = group.first
    details = wording.details(change)
    differences = [_difference(detail, wording, whose(detail, group)) for detail in details]
    differences += _unnamed(group, details) if wording.acting else ()
    effects = [_consequence(item, group, wording) for item in change.consequences if wording.tells(item)]
    yield from (*effects, *differences) if wording.acting else (*differences, *effects)
    if wording.acting:
        yield from _steps(change, many=len(group.changes) > 1)
    if change.manual:
        yield Line(1, "", visible(f"what to do: {change.manual}"), Tone.STRONG)
    places = _places(change)
    if places and (wording.acting or change.before is None):
        yield Line(1, "", visible(f"from {places}"), Tone.QUIET)


def notice_lines(notice: Notice, extent: Extent) -> Iterator[Line]:
    """Findings of one code: each with its resources, and once what to do."""
    first = notice.told[0].finding
    tone = {"error": Tone.BAD, "warning": Tone.CHANGE, "doubt": Tone.CHANGE}.get(first.severity.value, Tone.PLAIN)
    errors = first.severity is Severity.ERROR  # all of them at once: what stops somebody is never left out
    most = len(notice.told) if errors or not extent.findings else extent.findings
    for told in notice.told[:most]:
        finding, addresses = told.finding, told.addresses
        subject, end = _subject(finding, addresses)
        yield Line(0, "·", visible(f"{subject}{finding.message} [{finding.code}{end}]"), tone)
        if len(addresses) > 1:
            yield from _list(addresses, extent.addresses)
        for place in finding.also:
            yield Line(1, "", visible(f"see also {place}"), Tone.QUIET)
    if len(notice.told) > most:
        yield Line(1, "", f"and {len(notice.told) - most:,} more like this (plan --verbose shows them)", Tone.QUIET)
    if first.advice:
        yield Line(1, "→", visible(first.advice), Tone.STRONG)


def refusal_lines(refusal: Refusal, extent: Extent) -> Iterator[Line]:
    """A guard that refuses, and how to lift it."""
    yield Line(0, "!", visible(f"{refusal.title}: {refusal.message} [{refusal.code}]"), Tone.ALARM)
    yield from _list(refusal.addresses, extent.addresses)
    if refusal.advice:
        yield Line(1, "→", visible(refusal.advice), Tone.STRONG)


def _subject(finding: Finding, addresses: Sequence[str]) -> tuple[str, str]:
    """What the line begins with, and what follows the code: a place stands first where there is no resource."""
    place = str(finding.source) if finding.source else ""
    if len(addresses) == 1:
        return f"{addresses[0]}: ", f", {place}" if place else ""
    return f"{place}: " if place else "", ""


def _list(addresses: Sequence[str], most: int) -> Iterator[Line]:
    shown = addresses[:most] if most else addresses
    for address in shown:
        yield Line(2, "", visible(address), Tone.QUIET)
    if len(addresses) > len(shown):
        yield Line(2, "", f"and {len(addresses) - len(shown):,} more", Tone.QUIET)


def agree(sentence: str, *, many: bool) -> str:
    """The verb in the number of its subject."""
    verb, _, rest = sentence.partition(" ")
    return f"{ {'is': 'are', 'has': 'have'}.get(verb, verb) if many else verb } {rest}"


def _consequence(consequence: Consequence, group: Group, wording: Wording) -> Line:
    alarming = consequence.effect in ALARMING
    healing = "" if group.first.reason in BY_TIME else wording.healing
    text = visible(f"{healing}{summed(group, consequence)}")
    return Line(1, "!" if alarming else "·", text, Tone.ALARM if alarming else Tone.PLAIN)


def _difference(detail: Detail, wording: Wording, whose: str) -> Line:
    text = visible(wording.line(detail) + (f" ({whose})" if whose else ""))
    if not detail.before:
        return Line(1, "+", text, Tone.GOOD)
    if not detail.after:
        return Line(1, "-", text, Tone.BAD)
    return Line(1, "~", text, Tone.CHANGE)


def _sides(group: Group) -> dict[str, tuple[str, ...]]:
    """Who has to do with which fields; nothing where one side has to do with all of them."""
    told = group.provenance
    if told is None or told.origin in (Origin.DRIFT, Origin.PENDING):
        return {}
    sides = {"yours": told.edited, "drifted": told.drifted, "pending": told.pending}
    return sides if told.drifted or told.pending else {}


def whose(detail: Detail, group: Group) -> str:
    """Where one difference comes from; "" where that of the group holds for all of them."""
    sides = _sides(group)
    return ", ".join(name for name, paths in sides.items() if any(_same(path, detail.name) for path in paths))


def _unnamed(group: Group, details: Sequence[Detail]) -> Iterator[Line]:
    """The fields that no line of a difference names: those that the heading says already, too."""
    for name, paths in _sides(group).items():
        rest = [path for path in paths if not any(_same(path, detail.name) for detail in details)]
        if rest:
            yield Line(1, "", visible(f"{name}: {', '.join(rest)}"), Tone.QUIET)


def _same(path: str, name: str) -> bool:
    """Whether a field of the spec and a name of the policies speak of the same: one may be a part of the other."""
    first, second = (f"{text.replace('_', '').casefold()}." for text in (path.replace("[", ".["), name))
    return first.startswith(second) or second.startswith(first)


def _places(change: Change) -> str:
    """The lines that ask for what differs, or the document where everything is new."""
    exact = dict.fromkeys(str(detail.source) for detail in change.details if detail.source)
    if change.before is not None and exact and len(exact) <= _MOST_PLACES:
        return ", ".join(exact)
    return str(change.source) if change.source else ""


def _steps(change: Change, *, many: bool) -> Iterator[Line]:
    """The steps where there is more to know than the action says: several of them, or an approval to get first."""
    if len(change.steps) > 1 and many:
        yield Line(1, "", visible(f"in {len(change.steps)} steps each: {', '.join(s.verb for s in change.steps)}"))
    elif len(change.steps) > 1:
        for number, step in enumerate(change.steps, 1):
            usually = f" (usually {step.usually})" if step.usually else ""
            yield Line(1, f"{number}.", visible(f"{step.title or step.verb}{usually}"))
    for guard in sorted({step.needs_approval for step in change.steps if step.needs_approval}):
        yield Line(1, "!", visible(f"needs approval: Resource Guard {guard}"), Tone.ALARM)
