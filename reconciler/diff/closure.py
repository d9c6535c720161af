"""Sets of changes that can be carried out, or left out, without the others."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from reconciler.plan.change import Change


def with_needs(changes: Iterable[Change], addresses: Iterable[str]) -> set[str]:
    """These addresses and all whose steps theirs wait for, however far."""
    return _reach(_needs(changes), addresses)


def with_dependants(changes: Iterable[Change], addresses: Iterable[str]) -> set[str]:
    """These addresses and all whose steps wait for theirs, however far."""
    waiting: dict[str, set[str]] = defaultdict(set)
    for address, needed in _needs(changes).items():
        for other in needed:
            waiting[other].add(address)
    return _reach(waiting, addresses)


def _needs(changes: Iterable[Change]) -> dict[str, set[str]]:
    everything = tuple(changes)
    owner = {step.id: change.address for change in everything for step in change.steps}
    return {change.address: {owner[needed] for step in change.steps for needed in step.after} for change in everything}


def _reach(edges: dict[str, set[str]], start: Iterable[str]) -> set[str]:
    found = set(start)
    queue = list(found)
    while queue:
        new = edges.get(queue.pop(), set()) - found
        found |= new
        queue.extend(new)
    return found
