"""What it means for the backups of VMs when one set of policy terms takes the place of another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from reconciler.model.counting import count
from reconciler.model.recovery_points import pruned
from reconciler.model.retention import PolicyTerms, TermChange, increases, reductions
from reconciler.plan.change import Consequence, Effect


def term_consequences(
    before: PolicyTerms, after: PolicyTerms, machines: int | None, today: date
) -> Iterator[Consequence]:
    """What changes for so many VMs, or (None) for the one that the change is of.

    VMs protected for a short time hold fewer points: the figures are "up to".
    """
    number = 1 if machines is None else machines
    whom = "" if machines is None else f" for {count(machines, 'VM')}"
    less, more = reductions(before, after), increases(before, after)
    each = pruned(before, after, today)
    causes = [item for item in less if _prunes(item, before)] if each else []
    if each:
        yield Consequence(
            effect=Effect.PRUNES,
            text=f"prunes up to {count(each, 'recovery point')}{_of(number, each)} within a day: "
            + (_list(causes) or "the new policy keeps those of other days for long"),
            figures={
                "virtual_machines": number,
                "recovery_points_pruned_each": each,
                "recovery_points_pruned": each * number,
            },
        )
    weaker = [item for item in less if item not in causes]
    if weaker:
        yield Consequence(
            effect=Effect.WEAKENS,
            text=f"promises less{whom}: {_list(weaker)}",
            figures={"virtual_machines": number},
        )
    yield from _harder_restores(before, after)
    if more:
        yield Consequence(
            effect=Effect.STRENGTHENS,
            text=f"promises more{whom}: {_list(more)}",
            figures={"virtual_machines": number},
        )


def weaker_promises(before: PolicyTerms, after: PolicyTerms) -> Iterator[Consequence]:
    """In what new backups promise less than those of now, where the points that are there stay as they are."""
    less = reductions(before, after)
    if less:
        yield Consequence(effect=Effect.WEAKENS, text=f"new recovery points promise less: {_list(less)}")
    yield from _harder_restores(before, after)


def _harder_restores(before: PolicyTerms, after: PolicyTerms) -> Iterator[Consequence]:
    if after.crash_consistent and not before.crash_consistent:
        yield Consequence(
            effect=Effect.WEAKENS,
            text="new recovery points are no longer application-consistent: programs recover as after a power cut",
        )
    if after.archives and not before.archives:
        yield Consequence(
            effect=Effect.WEAKENS,
            text="old monthly and yearly points move to the archive tier and never back: restoring one takes hours, "
            "without single files or the paired region, and it is billed for 180 days at least (BP-29)",
        )


def _prunes(change: TermChange, before: PolicyTerms) -> bool:
    """Fewer days of instant restore take points away only where several are made a day: the others are in the vault."""
    if change.tier == "instantRestore":
        return before.schedule.starts_per_day > 1
    return change.of_retention


def _list(changes: Iterable[TermChange]) -> str:
    return ", ".join(str(change) for change in changes)


def _of(machines: int, each: int) -> str:
    if machines == 1:
        return ""
    return f" of each of {machines:,} VMs ({each * machines:,} in all)"
