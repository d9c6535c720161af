"""What it means for the backups of VMs when one set of policy terms takes the place of another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from reconciler.model.recovery_points import pruned
from reconciler.model.retention import PolicyTerms, TermChange, increases, reductions
from reconciler.plan.change import Consequence, Effect


def term_consequences(before: PolicyTerms, after: PolicyTerms, machines: int, today: date) -> Iterator[Consequence]:
    """What changes for `machines` VMs. VMs protected for a short time hold fewer points: the figures are "up to"."""
    less, more = reductions(before, after), increases(before, after)
    each = pruned(before, after, today)
    causes = [item for item in less if _prunes(item, before)] if each else []
    if each:
        yield Consequence(
            effect=Effect.PRUNES,
            text=f"prunes up to {_count(each, 'recovery point')}{_of(machines, each)} within a day: "
            + (_list(causes) or "the new policy keeps those of other days for long"),
            figures={
                "virtual_machines": machines,
                "recovery_points_pruned_each": each,
                "recovery_points_pruned": each * machines,
            },
        )
    weaker = [item for item in less if item not in causes]
    if weaker:
        yield Consequence(
            effect=Effect.WEAKENS,
            text=f"promises less for {_count(machines, 'VM')}: {_list(weaker)}",
            figures={"virtual_machines": machines},
        )
    if more:
        yield Consequence(
            effect=Effect.STRENGTHENS,
            text=f"promises more for {_count(machines, 'VM')}: {_list(more)}",
            figures={"virtual_machines": machines},
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


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
