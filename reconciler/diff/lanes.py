"""What one vault holds and what a plan adds to it. A lane is the id of a vault, as steps spell it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from reconciler.kinds.base import Kind, Situation
from reconciler.model.arm_id import ArmId
from reconciler.model.resource import Resource
from reconciler.plan.change import Change


def per_machine(kinds: Iterable[Kind[Any]]) -> frozenset[str]:
    """The kinds that have one resource for each VM."""
    return frozenset(kind.name for kind in kinds if kind.per_machine)


def by_lane(changes: Iterable[Change]) -> Mapping[str, list[Change]]:
    """The changes of each lane, lanes sorted; a change without a lane is in none."""
    lanes: dict[str, list[Change]] = defaultdict(list)
    for change in changes:
        if change.lane:
            lanes[ArmId(change.lane).key].append(change)
    return dict(sorted(lanes.items()))


def population(situation: Situation, kinds: frozenset[str], lanes: Iterable[str]) -> Mapping[str, int]:
    """How many live resources of these kinds each lane holds."""
    wanted = [lane for lane in lanes if lane]
    count: Counter[str] = Counter()
    for address, resource in situation.live.state.items():
        if address.kind in kinds:
            count.update(lane for lane in wanted if lies_in(resource, lane))
    return count


def lies_in(resource: Resource, lane: str) -> bool:
    """True where the live resource is nested in this vault."""
    return resource.arm_id is not None and resource.arm_id.key.startswith(lane + "/")


def name_of(lane: str) -> str:
    """The vault's name, for people."""
    return ArmId(lane).name
