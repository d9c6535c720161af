"""Small named refusals. Each says what it saw, with figures, and is lifted by its code, never all at once.

`GUARDS` is the table that the README shows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import msgspec

from reconciler.diff.lanes import by_lane, name_of, per_machine, population
from reconciler.kinds.base import Kind, Situation
from reconciler.model.address import Address
from reconciler.model.counting import count
from reconciler.model.frozen import frozen
from reconciler.model.scope import Share
from reconciler.plan.change import BY_TIME, Action, Change, Effect, Reason
from reconciler.plan.plan import Plan, Refusal

POINTS = ("recovery_points_pruned", "recovery_points_deleted")
"""The figures of consequences that count the recovery points which a change takes away, of all its VMs together."""
LETTING_GO = (Action.RELEASE, Action.DELETE)


@dataclass(frozen=True, slots=True)
class Case:
    """What a guard judges: the plan, the situation it came from, and the kinds with one resource for each VM."""

    plan: Plan
    situation: Situation
    machine_kinds: frozenset[str]

    def changes(self, *actions: Action) -> list[Change]:
        """The changes of single VMs with one of these actions."""
        return [item for item in self.plan.changes if item.kind in self.machine_kinds and item.action in actions]

    def having(self, *effects: Effect) -> list[Change]:
        """The changes with a consequence of one of these effects, whatever else they have."""
        return [item for item in self.plan.changes if any(one.effect in effects for one in item.consequences)]


@dataclass(frozen=True, slots=True)
class Objection:
    """What a guard has against a plan."""

    message: str
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Guard:
    """`counted` guards are lifted by a number (`--allow G103=2`), the others by their code alone. One that `holds` does
    not refuse the plan: what it has something against is held back (`diff/holding.py`), and the rest goes on. One that
    judges `at_apply` is asked when a plan is carried out, not when it is made (`diff/freezing.py`)."""

    code: str
    title: str
    refuses: str
    counted: bool
    check: Callable[[Case], Objection | None]
    holds: bool = False
    at_apply: bool = False


def guard(plan: Plan, situation: Situation, kinds: Iterable[Kind[Any]]) -> Plan:
    """The plan with a refusal from every guard that has something against it and does not just hold back."""
    return msgspec.structs.replace(plan, refusals=refusals(plan, situation, kinds, holding=False))


def refusals(
    plan: Plan, situation: Situation, kinds: Iterable[Kind[Any]], *, holding: bool, at_apply: bool = False
) -> tuple[Refusal, ...]:
    """What the guards have against a plan: those that hold back, or the others; those that are asked when it is made,
    or when it is carried out."""
    case = Case(plan, situation, per_machine(kinds))
    asked = (item for item in GUARDS if item.holds is holding and item.at_apply is at_apply)
    return tuple(_refuse(item, objection) for item in asked if (objection := item.check(case)))


def _refuse(item: Guard, objection: Objection) -> Refusal:
    count = len(objection.changes)
    return Refusal(
        code=item.code,
        title=item.title,
        message=objection.message,
        count=count,
        addresses=tuple(change.address for change in objection.changes),
        advice=f"if this is meant, add --allow {item.code}" + (f"={count}" if item.counted else ""),
    )


def _too_many_updates(case: Case) -> Objection | None:
    """What an earlier apply has begun and not finished is no change of mind: the rest of it is let through."""
    share = case.situation.declared.scope.value.limits.updates_per_vault
    updates = [change for change in case.changes(Action.UPDATE) if change.reason is not Reason.UNFINISHED]
    return _too_many(case, updates, share, "updated")


def _too_many_releases(case: Case) -> Objection | None:
    share = case.situation.declared.scope.value.limits.releases_per_vault
    return _too_many(case, case.changes(*LETTING_GO), share, "released")


def _too_many(case: Case, changes: list[Change], share: Share, verb: str) -> Objection | None:
    lanes = by_lane(changes)
    over = {lane: group for lane, group in lanes.items() if len(group) > share.count}
    held = population(case.situation, case.machine_kinds, over)
    parts: list[str] = []
    objected: list[Change] = []
    for lane, group in over.items():
        total = max(held.get(lane, 0), len(group))
        if len(group) * 100 > share.percent * total:
            parts.append(f"{len(group)} of {total} protected VMs in {name_of(lane)} ({100 * len(group) // total} %)")
            objected.extend(group)
    if not objected:
        return None
    bounds = f"more than {share.percent} % and more than {share.count} VMs of a vault"
    return Objection(f"{'; '.join(parts)} would be {verb}: {bounds}", tuple(objected))


def _destroys_recovery_points(case: Case) -> Objection | None:
    return _effect(case.having(Effect.DELETES), (Effect.DELETES,), "would delete recovery points")


def _weakens_recoverability(case: Case) -> Objection | None:
    """Never for what an undelete prunes: all the recovery points would go while it waits to be allowed."""
    changes = [
        item
        for item in case.having(Effect.PRUNES, Effect.WEAKENS)
        if item.action is not Action.UNDELETE or any(one.effect is Effect.WEAKENS for one in item.consequences)
    ]
    return _effect(changes, (Effect.PRUNES, Effect.WEAKENS), "would prune recovery points or weaken protection")


def _cannot_be_undone(case: Case) -> Objection | None:
    return _effect(case.having(Effect.IRREVERSIBLE), (Effect.IRREVERSIBLE,), "could never be undone")


def _effect(changes: list[Change], effects: tuple[Effect, ...], what: str) -> Objection | None:
    if not changes:
        return None
    return Objection(f"{count(len(changes), 'change')} {what}{_extent(changes, effects)}", tuple(changes))


def _extent(changes: list[Change], effects: tuple[Effect, ...]) -> str:
    """How far the changes reach: one of a policy may be of hundreds of VMs. "" where that is no more than is said."""
    machines = points = 0
    for change in changes:
        counted = [item for item in change.consequences if item.effect in effects]
        machines += max((item.figures.get("virtual_machines", int(change.protects)) for item in counted), default=0)
        points += sum(item.figures.get(name, 0) for item in counted for name in POINTS)
    if machines > len(changes) or points:
        whose = f" of {count(machines, 'VM')}" if machines else ""
        return f": up to {count(points, 'recovery point')}{whose}" if points else f": protection{whose}"
    return ""


def _releases_blindly(case: Case) -> Objection | None:
    changes = case.changes(*LETTING_GO)
    if case.plan.complete or not changes:
        return None
    return Objection(
        f"{count(len(changes), 'VM')} would be released although a part of Azure could not be read", tuple(changes)
    )


def _expires_too_many(case: Case) -> Objection | None:
    """Retention that runs takes as much as it lets go. Where far more goes than comes, the clock, the cadence or the
    retention is another than yesterday, or nothing was applied for long."""
    share = case.situation.declared.scope.value.limits.snapshot_deletes
    expired = _by_subscription(case, Reason.EXPIRED)
    taken = _by_subscription(case, Reason.DUE, Reason.FIRST)
    parts: list[str] = []
    objected: list[Change] = []
    for (kind, alias), group in expired.items():
        surplus = len(group) - sum(item.action is Action.CREATE for item in taken.get((kind, alias), ()))
        total = _ours(case.situation, kind, alias)
        if surplus > share.count and surplus * 100 > share.percent * total:
            noun = group[0].title or kind
            parts.append(
                f"{len(group)} of {count(total, noun)} in {alias} would be deleted and {len(group) - surplus} taken "
                f"({100 * surplus // max(total, 1)} % fewer)"
            )
            objected.extend(group)
    if not objected:
        return None
    return Objection(f"{'; '.join(parts)}: more than {share.percent} % and more than {share.count}", tuple(objected))


def _while_frozen(case: Case) -> Objection | None:
    """What the clock asks for goes on: a cadence that is interrupted costs data. The first snapshots of a schedule do
    not: they begin something."""
    found = frozen(case.situation.declared.scope.value, case.situation.now)
    changes = tuple(change for change in case.plan.actionable if change.reason not in BY_TIME)
    if found is None or not changes:
        return None
    return Objection(f"{count(len(changes), 'change')} until {found.end} ({found.reason})", changes)


def _by_subscription(case: Case, *reasons: Reason) -> dict[tuple[str, str], list[Change]]:
    """Kind and alias → the changes with one of these reasons."""
    found: dict[tuple[str, str], list[Change]] = defaultdict(list)
    for change in case.plan.changes:
        if change.reason in reasons:
            found[change.kind, _alias(Address.parse(change.address))].append(change)
    return found


def _ours(situation: Situation, kind: str, alias: str) -> int:
    """How many live resources of a kind there are in a subscription that the policies speak of, to keep or to drop."""
    return sum(
        address.kind == kind and address in situation.live.state and _alias(address) == alias
        for address in situation.desired
    )


def _alias(address: Address) -> str:
    return address.scope.partition("/")[0].casefold()


GUARDS: tuple[Guard, ...] = (
    Guard(
        "G101",
        "too many updates",
        "changing more VMs of one vault than `limits.updatesPerVault` allows, in percent and in number",
        True,
        _too_many_updates,
    ),
    Guard(
        "G102",
        "too many releases",
        "releasing more VMs of one vault than `limits.releasesPerVault` allows, in percent and in number",
        True,
        _too_many_releases,
    ),
    Guard("G103", "destroys recovery points", "deleting backup data", True, _destroys_recovery_points),
    Guard(
        "G104",
        "weakens recoverability",
        "pruning recovery points, or protecting less than before",
        True,
        _weakens_recoverability,
    ),
    Guard("G105", "cannot be undone", "what Azure has no way back from", False, _cannot_be_undone),
    Guard("G106", "releases blindly", "releasing VMs while a part of Azure is unreadable", False, _releases_blindly),
    Guard(
        "G107",
        "too many expired",
        "deleting, beyond those it takes, more expired snapshots of one subscription than `limits.snapshotDeletes` "
        "allows, in percent and in number: these are held back, all else goes on",
        True,
        _expires_too_many,
        holds=True,
    ),
    Guard(
        "G108",
        "frozen",
        "changing anything while a `freeze` window of the Scope is open: held back when it is applied, what is due by "
        "the clock goes on",
        True,
        _while_frozen,
        holds=True,
        at_apply=True,
    ),
)
