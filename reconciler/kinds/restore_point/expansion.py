"""Schedules and what is live → desired restore points: those to be taken, those that stay, those that go."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from reconciler.kinds.base import Expansion
from reconciler.kinds.owned_collections import POINT, OwnedCollection, collection_address
from reconciler.kinds.remarks import Remark, Remarks
from reconciler.kinds.restore_point.asked import Asked, asked_of, idle_luns
from reconciler.kinds.restore_point.due import blocked, due_point, facts_of, obstacle_of
from reconciler.kinds.restore_point.promises import remark_promises
from reconciler.kinds.restore_point.remainders import remark_remainder
from reconciler.kinds.restore_point.retention import settle
from reconciler.model.arm_id import ArmId
from reconciler.model.casing import fold
from reconciler.model.observed import RestorePointFacts
from reconciler.model.resource import Resource
from reconciler.model.snapshot_schedule import DOCUMENT, SnapshotSchedule
from reconciler.plan.finding import Finding


def expand_points(expansion: Expansion) -> Iterator[Resource | Finding]:
    """Every VM that has restore points or is to get them, each judged on its own; then what there is to be said."""
    schedules = {fold(name): one for name, one in expansion.declared.of(DOCUMENT, SnapshotSchedule).items()}
    asked = {one.machine.arm_id: one for one in asked_of(expansion)}
    held = _live_points(expansion)
    blind = _Blind(expansion)
    remarks = Remarks()
    for machine in sorted({*asked, *held}):
        points, wish = held.get(machine, []), asked.get(machine)
        taken = _take(wish, points, expansion, remarks) if wish else None
        obstacle = obstacle_of(wish, expansion) if taken and wish else None
        if taken and obstacle:
            yield blocked(taken, obstacle)
            points = [one for one in points if one.address != taken.address]
            taken = None
        if taken:
            yield taken
        if points and blind.to(machine, points[0].address.subscription):
            yield from (one for one in points if taken is None or one.address != taken.address)
        else:
            yield from settle(points, taken, schedules, expansion.now)
            remark_remainder(machine, points, wish, expansion, schedules, remarks)
        if wish:
            remark_promises(wish, points, expansion, remarks)
    yield from remarks.findings()
    yield from idle_luns(asked.values())


def _live_points(expansion: Expansion) -> dict[ArmId, list[Resource]]:
    found: dict[ArmId, list[Resource]] = defaultdict(list)
    for address, resource in expansion.live.state.items():
        if address.kind == POINT and isinstance(resource.observed, RestorePointFacts):
            found[resource.observed.machine_id].append(resource)
    for points in found.values():
        points.sort(key=lambda one: (facts_of(one).created, one.address))
    return found


def _take(asked: Asked, points: list[Resource], expansion: Expansion, remarks: Remarks) -> Resource | None:
    found = due_point(asked, points, expansion)
    if isinstance(found, Remark):
        remarks.add(found, asked.machine.name)
        return None
    return found


class _Blind:
    """What could not be read, as far as restore points hang on it: nothing is deleted there."""

    def __init__(self, expansion: Expansion) -> None:
        live, subscriptions = expansion.live, expansion.declared.subscriptions
        unread = (*live.unread_machines(subscriptions), *live.unread("disk", subscriptions))
        self._aliases = {fold(alias) for alias in unread}
        self._machines: set[ArmId] = set()
        for gap in live.unreadable:
            if POINT in gap.kinds:
                self._note(gap.scope, expansion)

    def _note(self, scope: str, expansion: Expansion) -> None:
        collection = expansion.live.state.get(collection_address(scope))
        if collection is not None and isinstance(collection.observed, OwnedCollection):
            self._machines.add(collection.observed.machine)
        else:
            self._aliases.add(fold(scope.partition("/")[0]))

    def to(self, machine: ArmId, alias: str) -> bool:
        return machine in self._machines or fold(alias) in self._aliases
