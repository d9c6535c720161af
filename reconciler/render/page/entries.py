"""The sections of a report as a page shows them: every group to open, every resource in it to find."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from reconciler.model.address import Address
from reconciler.plan.change import Change, Detail, Effect
from reconciler.plan.plan import Plan, Refusal
from reconciler.plan.provenance import LastWrites
from reconciler.render.folding import ALARMING, Group
from reconciler.render.lines import (
    ALL,
    Line,
    heading,
    notice_lines,
    refusal_lines,
    story_lines,
    whose,
    write_lines,
)
from reconciler.render.origins import names
from reconciler.render.page.machines import Estate, Vm
from reconciler.render.style import Tone
from reconciler.render.view import Notice, Section
from reconciler.render.wording import Wording

EFFECTS = {
    Effect.DELETES: "deletes recovery points",
    Effect.IRREVERSIBLE: "cannot be undone",
    Effect.PRUNES: "prunes recovery points",
    Effect.WEAKENS: "protects less",
    Effect.STOPS: "stops backups",
    Effect.SEEDS: "copies data",
    Effect.STRENGTHENS: "protects more",
}
"""The worst first, as they are to be chosen from."""
_DIFFERENCES = ("+", "-", "~")


@dataclass(frozen=True, slots=True)
class Marks:
    """What something can be filtered by. Each holds one word or several; none has a space in it."""

    action: tuple[str, ...] = ()
    origin: tuple[str, ...] = ()
    effect: tuple[str, ...] = ()
    region: tuple[str, ...] = ()
    subscription: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """One resource of a group. `own` are differences that the others of the group do not have."""

    anchor: str
    address: str
    arm_id: str
    vm: Vm | None
    marks: Marks
    tags: str
    own: tuple[str, ...]
    last_writes: LastWrites | None


@dataclass(frozen=True, slots=True)
class Entry:
    """Changes that are the same but for the resource: one line to open."""

    anchor: str
    symbol: str
    action: str
    subject: str
    """What the sentence begins with where it is one resource: its address; else ""."""
    sentence: str
    effect: str
    alarming: bool
    origin: str
    lines: tuple[Line, ...]
    details: tuple[tuple[Detail, str], ...]
    """Each difference, and whose it is."""
    rows: tuple[Row, ...]
    author: str = ""
    """Who wrote last to all of them; "" where that was not one alone, or nobody knows."""


@dataclass(frozen=True, slots=True)
class Told:
    """Findings of one code, or a guard that refuses."""

    severity: str
    """Its severity, or `refused`."""
    lines: tuple[Line, ...]
    addresses: tuple[str, ...]
    marks: Marks


@dataclass(frozen=True, slots=True)
class Chapter:
    """A section of the page."""

    anchor: str
    title: str
    note: str
    size: int
    entries: tuple[Entry, ...]
    told: tuple[Told, ...]

    @property
    def mixed(self) -> bool:
        """Whether its title leaves open where the changes come from."""
        return len({entry.origin for entry in self.entries}) > 1


class Pages:
    """Makes the chapters of one report; anchors are counted through the whole of it."""

    def __init__(self, plan: Plan, wording: Wording, estate: Estate) -> None:
        self._plan = plan
        self._wording = wording
        self._estate = estate
        self._anchors = estate.anchors

    def chapter(self, number: int, section: Section) -> Chapter:
        notices = (self._told(notice) for notice in section.notices)
        return Chapter(
            anchor=f"s-{number}",
            title=section.title,
            note=section.note,
            size=section.size,
            entries=tuple(self._entry(group) for group in section.groups),
            told=(*map(_refused, section.refusals), *notices),
        )

    def _entry(self, group: Group) -> Entry:
        first, head = group.first, heading(group, self._wording)
        subject = first.address if len(group.changes) == 1 and head.text.startswith(first.address) else ""
        common = _common(group.changes)
        rows = tuple(self._row(change, common) for change in group.changes)
        lines = [line for line in story_lines(group, self._wording) if not _is_difference(line)]
        return Entry(
            anchor=self._estate.place_of(first),
            symbol=head.symbol,
            action=first.action.value,
            subject=subject,
            sentence=head.text[len(subject) :].strip(),
            effect=EFFECTS.get(first.effect, ""),
            alarming=first.effect in ALARMING,
            origin=names(self._plan.base)[group.origin] if group.origin else "",
            lines=(*lines, *(write_lines(group) if len(rows) > 1 else ())),
            details=tuple((detail, whose(detail, group)) for detail in common),
            rows=rows,
            author=_author(rows),
        )

    def _row(self, change: Change, common: Sequence[Detail]) -> Row:
        vm = self._estate.vm_of(change)
        machine = self._estate.machine_of(change)
        return Row(
            anchor=self._anchors[id(change)],
            address=change.address,
            arm_id=change.arm_id,
            vm=vm,
            marks=marks_of((change,), self._plan, machine.location if machine else ""),
            tags=" ".join(f"{name}={text}" for name, text in machine.tags.items()) if machine else "",
            own=tuple(self._wording.line(detail) for detail in change.details if detail not in common),
            last_writes=self._plan.last_writes.get(change.address),
        )

    def _told(self, notice: Notice) -> Told:
        found = tuple(address for told in notice.told for address in told.addresses)
        first = notice.told[0].finding
        marks = Marks(subscription=_words(subscription_of(address) for address in found))
        return Told(first.severity.value, tuple(notice_lines(notice, ALL)), found, marks)


def _refused(refusal: Refusal) -> Told:
    return Told("refused", tuple(refusal_lines(refusal, ALL)), refusal.addresses, Marks())


def marks_of(changes: Sequence[Change], plan: Plan, region: str = "") -> Marks:
    """What these can be found by."""
    origins = (plan.origins[change.address].origin for change in changes if change.address in plan.origins)
    return Marks(
        action=_words(change.action.value for change in changes),
        origin=_words(origin.value for origin in origins),
        effect=_words(change.effect.value for change in changes),
        region=_words([region]),
        subscription=_words(subscription_of(change.address) for change in changes),
    )


def subscription_of(address: str) -> str:
    """The alias of the subscription that it lies in, "" for what is no address."""
    try:
        return Address.parse(address).subscription
    except ValueError:
        return ""


def _common(changes: Sequence[Change]) -> tuple[Detail, ...]:
    """The differences that all of them have."""
    first, *others = changes
    return tuple(detail for detail in first.details if all(detail in other.details for other in others))


def _author(rows: Sequence[Row]) -> str:
    found = {row.last_writes.writes[0].caller if row.last_writes and row.last_writes.writes else "" for row in rows}
    return found.pop() if len(found) == 1 else ""


def _is_difference(line: Line) -> bool:
    """Those stand in a table of the page."""
    return line.symbol in _DIFFERENCES and line.tone in (Tone.GOOD, Tone.BAD, Tone.CHANGE)


def _words(words: Iterable[str]) -> tuple[str, ...]:
    """Each once, with nothing in it that would part it."""
    return tuple(dict.fromkeys("_".join(word.split()) for word in words if word))
