"""The VMs of an estate, indexed by what selectors ask for.

10,000 VMs are asked for by tens of selectors in every plan: each distinct tag value, resource group or name is looked
at once a condition, never once a VM and condition.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

from reconciler.model.arm_id import ArmId
from reconciler.model.machine import Machine
from reconciler.model.selector import Selector

Positions = frozenset[int]
_Index = Mapping[str, Sequence[int]]


class Roster:
    """VMs by position in `machines`. `select` answers with positions: sets of those are cheap to combine."""

    def __init__(self, machines: Sequence[Machine]) -> None:
        self.machines = machines
        self.everyone: Positions = frozenset(range(len(machines)))

    def select(self, selector: Selector) -> Positions:
        """The VMs that meet every key which the selector gives; all of them where it gives none."""
        chosen = self.everyone
        if selector.all is not None:
            for part in selector.all:
                chosen &= self.select(part)
        if selector.any is not None:
            chosen &= frozenset().union(*(self.select(part) for part in selector.any))
        if selector.not_ is not None:
            chosen -= self.select(selector.not_)
        for found in self._conditions(selector):
            chosen &= found
        return chosen

    def _conditions(self, selector: Selector) -> Iterable[Positions]:
        if selector.ids is not None:
            yield _exactly(self._ids, (ArmId(text).key for text in selector.ids))
        if selector.names is not None:
            yield _matching(self._names, (glob.casefold() for glob in selector.names))
        if selector.resource_groups is not None:
            yield _matching(self._groups, (glob.casefold() for glob in selector.resource_groups))
        if selector.subscriptions is not None:
            yield _exactly(self._subscriptions, selector.subscriptions)
        if selector.locations is not None:
            yield _exactly(self._locations, (plain_location(name) for name in selector.locations))
        if selector.os is not None:
            yield _exactly(self._systems, selector.os)
        for name, wanted in (selector.tags or {}).items():
            globs = (wanted,) if isinstance(wanted, str) else wanted
            yield _matching(self._tags.get(name.casefold(), {}), globs)

    @cached_property
    def _ids(self) -> _Index:
        return _index(machine.arm_id.key for machine in self.machines)

    @cached_property
    def _names(self) -> _Index:
        return _index(machine.name.casefold() for machine in self.machines)

    @cached_property
    def _groups(self) -> _Index:
        return _index(machine.resource_group.casefold() for machine in self.machines)

    @cached_property
    def _subscriptions(self) -> _Index:
        return _index(machine.subscription for machine in self.machines)

    @cached_property
    def _locations(self) -> _Index:
        return _index(plain_location(machine.location) for machine in self.machines)

    @cached_property
    def _systems(self) -> _Index:
        return _index(machine.os_type.value for machine in self.machines)

    @cached_property
    def _tags(self) -> Mapping[str, _Index]:
        """Tag name, case-folded → value → positions."""
        tags: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
        for position, machine in enumerate(self.machines):
            for name, value in machine.tags.items():
                tags[name.casefold()][value].append(position)
        return tags


def plain_location(name: str) -> str:
    """`West Europe` and `westeurope` are one region."""
    return name.replace(" ", "").lower()


def _index(values: Iterable[str]) -> _Index:
    positions: dict[str, list[int]] = defaultdict(list)
    for position, value in enumerate(values):
        positions[value].append(position)
    return positions


def _exactly(index: _Index, values: Iterable[str]) -> Positions:
    return frozenset().union(*(index.get(value, ()) for value in values))


def _matching(index: _Index, globs: Iterable[str]) -> Positions:
    """The positions of values that match one of the globs; only `*` and `?` are wildcards."""
    exact: list[str] = []
    patterns: list[str] = []
    for glob in globs:
        if "*" in glob or "?" in glob:
            patterns.append(re.escape(glob).replace(r"\*", ".*").replace(r"\?", "."))
        else:
            exact.append(glob)
    found = _exactly(index, exact)
    if patterns:
        matches = re.compile("|".join(patterns), re.DOTALL).fullmatch
        found = found.union(*(positions for value, positions in index.items() if matches(value)))
    return found
