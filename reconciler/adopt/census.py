"""The VMs of an estate as bits: who has which tag, resource group, region.

A set of VMs is an `int` with one bit a VM, so that thousands of conditions on 10,000 VMs are compared in milliseconds.
The meaning of a condition is that of `desired/roster.py`; what comes out of this is proved there.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from reconciler.adopt.globs import count_stems
from reconciler.model.arm_id import ArmId
from reconciler.model.machine import Machine

GROUPS, IDS, LOCATIONS, SYSTEMS, SUBSCRIPTIONS = "resourceGroups", "ids", "locations", "os", "subscriptions"
TAG = "tags:"
"""What the key of a condition on a tag begins with; its name follows."""
_PLATFORM = ("hidden-", "reconciler-", "aks-managed-", "ms-resource-usage")
"""Tags that services write: they say nothing about what a VM is."""
_WILD = frozenset("*?")
_ONE = re.compile("1")
_FEW = 20


def sayable(text: str) -> bool:
    """Whether a value from Azure can stand in a selector and mean itself: printable, and without wildcards."""
    return bool(text) and text.isprintable() and not _WILD.intersection(text) and text == text.strip()


@dataclass(frozen=True)
class Facet:
    """One thing that VMs can be told apart by: `spelling` and VMs by value, folded where casing does not count."""

    key: str
    masks: Mapping[str, int]
    spelling: Mapping[str, str]
    at: Sequence[str]
    """The value of each VM by its position; "" for those without one that can be said."""

    @cached_property
    def stems(self) -> Counter[str]:
        return count_stems(self.masks)

    @cached_property
    def anyone(self) -> int:
        """Those that have a value which can be said."""
        found = 0
        for mask in self.masks.values():
            found |= mask
        return found

    def values_of(self, positions: Iterable[int]) -> tuple[str, ...]:
        """The values that the VMs at these positions have, in order."""
        return tuple(sorted({self.at[position] for position in positions} - {""}))

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
        return _bits(sorted(self._positions[arm_id] for arm_id in machines))

    def positions(self, mask: int) -> list[int]:
        """The positions of the VMs of a mask, in order."""
        return [found.start() for found in _ONE.finditer(f"{mask:b}"[::-1])]

    def of(self, mask: int) -> list[Machine]:
        """The VMs of a mask, in order of position."""
        return [self.machines[position] for position in self.positions(mask)]

    @cached_property
    def facets(self) -> tuple[Facet, ...]:
        """All but the ids, in a fixed order."""
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
    def ids(self) -> Facet:
        return _facet(IDS, (str(machine.arm_id) for machine in self.machines), fold=True)

    def _tags(self) -> Iterable[Facet]:
        values: dict[str, dict[int, str]] = defaultdict(dict)
        spellings: dict[str, Counter[str]] = defaultdict(Counter)
        for position, machine in enumerate(self.machines):
            for name, value in machine.tags.items():
                if sayable(name) and sayable(value):
                    values[name.casefold()][position] = value
                    spellings[name.casefold()][name] += 1
        for folded in sorted(values):
            found = values[folded]
            if not folded.startswith(_PLATFORM) and not _like_a_name(found):
                name = min(spellings[folded], key=lambda one: (-spellings[folded][one], one))
                at = [found.get(position, "") for position in range(len(self.machines))]
                yield _facet(TAG + name, at, fold=False)


def _like_a_name(values: Mapping[int, str]) -> bool:
    """Whether a tag says another thing of nearly every VM (a date, a serial number): it says nothing of what it is."""
    distinct = len(set(values.values()))
    return distinct > _FEW and distinct * 2 > len(values)


def _system(machine: Machine) -> str:
    return machine.os_type.value if machine.os_type.value in ("Windows", "Linux") else ""


def _facet(key: str, values: Iterable[str], *, fold: bool) -> Facet:
    members: dict[str, list[int]] = defaultdict(list)
    spelling: dict[str, str] = {}
    at: list[str] = []
    for position, value in enumerate(values):
        folded = (value.casefold() if fold else value) if sayable(value) else ""
        at.append(folded)
        if folded:
            members[folded].append(position)
            spelling.setdefault(folded, value)
    return Facet(key, {value: _bits(found) for value, found in members.items()}, spelling, at)


def _bits(positions: Sequence[int]) -> int:
    """Built as bytes: one shift a VM would copy the whole number each time."""
    octets = bytearray(positions[-1] // 8 + 1 if positions else 0)
    for position in positions:
        octets[position >> 3] |= 1 << (position & 7)
    return int.from_bytes(octets, "little")
