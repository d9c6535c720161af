"""One walk of a plan → what every format shows: the same sections, the same sentences, the same figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass

import msgspec

from reconciler.plan.change import Action, Change, Effect
from reconciler.plan.finding import Finding, Severity
from reconciler.plan.plan import Plan, Refusal
from reconciler.render.wording import Wording

ALARMING = (Effect.DELETES, Effect.IRREVERSIBLE, Effect.PRUNES, Effect.WEAKENS, Effect.STOPS)
"""Effects that are shown before everything else, the worst first."""

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
class Notice:
    """A finding, and every resource that it was found of."""

    finding: Finding
    addresses: tuple[str, ...]


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
        return changes + sum(max(1, len(notice.addresses)) for notice in self.notices) + len(self.refusals)


@dataclass(frozen=True, slots=True)
class View:
    """`verdict` is the sentence that somebody reads who reads only one; `counts` the line of figures, "" for none;
    `calm` is True where nothing needs anybody's attention."""

    verdict: str
    counts: str
    sections: tuple[Section, ...]
    calm: bool


def view(plan: Plan, wording: Wording) -> View:
    """The plan in the order in which it should be read: what stops it, what it destroys, what it does, what else."""
    alarming = [change for change in plan.actionable if change.effect in ALARMING]
    alarming.sort(key=lambda change: ALARMING.index(change.effect))
    quiet = [change for change in plan.actionable if change.effect not in ALARMING]
    quiet.sort(key=lambda change: ORDER.index(change.action))
    sections = [
        Section(wording.errors, wording.errors_note, notices=_notices(plan.errors)),
        Section(wording.refused, wording.refused_note, refusals=plan.refusals if wording.guarded else ()),
        Section(wording.blocked, groups=_groups(plan.blocked, wording.sentence)),
        Section(wording.alarming, groups=_groups(alarming, wording.sentence)),
        Section(wording.changes, groups=_groups(quiet, wording.sentence)),
        Section(wording.deferred, groups=_groups(plan.deferred, wording.put_off)),
        *_chapters(plan.findings),
    ]
    return View(
        verdict=wording.verdict(plan),
        counts="" if plan.empty else wording.counts(plan, _tally(plan)),
        sections=tuple(section for section in sections if section.size),
        calm=plan.empty and plan.complete and not plan.errors,
    )


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
        change.fields or change.after,
        [(item.effect, item.text) for item in change.consequences],
        [(step.verb, step.needs_approval) for step in change.steps],
    )
    return msgspec.json.encode(shown, order="deterministic")


def _chapters(findings: Iterable[Finding]) -> list[Section]:
    titles = {
        "objectives": "Objectives missed",
        "uncovered": "Uncovered: no policy speaks of these VMs",
        "unmanaged": "Unmanaged: in Azure, and no policy asks for it",
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
    if finding.code == "uncovered":
        return "uncovered"
    return "notes" if finding.severity is Severity.INFO else "warnings"


def _notices(findings: Iterable[Finding]) -> tuple[Notice, ...]:
    folded: dict[Hashable, list[Finding]] = {}
    for item in findings:
        folded.setdefault((item.code, item.severity, item.message, item.advice, item.source), []).append(item)
    return tuple(Notice(group[0], tuple(item.address for item in group if item.address)) for group in folded.values())


def _tally(plan: Plan) -> Counter[str]:
    """Numbers by name: the actions (with `protect` for new protection of a VM), `deferred`, and the chapters."""
    tally: Counter[str] = Counter()
    for change in plan.changes:
        creates = change.action is Action.CREATE and change.protects
        tally["protect" if creates else change.action.value] += 1
    tally["deferred"] = len(plan.deferred)
    tally.update(chapter(item) for item in plan.findings if item.severity is not Severity.ERROR)
    return tally
