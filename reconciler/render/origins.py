"""Whose change it is, in words: the sections of a plan that has a base, its figures, and its verdict."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from reconciler.model.counting import count
from reconciler.plan.change import BY_TIME, Action, Change, Effect
from reconciler.plan.plan import Plan
from reconciler.plan.provenance import Base, Origin, Provenance
from reconciler.render.folding import ALARMING, noun_of

YOURS = (Origin.MINE, Origin.BOTH)
NAMES: Mapping[Origin, str] = {
    Origin.MINE: "yours",
    Origin.BOTH: "yours and drifted",
    Origin.DRIFT: "drift",
    Origin.PENDING: "pending",
}
"""In the order in which they are told."""
_UNTOLD: Mapping[Origin, str] = {
    Origin.BOTH: "yours, and drifted or never applied",
    Origin.DRIFT: "drifted or never applied",
}
"""Where nothing tells what was last applied: what the base has and Azure has not may never have been there."""
NOTES: Mapping[Origin, str] = {
    Origin.BOTH: "your change lands on what somebody has changed in Azure",
    Origin.DRIFT: "apply puts it back, apply --only mine leaves it",
    Origin.PENDING: "the next apply does it, with or without yours",
}
"""What an apply has to do with it, where that is not plain."""
_UNTOLD_NOTES: Mapping[Origin, str] = {
    Origin.BOTH: "your change lands on what is not as the base has it",
    Origin.DRIFT: "nothing tells what was last applied; apply brings it in step, apply --only mine leaves it",
}
_OUTDATED = "outdated"
"""What is pending where these policies lack what was applied: no merge that waits, but one that they take back."""
_OUTDATED_NOTE = "merge or rebase first: an apply from here takes it back"
DUE = "due"
_OTHER = "others"
_VERBS: Mapping[Action, str] = {
    Action.UNDELETE: "undeletes",
    Action.CREATE: "creates",
    Action.UPDATE: "updates",
    Action.RELEASE: "releases",
    Action.DELETE: "deletes",
}
_OF_PROTECTION: Mapping[Action, str] = {
    Action.CREATE: "protects",
    Action.UNDELETE: "brings back the protection of",
    Action.DELETE: "ends the protection of",
}
"""Where the resource is the protection of a VM: nothing happens to the VM."""
_POINTS = {Effect.DELETES: "recovery_points_deleted", Effect.PRUNES: "recovery_points_pruned"}
_LOSSES = {
    Effect.DELETES: "deletes the recovery points of {}",
    Effect.IRREVERSIBLE: "does to {} what cannot be undone",
    Effect.PRUNES: "prunes recovery points of {}",
    Effect.WEAKENS: "weakens what {} can be recovered to",
    Effect.STOPS: "stops the backups of {}",
}
_MOST_NOUNS = 3
_REF = 60
"""Characters of a ref that are shown: git allows thousands."""


@dataclass(frozen=True, slots=True)
class Row:
    """Figures of one origin: name in the tally → how many."""

    title: str
    figures: Mapping[str, int]

    @property
    def size(self) -> int:
        return sum(self.figures.values())


def told_by_origin(plan: Plan) -> bool:
    """Whether there is anything to tell apart."""
    return plan.base is not None and bool(plan.origins)


def origin_of(change: Change, plan: Plan) -> Origin | None:
    """None where nothing tells."""
    told: Provenance | None = plan.origins.get(change.address)
    return told.origin if told else None


def names(base: Base | None) -> Mapping[Origin, str]:
    """What each is called in figures and beside a change."""
    found = NAMES if base is None or base.applied else {**NAMES, **_UNTOLD}
    return {**found, Origin.PENDING: _OUTDATED} if base and base.behind else found


def notes(base: Base | None) -> Mapping[Origin, str]:
    """What is said after each title."""
    found = NOTES if base is None or base.applied else _UNTOLD_NOTES
    return {**found, Origin.PENDING: _OUTDATED_NOTE} if base and base.behind else found


def titles(base: Base) -> dict[Origin, str]:
    """The title of each section."""
    applied = f"{_applied(base)} was applied{_on(base.applied_at)}" if base.applied else ""
    against = f"this branch against {_base(base)}" if base.ref else f"these policies against {_base(base)}"
    return {
        Origin.MINE: f"Yours: {against}",
        Origin.BOTH: "Yours, and drifted in Azure" if applied else "Yours, and drifted or never applied",
        Origin.DRIFT: f"Drift: changed in Azure since {applied}"
        if applied
        else f"Drift, or never applied: not as {_base(base)} has it",
        Origin.PENDING: "Outdated: applied since, and not in these policies"
        if base.behind
        else "Pending: merged, not applied yet",
    }


def compared(base: Base | None, *, acting: bool) -> str:
    """What was compared with what, "" without a base. `acting` for a plan, else for a drift report."""
    if base is None:
        return ""
    edits = " with uncommitted edits" if base.dirty else ""
    here = f"this branch ({short(base.head)}{edits})" if base.head else "these policies"
    applied = f"last applied was {_applied(base)}{_on(base.applied_at)}" if base.applied else ""
    if acting and base.ref:
        return f"Compared {here} with {_base(base)}; {applied or 'nothing tells what was last applied'}."
    if acting or not applied:
        return f"Compared {here} with Azure; {applied or 'nothing tells what was last applied'}."
    return f"Compared Azure with what was last applied: {_applied(base)}{_on(base.applied_at)}."


def short(commit: str) -> str:
    """As git shortens it; what is no commit id stays, up to a bound."""
    return commit[:7] if re.fullmatch(r"[0-9a-f]{40,64}", commit) else commit[:_REF]


def commits(base: Base | None) -> Iterator[str]:
    """The shortened ids that a report may name and a forge may link."""
    for commit in (base.commit, base.applied, base.head) if base else ():
        if re.fullmatch(r"[0-9a-f]{7}", short(commit)):
            yield short(commit)


def rows(plan: Plan) -> tuple[Row, ...]:
    """Figures by origin, without rows of nothing; what is due has one of its own."""
    tallies: dict[str, Counter[str]] = {name: Counter() for name in (*names(plan.base).values(), _OTHER, DUE)}
    for change in plan.changes:
        creates = change.action is Action.CREATE and change.protects
        tallies[_row(change, plan)]["protect" if creates else change.action.value] += 1
    for change in plan.deferred:
        tallies[_row(change, plan)]["deferred"] += 1
    return tuple(Row(name, tally) for name, tally in tallies.items() if tally)


def counts(name: str, told: Iterable[Row], words: Mapping[str, str], rest: str) -> str:
    """The line of figures that ends a report: `Plan: yours 3 (1 to protect, 2 to update), drift 2 (...); 17 …`."""
    parts = []
    for row in told:
        figures = ", ".join(f"{row.figures[key]:,} {word}" for key, word in words.items() if row.figures[key])
        parts.append(f"{row.title} {row.size:,} ({figures})")
    return f"{name}: {', '.join(parts)}; {rest}."


def sentence(plan: Plan) -> str:
    """What the edit does, with what it costs, and what else there is: for somebody who reads one line."""
    yours = [item for item in plan.actionable if origin_of(item, plan) in YOURS and item.reason not in BY_TIME]
    stuck = sum(item.action is Action.BLOCKED and origin_of(item, plan) in YOURS for item in plan.changes)
    late = sum(origin_of(item, plan) in YOURS for item in plan.deferred)
    does = _enumerated([*_deeds(yours), *_losses(yours)]) if yours else ""
    held = [(stuck, "blocked"), (late, "put off")]
    if does:
        parts = [f"Your change {does}"]
        parts += [f"{count(number, 'more change')} of yours {_be(number)} {word}" for number, word in held if number]
    elif stuck or late:
        told = ", ".join(f"{count(number, 'change')} {_be(number)} {word}" for number, word in held if number)
        parts = [f"Your change cannot be carried out now: {told}"]
    else:
        parts = ["Your change alters nothing in Azure"]
    return "; ".join((*parts, *_others(plan, more=bool(yours)))) + "."


def _others(plan: Plan, *, more: bool) -> Iterator[str]:
    """`2 more changes are drift, 1 is pending`."""
    told: list[str] = []
    sizes = {row.title: row.size for row in rows(plan)}
    drift, pending = (names(plan.base)[origin] for origin in (Origin.DRIFT, Origin.PENDING))
    for title, word in (
        (drift, drift),
        (pending, pending),
        (_OTHER, "of another kind"),
        (DUE, "due by the clock"),
    ):
        number = sizes.get(title, 0)
        if number:
            subject = f"{number:,}" if told else count(number, "more change" if more else "change")
            told.append(f"{subject} {_be(number)} {word}")
    if told:
        yield ", ".join(told)


def _deeds(changes: Iterable[Change]) -> Iterator[str]:
    """`protects 12 VMs`, `updates 212 VMs and 1 backup policy`."""
    tally: dict[str, Counter[str]] = {}
    for change in changes:
        verbs = {**_VERBS, **_OF_PROTECTION} if change.protects else _VERBS
        tally.setdefault(verbs.get(change.action, "changes"), Counter())[noun_of(change)] += 1
    for verb in dict.fromkeys((*_OF_PROTECTION.values(), *_VERBS.values(), "changes")):
        nouns = tally.get(verb)
        if nouns and len(nouns) > _MOST_NOUNS:
            yield f"{verb} {count(nouns.total(), 'resource')}"
        elif nouns:
            yield f"{verb} {_enumerated([count(number, noun) for noun, number in nouns.most_common()])}"


def _losses(changes: list[Change]) -> Iterator[str]:
    """What it does to recoverability, the worst first; points are counted where the consequences say how many."""
    told = [(item, change) for change in changes for item in change.consequences if item.effect in ALARMING]
    for effect in ALARMING:
        found = [(item, change) for item, change in told if item.effect is effect]
        if not found:
            continue
        number = len({change.address for _, change in found})
        points = sum(item.figures.get(_POINTS.get(effect, ""), 0) for item, _ in found)
        if points:
            yield f"{effect.value} up to {count(points, 'recovery point')}"
        else:
            yield _LOSSES[effect].format(count(number, _common([change for _, change in found])))


def _common(changes: Iterable[Change]) -> str:
    nouns = {noun_of(change) for change in changes}
    return nouns.pop() if len(nouns) == 1 else "resource"


def _row(change: Change, plan: Plan) -> str:
    if change.reason in BY_TIME:
        return DUE
    origin = origin_of(change, plan)
    return names(plan.base)[origin] if origin else _OTHER


def _enumerated(parts: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join(filter(None, (", ".join(parts[:-1]), *parts[-1:])))


def _be(number: int) -> str:
    return "is" if number == 1 else "are"


def _base(base: Base) -> str:
    """`origin/main (1a2b3c4)`, or what was last applied."""
    if base.ref:
        return f"{base.ref[:_REF]} ({short(base.commit)})" if base.commit else base.ref[:_REF]
    return (
        f"what was last applied ({short(base.applied or base.commit)})" if base.applied or base.commit else "the base"
    )


def _applied(base: Base) -> str:
    """The commit; of a work tree that had changes of its own, that alone does not tell what was applied."""
    return f"{short(base.applied)} with changes" if base.applied_dirty else short(base.applied)


def _on(moment: datetime | None) -> str:
    return f" on {moment:%Y-%m-%d %H:%M} UTC" if moment else ""
