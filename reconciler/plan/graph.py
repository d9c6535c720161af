"""The order of the steps: the one place that knows what a circle is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter

from reconciler.errors import PlanGraphError
from reconciler.plan.change import Step


def sorter(steps: Iterable[Step]) -> TopologicalSorter[str]:
    """A prepared sorter over step ids, for a walk that starts each step as soon as what it needs is done.

    Raises PlanGraphError for a circle, for two steps of one id, and for a step that needs one the plan does not hold.
    """
    by_id = _index(steps)
    graph: TopologicalSorter[str] = TopologicalSorter({step.id: step.after for step in by_id.values()})
    try:
        graph.prepare()
    except CycleError as error:
        circle = [by_id[step_id].address for step_id in reversed(error.args[1])]
        raise PlanGraphError(
            "these resources wait for each other: " + " → ".join(_without_repeats(circle)),
            why="every step must be able to run after the steps it needs",
            advice="this is a fault of the reconciler or of a plan file that was edited; plan again",
        ) from None
    return graph


def waves(steps: Iterable[Step]) -> tuple[tuple[Step, ...], ...]:
    """The steps in waves: everything that a wave needs was done in the waves before. Each wave is sorted by id."""
    by_id = _index(steps)
    graph = sorter(by_id.values())
    result = []
    while graph.is_active():
        ready = graph.get_ready()
        result.append(tuple(by_id[step_id] for step_id in sorted(ready)))
        graph.done(*ready)
    return tuple(result)


def order(steps: Iterable[Step]) -> tuple[Step, ...]:
    """One sequence in which every step comes after what it needs."""
    return tuple(step for wave in waves(steps) for step in wave)


def dependants(steps: Iterable[Step]) -> Mapping[str, tuple[str, ...]]:
    """Step id → ids of the steps that directly wait for it."""
    found: dict[str, list[str]] = defaultdict(list)
    for step in steps:
        for needed in step.after:
            found[needed].append(step.id)
    return {step_id: tuple(waiting) for step_id, waiting in found.items()}


def _index(steps: Iterable[Step]) -> Mapping[str, Step]:
    by_id: dict[str, Step] = {}
    for step in steps:
        if step.id in by_id:
            raise PlanGraphError(f"the plan holds two steps {step.id!r}", advice="plan again")
        by_id[step.id] = step
    for step in by_id.values():
        for needed in step.after:
            if needed not in by_id:
                raise PlanGraphError(f"{step.id!r} needs {needed!r}, which the plan does not hold", advice="plan again")
    return by_id


def _without_repeats(addresses: list[str]) -> list[str]:
    return [address for index, address in enumerate(addresses) if not index or addresses[index - 1] != address]
