from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reconciler.apply.lanes import Bounds, Lanes
from reconciler.plan.change import Step

STEPS = st.lists(st.tuples(st.sampled_from(["", "a", "b", "c"]), st.booleans()), max_size=40)


def steps_of(drawn: list[tuple[str, bool]]) -> list[Step]:
    return [
        Step(
            id=str(number),
            kind="k",
            address="k.s/n",
            verb="v",
            title="t",
            lane=lane,
            exclusive=exclusive and lane != "",
        )
        for number, (lane, exclusive) in enumerate(drawn)
    ]


@given(STEPS, st.integers(1, 8), st.integers(1, 5), st.randoms(use_true_random=False))
def test_bounds_hold_at_every_moment_and_everything_gets_its_turn(
    drawn: list[tuple[str, bool]], overall: int, shared: int, random: object
) -> None:
    lanes = Lanes(Bounds(overall=overall, shared=shared))
    steps = steps_of(drawn)
    for step in steps:
        lanes.put(step)
    running: list[Step] = []
    taken: list[Step] = []
    while len(taken) < len(steps) or running:
        while step := lanes.take():
            running.append(step)
            taken.append(step)
            assert len(running) <= overall
            for lane in {item.lane for item in running} - {""}:
                there = [item for item in running if item.lane == lane]
                assert len(there) <= shared
                assert len(there) == 1 or not any(item.exclusive for item in there)
        assert running, "steps wait although nothing runs"
        lanes.release(running.pop(random.randrange(len(running))))  # type: ignore[attr-defined]
    for lane in ("a", "b", "c"):
        assert [s.id for s in taken if s.lane == lane] == [s.id for s in steps if s.lane == lane], "nobody overtakes"


def test_lanes_take_turns() -> None:
    lanes = Lanes(Bounds(overall=4))
    for step in steps_of([("a", False)] * 4 + [("b", False)] * 4):
        lanes.put(step)
    first = [step for _ in range(4) if (step := lanes.take())]
    assert [step.lane for step in first] == ["a", "b", "a", "b"]
