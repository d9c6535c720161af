"""The VMs of an estate as bits: who has which tag, resource group, region.

A set of VMs is an `int` with one bit a VM, so that thousands of conditions on 10,000 VMs are compared in milliseconds.
The meaning of a condition is that of `desired/roster.py`; what comes out of this is proved there.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from reconciler.model.arm_id import ArmId
from reconciler.model.machine import Machine

GROUPS, NAMES, LOCATIONS, SYSTEMS, SUBSCRIPTIONS = "resourceGroups", "names", "locations", "os", "subscriptions"
TAG = "tags:"
"""What the key of a condition on a tag begins with; its name follows."""
_PLATFORM = ("hidden-", "reconciler-", "aks-managed-", "ms-resource-usage")
"""Tags that services write: they say nothing about what a VM is."""
_WILD = frozenset("*?")


def sayable(text: str) -> bool:
    """Whether a value from Azure can stand in a selector and mean itself: printable, and without wildcards."""
    return bool(text) and text.isprintable() and not _WILD.intersection(text) and text == text.strip()


@dataclass(frozen=True)
class Facet:
    """One thing that VMs can be told apart by: `spelling` and VMs by value, folded where casing does not count."""

    key: str
    masks: Mapping[str, int]
    spelling: Mapping[str, str]

    @cached_property
    def anyone(self) -> int:
        """Those that have a value which can be said."""
        found = 0
        for mask in self.masks.values():
            found |= mask
        return found

    def values_of(self, target: int) -> tuple[str, ...]:
        """The values that the VMs of `target` have, in order."""
        return tuple(sorted(value for value, mask in self.masks.items() if mask & target))

    def having(self, values: Iterable[str]) -> int:
        found = 0
        for value in values:
            found |= self.masks[value]
        return found


class Census:
    """The VMs by position, and every facet of them."""

    def __init__(self, machines: Sequence[Machine]) -> None:
        self.machines = machines
        self.everyone = (1 << len(machines)) - 1
        self._positions = {machine.arm_id: position for position, machine in enumerate(machines)}

    def mask(self, machines: Iterable[ArmId]) -> int:
        found = 0
        for arm_id in machines:
            found |= 1 << self._positions[arm_id]
        return found

    def of(self, mask: int) -> list[Machine]:
        """The VMs of a mask, in order of position."""
        digits = f"{mask:b}"[::-1]
        return [self.machines[position] for position, digit in enumerate(digits) if digit == "1"]

    @cached_property
    def facets(self) -> tuple[Facet, ...]:
        """All but the names, in a fixed order."""
        machines = self.machines
        fixed = [
            _facet(SUBSCRIPTIONS, (machine.subscription for machine in machines), fold=False),
            _facet(LOCATIONS, (machine.location for machine in machines), fold=False),
            _facet(SYSTEMS, (_system(machine) for machine in machines), fold=False),
            self.groups,
        ]
        return (*self._tags(), *fixed)

    @cached_property
    def groups(self) -> Facet:
        return _facet(GROUPS, (machine.resource_group for machine in self.machines), fold=True)

    @cached_property
    def names(self) -> Facet:
        return _facet(NAMES, (machine.name for machine in self.machines), fold=True)

    def _tags(self) -> Iterable[Facet]:
        values: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        spellings: dict[str, Counter[str]] = defaultdict(Counter)
        for position, machine in enumerate(self.machines):
            for name, value in machine.tags.items():
                if sayable(name) and sayable(value):
                    values[name.casefold()][value] |= 1 << position
                    spellings[name.casefold()][name] += 1
        for folded in sorted(values):
            if not folded.startswith(_PLATFORM):
                name = min(spellings[folded], key=lambda one: (-spellings[folded][one], one))
                yield Facet(TAG + name, values[folded], {value: value for value in values[folded]})


def _system(machine: Machine) -> str:
    return machine.os_type.value if machine.os_type.value in ("Windows", "Linux") else ""


def _facet(key: str, values: Iterable[str], *, fold: bool) -> Facet:
    masks: dict[str, int] = defaultdict(int)
    spelling: dict[str, str] = {}
    for position, value in enumerate(values):
        if sayable(value):
            folded = value.casefold() if fold else value
            masks[folded] |= 1 << position
            spelling.setdefault(folded, value)
    return Facet(key, masks, spelling)
