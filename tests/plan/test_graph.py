"""The order of steps."""

from __future__ import annotations

import pytest

from reconciler.errors import PlanGraphError
from reconciler.plan.change import Step
from reconciler.plan.graph import dependants, order, sorter, waves


def step(name: str, *after: str) -> Step:
    return Step(id=name, kind="a", address=f"a.b/{name}", verb="put", title="", after=after)


DIAMOND = (step("d", "b", "c"), step("c", "a"), step("b", "a"), step("a"), step("e"))


def test_waves_hold_what_can_run_together() -> None:
    assert [[item.id for item in wave] for wave in waves(DIAMOND)] == [["a", "e"], ["b", "c"], ["d"]]
    assert [item.id for item in order(DIAMOND)] == ["a", "e", "b", "c", "d"]
    assert waves(()) == ()


def test_dependants_are_those_that_wait_directly() -> None:
    assert dependants(DIAMOND) == {"b": ("d",), "c": ("d",), "a": ("c", "b")}


def test_a_sorter_frees_a_step_as_soon_as_it_can_start() -> None:
    graph = sorter(DIAMOND)
    assert set(graph.get_ready()) == {"a", "e"}
    graph.done("a")
    assert set(graph.get_ready()) == {"b", "c"}


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ((step("a", "b"), step("b", "c"), step("c", "a")), r"wait for each other: a\.b/\w → a\.b/\w → a\.b/\w → "),
        ((step("a", "a"),), r"wait for each other: a\.b/a"),
        ((step("a"), step("a")), "two steps 'a'"),
        ((step("a", "gone"),), "'a' needs 'gone'"),
    ],
)
def test_what_has_no_order(steps: tuple[Step, ...], message: str) -> None:
    with pytest.raises(PlanGraphError, match=message):
        waves(steps)
