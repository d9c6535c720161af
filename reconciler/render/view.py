"""One walk of a plan → what every format shows: the same sections, the same sentences, the same figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass

import msgspec

from reconciler.model.counting import count
from reconciler.plan.change import BY_TIME, Action, Change, Consequence, Effect
from reconciler.plan.finding import Finding, Severity
from reconciler.plan.plan import Plan, Refusal
from reconciler.render.wording import Wording

ALARMING = (Effect.DELETES, Effect.IRREVERSIBLE, Effect.PRUNES, Effect.WEAKENS, Effect.STOPS)
"""Effects that are shown before everything else, the worst first."""

GIB = "gib_at_most"
"""The figure of consequences that is summed up over a group."""
_LEFT = (Action.RELEASE, Action.DELETE)
ORDER = (Action.UNDELETE, Action.CREATE, Action.UPDATE, Action.RELEASE, Action.DELETE)


@dataclass(frozen=True, slots=True)
class Group:
    """Changes that are the same but for the resource. `first` stands for all of them."""

    changes: tuple[Change, ...]
    sentence: str

    @property
    def first(self) -> Change:
        return self.changes[0]


@dataclass(frozen=True, slots=True)
class Told:
    """A finding, and every resource that it was found of in the same words."""

    finding: Finding
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Notice:
    """Findings of one code that end in the same advice. Never empty."""

    told: tuple[Told, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A chapter of the report: groups of changes, or notices, or refusals. Never empty."""

    title: str
    note: str = ""
    groups: tuple[Group, ...] = ()
    notices: tuple[Notice, ...] = ()
    refusals: tuple[Refusal, ...] = ()

    @property
    def size(self) -> int:
        """How many resources and findings it tells of."""
        changes = sum(len(group.changes) for group in self.groups)
        found = sum(max(1, len(told.addresses)) for notice in self.notices for told in notice.told)
        return changes + found + len(self.refusals)


@dataclass(frozen=True, slots=True)
class View:
    """`verdict` is the sentence that somebody reads who reads only one; `counts` the line of figures, "" for none, and
    `figures` the same as words and numbers; `advice` are commands to go on with; `hidden` tells of the notes that are
    left out; `calm` is True where nothing needs anybody's attention."""

    verdict: str
    counts: str
    figures: tuple[tuple[str, int], ...]
    advice: tuple[str, ...]
    hidden: str
    sections: tuple[Section, ...]
    calm: bool


def view(plan: Plan, wording: Wording, *, verbose: bool = False) -> View:
    """The plan in the order in which it should be read: what stops it, what it destroys, what it does, what else.

    Notes about the policies alone are shown only where `verbose`.
    """
    notes = [item for item in plan.findings if not verbose and _only_of_policies(item)]
    unread, *chapters = _chapters(item for item in plan.findings if verbose or not _only_of_policies(item))
    sections = [
        Section(wording.errors, wording.errors_note, notices=_notices(plan.errors)),
        unread,
        Section(wording.refused, wording.refused_note, refusals=plan.refusals if wording.acting else ()),
        Section(wording.blocked, groups=_groups(plan.blocked, wording.sentence)),
        *_sections([item for item in plan.actionable if not wording.due or item.reason not in BY_TIME], wording),
        Section(wording.due, groups=_groups(_in_order(plan.due) if wording.due else (), wording.sentence)),
        Section(wording.deferred, groups=_groups(plan.deferred, wording.put_off)),
        *chapters,
    ]
    tally = _tally(plan, wording)
    figures = ((word, tally[name]) for name, word in wording.figures.items() if tally[name])
    return View(
        verdict=wording.verdict(plan, tally),
        counts="" if plan.empty else wording.counts(plan, tally),
        figures=(*figures, (wording.rest, plan.unchanged)),
        advice=wording.advice(plan),
        hidden=_hidden(notes),
        sections=tuple(section for section in sections if section.size),
        calm=wording.in_step(plan) and plan.complete and not plan.errors,
    )


def _sections(changes: Iterable[Change], wording: Wording) -> list[Section]:
    """What the changes do, the alarming first; for drift: what Azure does less than declared, and then what it does
    more."""
    alarming: list[Change] = []
    weaker: list[Change] = []
    quiet: list[Change] = []
    for change in _in_order(changes):
        if change.effect in ALARMING:
            alarming.append(change)
        elif wording.weaker and change.action not in _LEFT and (change.protects or change.effect is Effect.STRENGTHENS):
            weaker.append(change)
        else:
            quiet.append(change)
    alarming.sort(key=lambda change: ALARMING.index(change.effect))
    titled = [(wording.alarming, alarming), (wording.weaker, weaker), (wording.changes, quiet)]
    if wording.weaker:
        titled = [*titled[1:], titled[0]]
    return [Section(title, groups=_groups(changes, wording.sentence)) for title, changes in titled]


def _in_order(changes: Iterable[Change]) -> list[Change]:
    return sorted(changes, key=lambda change: ORDER.index(change.action))


def _only_of_policies(finding: Finding) -> bool:
    return chapter(finding) == "notes" and finding.source is not None and not finding.address


def _hidden(notes: Sequence[Finding]) -> str:
    if not notes:
        return ""
    codes = ", ".join(sorted({note.code for note in notes}))
    return f"{count(len(notes), 'note')} on the policies ({codes}) not shown: plan --verbose shows them"


def _groups(changes: Iterable[Change], sentence: Callable[[Change], str]) -> tuple[Group, ...]:
    folded: dict[Hashable, list[Change]] = {}
    for change in changes:
        folded.setdefault(_likeness(change), []).append(change)
    return tuple(Group(tuple(group), sentence(group[0])) for group in folded.values())


def _likeness(change: Change) -> Hashable:
    """Equal for changes that a reader need not tell apart."""
    shown = (
        change.kind,
        change.action,
        change.reason,
        change.why,
        change.manual,
        change.source,
        change.summary,
        () if _said(change) else change.details or change.fields or change.after,
        [(item.effect, sizeless(item)) for item in change.consequences],
        [(step.verb, step.needs_approval) for step in change.steps],
    )
    return msgspec.json.encode(shown, order="deterministic")


def size_of(consequence: Consequence) -> str:
    """How its sentence spells the GiB that it takes at most, "" where it has no such figure."""
    return f"{consequence.figures[GIB]:,} GiB" if GIB in consequence.figures else ""


def sizeless(consequence: Consequence) -> str:
    """Its sentence without that size: disks of all sizes are one group, which tells the sum."""
    size = size_of(consequence)
    return consequence.text.replace(size, "GiB") if size else consequence.text


def _said(change: Change) -> bool:
    """Whether the sentence says all that is told of it: of what goes, of what is new and summarised, and of what is
    blocked and would be all new."""
    blocked = change.action is Action.BLOCKED and change.before is None and not change.details
    return change.action is Action.DELETE or (bool(change.summary) and (change.action is Action.CREATE or blocked))


def _chapters(findings: Iterable[Finding]) -> list[Section]:
    titles = {
        "unreadable": "Could not be read: what lies behind it is unknown, and left alone",
        "objectives": "Objectives missed",
        "uncovered": "Uncovered: no policy speaks of these VMs",
        "unmanaged": "Unmanaged: in Azure, in no policy",
        "warnings": "Warnings",
        "notes": "Notes",
    }
    chapters: dict[str, list[Finding]] = {name: [] for name in titles}
    for finding in findings:
        if finding.severity is not Severity.ERROR:
            chapters[chapter(finding)].append(finding)
    return [Section(titles[name], notices=_notices(found)) for name, found in chapters.items()]


def chapter(finding: Finding) -> str:
    """Where a finding that is no error is told."""
    if finding.topic in ("objectives", "unmanaged"):
        return finding.topic
    if finding.code in ("uncovered", "unreadable"):
        return finding.code
    return "notes" if finding.severity is Severity.INFO else "warnings"


def _notices(findings: Iterable[Finding]) -> tuple[Notice, ...]:
    notices: dict[Hashable, dict[Hashable, list[Finding]]] = {}
    for item in findings:
        same = notices.setdefault((item.code, item.severity, item.advice), {})
        same.setdefault((item.message, item.source), []).append(item)
    return tuple(
        Notice(tuple(Told(group[0], tuple(item.address for item in group if item.address)) for group in same.values()))
        for same in notices.values()
    )


def _tally(plan: Plan, wording: Wording) -> Counter[str]:
    """Numbers by name: the actions (with `protect` for new protection of a VM, and `due` where the wording tells that
    apart), `deferred`, and the chapters."""
    tally: Counter[str] = Counter()
    for change in plan.changes:
        creates = change.action is Action.CREATE and change.protects
        due = wording.due and change.reason in BY_TIME
        tally["due" if due else "protect" if creates else change.action.value] += 1
    tally["deferred"] = len(plan.deferred)
    tally.update(chapter(item) for item in plan.findings if item.severity is not Severity.ERROR)
    told = (Severity.WARNING, "failed-over")
    tally["failed-over"] = sum((item.severity, item.code) == told for item in plan.findings)
    return tally
