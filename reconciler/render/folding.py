"""Changes that are the same but for the resource become one group: 212 VMs on another policy are one line."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from datetime import timedelta

import msgspec

from reconciler.model.counting import count
from reconciler.model.duration import format_age
from reconciler.plan.change import Action, Change, Consequence, Effect
from reconciler.plan.plan import Plan
from reconciler.plan.provenance import LastWrites, Origin, Provenance

ALARMING = (Effect.DELETES, Effect.IRREVERSIBLE, Effect.PRUNES, Effect.WEAKENS, Effect.STOPS)
"""Effects that are shown before everything else, the worst first."""

GIB = "gib_at_most"
"""The figure of consequences that is summed up over a group, inside its sentence."""
POINTS = "recovery_points_pruned"
"""The figure that is told of the whole group after its sentence, which speaks of one resource."""
AGE = "newest_recovery_point_seconds"
"""The figure that is told from the youngest to the oldest of a group, inside its sentence."""


@dataclass(frozen=True, slots=True)
class Group:
    """Changes that are the same but for the resource. `first` stands for all of them.

    `provenance` says where they come from, None where nothing tells; `writes` who wrote to them last, one for each
    change that it was asked of.
    """

    changes: tuple[Change, ...]
    sentence: str
    provenance: Provenance | None = None
    writes: tuple[LastWrites, ...] = ()

    @property
    def first(self) -> Change:
        return self.changes[0]

    @property
    def origin(self) -> Origin | None:
        return self.provenance.origin if self.provenance else None

    @property
    def subject(self) -> str:
        """`212 VMs`, `10 backup policies daily-30d` where all are called alike, or the address of the one."""
        change = self.first
        if len(self.changes) == 1:
            return change.address
        names = {item.address.rpartition("/")[2] for item in self.changes}
        called = f" {names.pop()}" if len(names) == 1 else ""
        return f"{count(len(self.changes), noun_of(change))}{called}"


def noun_of(change: Change) -> str:
    """What it is, in one word for counting."""
    return "VM" if change.protects else change.title or change.kind


def fold(changes: Iterable[Change], plan: Plan, sentence: Callable[[Change], str]) -> tuple[Group, ...]:
    """In the order of the first of each group. What is told of a change beside it is taken from the plan."""
    folded: dict[tuple[Hashable, Provenance | None], list[Change]] = {}
    for change in changes:
        folded.setdefault((_likeness(change), plan.origins.get(change.address)), []).append(change)
    return tuple(
        Group(
            tuple(group),
            sentence(group[0]),
            provenance,
            tuple(plan.last_writes[item.address] for item in group if item.address in plan.last_writes),
        )
        for (_, provenance), group in folded.items()
    )


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
        [(item.effect, without_figures(item)) for item in change.consequences],
        [(step.verb, step.needs_approval) for step in change.steps],
    )
    return msgspec.json.encode(shown, order="deterministic")


def _said(change: Change) -> bool:
    """Whether the sentence says all that is told of it: of what goes, of what is new and summarised, and of what is
    blocked and would be all new."""
    blocked = change.action is Action.BLOCKED and change.before is None and not change.details
    return change.action is Action.DELETE or (bool(change.summary) and (change.action is Action.CREATE or blocked))


def size_of(consequence: Consequence) -> str:
    """How its sentence spells the GiB that it takes at most, "" where it has no such figure."""
    return f"{consequence.figures[GIB]:,} GiB" if GIB in consequence.figures else ""


def age_of(consequence: Consequence) -> str:
    """How its sentence spells how old the newest recovery point is, "" where it has no such figure."""
    return _aged(consequence.figures[AGE]) if AGE in consequence.figures else ""


def _aged(seconds: int) -> str:
    return f"is {format_age(timedelta(seconds=seconds))} old"


def without_figures(consequence: Consequence) -> str:
    """Its sentence without that size and age: disks of all sizes are one group, which tells the sum; so are VMs that
    were backed up one after the other."""
    size, age = size_of(consequence), age_of(consequence)
    text = consequence.text.replace(size, "GiB") if size else consequence.text
    return text.replace(age, "old") if age else text


def summed(group: Group, consequence: Consequence) -> str:
    """The sentence of a folded group: the size that one resource takes at most becomes that of all of them, an age that
    of the youngest and the oldest, and points that each of them loses are told in all, too."""
    size, age = size_of(consequence), age_of(consequence)
    points = POINTS in consequence.figures
    if len(group.changes) == 1 or not (size or age or points):
        return consequence.text
    alike = (consequence.effect, without_figures(consequence))
    every = [item for change in group.changes for item in change.consequences]
    same = [item for item in every if (item.effect, without_figures(item)) == alike]
    text = consequence.text
    if size:
        total = f"{sum(item.figures.get(GIB, 0) for item in same):,} GiB"
        text = text.replace(size, f"{total} in all") if size in text else f"{text}; {total} at most in all"
    if age:
        ages = [item.figures[AGE] for item in same if AGE in item.figures]
        youngest, oldest = _aged(min(ages)), _aged(max(ages))
        if youngest != oldest:
            span = f"of each {youngest.removesuffix(' old')} to {oldest.removeprefix('is ')}"
            text = text.replace(age, span)
    if points:
        lost = sum(item.figures.get(POINTS, 0) for item in same)
        text = f"{text} (all {len(group.changes):,} together: {lost:,})" if lost > len(group.changes) else text
    return text
