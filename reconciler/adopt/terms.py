"""Conditions that VMs meet together, what they cost to read, and the tightest of them around a set of VMs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Any

from reconciler.adopt.census import GROUPS, IDS, LOCATIONS, SUBSCRIPTIONS, SYSTEMS, TAG, Census, Facet
from reconciler.adopt.globs import shorten

_MOST_KEYS = 3
"""Keys that one selector combines: with more, nobody sees what is meant."""
_MOST_FACETS = 14
"""The cheapest facets that are combined, in 469 ways."""
_DEAREST = 40.0
_COSTS = {
    TAG: (2.0, 0.75),
    SUBSCRIPTIONS: (3.5, 1.0),
    LOCATIONS: (5.0, 1.0),
    SYSTEMS: (5.0, 1.0),
    GROUPS: (5.0, 1.5),
    IDS: (7.0, 4.0),
}
"""What a key costs, and each of its values: tags say what a VM is, groups where somebody put it, ids nothing."""
PER_ID = _COSTS[IDS][1]


@dataclass(frozen=True)
class Condition:
    """One key of a selector and the values of which one is enough, folded and in order; `shown` as they are written."""

    facet: Facet
    values: tuple[str, ...]

    @cached_property
    def mask(self) -> int:
        return self.facet.having(self.values)

    @cached_property
    def shown(self) -> tuple[str, ...]:
        short = shorten(self.values, self.facet.stems) if self.facet.key == GROUPS else self.values
        return tuple(self.facet.spelling.get(value, value) for value in short)

    @cached_property
    def cost(self) -> float:
        base, each = _COSTS[TAG if self.facet.key.startswith(TAG) else self.facet.key]
        return base + each * len(self.shown)


@dataclass(frozen=True)
class Term:
    """Conditions that are all met; without one, everybody."""

    conditions: tuple[Condition, ...]
    mask: int
    cost: float

    @classmethod
    def of(cls, conditions: Sequence[Condition], everyone: int) -> Term:
        mask = everyone
        for condition in conditions:
            mask &= condition.mask
        return cls(tuple(conditions), mask, sum(condition.cost for condition in conditions))

    @property
    def selector(self) -> dict[str, Any]:
        """As the policies write it; a single value of a tag is no list."""
        found: dict[str, Any] = {}
        tags: dict[str, Any] = {}
        for condition in self.conditions:
            shown = list(condition.shown)
            if condition.facet.key.startswith(TAG):
                tags[condition.facet.key.removeprefix(TAG)] = shown[0] if len(shown) == 1 else shown
            else:
                found[condition.facet.key] = shown
        return {"tags": tags, **found} if tags else found


class Surroundings:
    """For a set of VMs: the tightest condition of each facet that all of them meet."""

    def __init__(self, census: Census, target: int) -> None:
        self.census = census
        self.target = target
        found: list[Condition] = []
        positions = census.positions(target)
        for facet in census.facets:
            if target & ~facet.anyone:
                continue
            values = facet.values_of(positions)
            base, each = _COSTS[TAG if facet.key.startswith(TAG) else facet.key]
            if facet.key != GROUPS and base + each * len(values) > _DEAREST:
                continue
            condition = Condition(facet, values)
            if condition.cost <= _DEAREST and condition.mask != census.everyone:
                found.append(condition)
        self.conditions = sorted(found, key=lambda one: one.cost)[:_MOST_FACETS]

    def wide(self) -> list[Term]:
        """The single conditions and all pairs of them, cheapest first."""
        everyone = self.census.everyone
        found = [Term.of(chosen, everyone) for size in (1, 2) for chosen in combinations(self.conditions, size)]
        return sorted(found, key=lambda term: term.cost)

    def tightest(self, forbidden: int) -> Term | None:
        """The cheapest term that none of the forbidden VMs meets. What costs more than the best so far is not looked
        at."""
        best: tuple[Condition, ...] = ()
        least = float("inf")
        for size in range(1, _MOST_KEYS + 1):
            for chosen in combinations(self.conditions, size):
                cost = sum(condition.cost for condition in chosen)
                if cost >= least:
                    continue
                mask = forbidden
                for condition in chosen:
                    mask &= condition.mask
                if not mask:
                    best, least = chosen, cost
        return Term.of(best, self.census.everyone) if best else None
