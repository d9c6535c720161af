"""One walk of a plan → what every format shows: the same sections, the same sentences, the same figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from reconciler.model.counting import count
from reconciler.plan.change import BY_TIME, Action, Change, Effect
from reconciler.plan.finding import Finding, Severity
from reconciler.plan.plan import Plan, Refusal
from reconciler.plan.provenance import Origin
from reconciler.render import origins
from reconciler.render.folding import ALARMING, Group, fold, summed
from reconciler.render.wording import Wording

_LEFT = (Action.RELEASE, Action.DELETE)
_MOST_REASONS = 3
ORDER = (Action.UNDELETE, Action.CREATE, Action.UPDATE, Action.RELEASE, Action.DELETE)


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
class Alarm:
    """A group that touches what can be recovered: what it does to that, the worst first, and what the section is called
    in which it stands."""

    group: Group
    losses: tuple[str, ...]
    place: str


@dataclass(frozen=True, slots=True)
class View:
    """`verdict` is the sentence that somebody reads who reads only one; `counts` the line of figures, "" for none, and
    `figures` the same as words and numbers; `advice` are commands to go on with; `hidden` tells of the notes that are
    left out; `calm` is True where nothing needs anybody's attention.

    `unknown` says of what drifted why the log does not tell who changed it, each reason once.

    With a base, `compared` says what was compared with what, `rows` are the figures by origin (the words are those of
    `Wording.figures`), and `alarms` what has to be read before the sections.
    """

    verdict: str
    counts: str
    figures: tuple[tuple[str, int], ...]
    advice: tuple[str, ...]
    hidden: str
    sections: tuple[Section, ...]
    calm: bool
    compared: str = ""
    unknown: tuple[str, ...] = ()
    rows: tuple[origins.Row, ...] = ()
    alarms: tuple[Alarm, ...] = ()


def view(plan: Plan, wording: Wording, *, verbose: bool = False) -> View:
    """The plan in the order in which it should be read: what stops it, what it destroys, what it does, what else.

    Notes about the policies alone are shown only where `verbose`.
    """
    notes = [item for item in plan.findings if not verbose and _only_of_policies(item)]
    unread, *chapters = _chapters(item for item in plan.findings if verbose or not _only_of_policies(item))
    apart = wording.acting and origins.told_by_origin(plan)
    body = _by_origin(plan, wording) if apart else _by_alarm(plan, wording)
    sections = [
        Section(wording.errors, wording.errors_note, notices=_notices(plan.errors)),
        unread,
        Section(wording.refused, wording.refused_note, refusals=plan.refusals if wording.acting else ()),
        Section(wording.blocked, groups=fold(plan.blocked, plan, _owned(plan, wording.sentence, apart=apart))),
        *(section for _, section in body),
        Section(wording.deferred, groups=fold(plan.deferred, plan, _owned(plan, wording.put_off, apart=apart))),
        *chapters,
    ]
    tally = _tally(plan, wording)
    rows = origins.rows(plan) if apart else ()
    return View(
        verdict=wording.verdict_by_origin(plan, tally) if apart else wording.verdict(plan, tally),
        counts=_counts(plan, wording, tally, rows),
        figures=(
            *((word, tally[name]) for name, word in wording.figures.items() if tally[name]),
            (wording.rest, plan.unchanged),
        ),
        advice=wording.advice(plan),
        hidden=_hidden(notes),
        sections=tuple(section for section in sections if section.size),
        calm=wording.in_step(plan) and plan.complete and not plan.errors,
        compared=origins.compared(plan.base, acting=wording.acting),
        unknown=tuple(_unknown(plan)),
        rows=rows,
        alarms=tuple(_alarms(body)) if apart else (),
    )


def _unknown(plan: Plan) -> Iterator[str]:
    reasons = Counter(item.missing for item in plan.last_writes.values() if item.missing)
    for reason, number in reasons.most_common(_MOST_REASONS):
        yield f"Who changed {count(number, 'resource')} is not known: {reason}"
    if len(reasons) > _MOST_REASONS:
        yield f"Who changed {count(sum(reasons.values()), 'resource')} in all is not known, for other reasons as well"


def _owned(plan: Plan, sentence: Callable[[Change], str], *, apart: bool) -> Callable[[Change], str]:
    """The sentence, and whose it is: for sections that hold changes of every origin."""

    def told(change: Change) -> str:
        origin = origins.origin_of(change, plan) if apart else None
        return f"{sentence(change)} ({origins.names(plan.base)[origin]})" if origin else sentence(change)

    return told


def _counts(plan: Plan, wording: Wording, tally: Counter[str], rows: tuple[origins.Row, ...]) -> str:
    if plan.empty:
        return ""
    if rows:
        return origins.counts(wording.name, rows, wording.figures, f"{plan.unchanged:,} {wording.rest}")
    return wording.counts(plan, tally)


def _by_origin(plan: Plan, wording: Wording) -> list[tuple[str, Section]]:
    """A section for each origin, the alarming first in each, and its short name."""
    assert plan.base is not None
    titles, notes = origins.titles(plan.base), origins.notes(plan.base)
    timeless = [item for item in _alarming_first(plan.actionable) if item.reason not in BY_TIME]
    due = [item for item in _alarming_first(plan.actionable) if item.reason in BY_TIME]
    untold = [item for item in timeless if item.address not in plan.origins]
    named = [
        (name, titles[origin], notes.get(origin, ""), _of(origin, timeless, plan))
        for origin, name in origins.names(plan.base).items()
    ]
    named += [("others", "Other changes", "", untold), (origins.DUE, "Due by the clock", "", due)]
    return [
        (name, Section(title, note, groups=fold(changes, plan, wording.sentence)))
        for name, title, note, changes in named
    ]


def _of(origin: Origin, changes: Iterable[Change], plan: Plan) -> list[Change]:
    return [item for item in changes if origins.origin_of(item, plan) is origin]


def _alarms(body: Iterable[tuple[str, Section]]) -> Iterator[Alarm]:
    """Across the sections, the worst first."""
    found = [(group, name) for name, section in body for group in section.groups if group.first.effect in ALARMING]
    for group, name in sorted(found, key=lambda item: ALARMING.index(item[0].first.effect)):
        losses = [item for item in group.first.consequences if item.effect in ALARMING]
        losses.sort(key=lambda item: ALARMING.index(item.effect))
        yield Alarm(group, tuple(summed(group, item) for item in losses), name)


def _by_alarm(plan: Plan, wording: Wording) -> list[tuple[str, Section]]:
    """What the changes do, the alarming first; for drift: what Azure does less than declared, and then what it does
    more. What is due may have a section of its own."""
    timeless = [item for item in plan.actionable if not wording.due or item.reason not in BY_TIME]
    due = _in_order(item for item in plan.due if item.action is not Action.BLOCKED) if wording.due else []
    sections = [*_sections(timeless, plan, wording), Section(wording.due, groups=fold(due, plan, wording.sentence))]
    return [("", section) for section in sections]


def _sections(changes: Iterable[Change], plan: Plan, wording: Wording) -> list[Section]:
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
    return [Section(title, groups=fold(changes, plan, wording.sentence)) for title, changes in titled]


def _alarming_first(changes: Iterable[Change]) -> list[Change]:
    worst = {effect: number for number, effect in enumerate(ALARMING)}
    return sorted(_in_order(changes), key=lambda change: worst.get(change.effect, len(worst)))


def _in_order(changes: Iterable[Change]) -> list[Change]:
    places = {action: number for number, action in enumerate(ORDER)}
    return sorted(changes, key=lambda change: places.get(change.action, len(places)))


def _only_of_policies(finding: Finding) -> bool:
    return chapter(finding) == "notes" and finding.source is not None and not finding.address


def _hidden(notes: Sequence[Finding]) -> str:
    if not notes:
        return ""
    codes = ", ".join(sorted({note.code for note in notes}))
    return f"{count(len(notes), 'note')} on the policies ({codes}) not shown: plan --verbose shows them"


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
