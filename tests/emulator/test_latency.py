"""Latency by sort of request, on either clock, the same for the same seed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from reconciler.emulator.latency import Latency

SUBSCRIPTION = "11111111-1111-4111-8111-111111111111"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-app"
GROUPS = f"/subscriptions/{SUBSCRIPTION}/resourceGroups"


def test_by_sort_on_the_wall_clock(world, ask):
    before = world.clock.now()
    world.slowness.set(Latency(read=40, list=120, write=300, delete=10, poll=5))
    delays = [ask(method, path, {"location": "westeurope"} if method == "PUT" else None).delay for method, path in (
        ("GET", GROUP), ("GET", GROUPS), ("PUT", GROUP), ("DELETE", f"{GROUP}-none"),
        ("GET", f"/subscriptions/{SUBSCRIPTION}/operationresults/x"),
    )]  # fmt: skip
    assert delays == [0.04, 0.12, 0.3, 0.01, 0.005]
    assert world.clock.now() == before


def test_on_the_virtual_clock_nobody_waits(world, ask):
    before = world.clock.now()
    world.slowness.set(Latency(clock="virtual", read=1500))
    assert [ask("GET", GROUP).delay for _ in range(2)] == [0, 0]
    assert world.clock.now() - before == timedelta(seconds=3)


def test_it_joins_a_fault(world, ask):
    world.slowness.set(Latency(read=40))
    world.faults.add({"delay": 0.5})
    assert ask("GET", GROUP).delay == 0.54


def test_jitter_is_drawn_from_the_seed(world, ask):
    runs = []
    for _ in range(2):
        world.slowness.set(Latency(read=100, jitter=0.3))
        runs.append([ask("GET", GROUP).delay for _ in range(20)])
    assert runs[0] == runs[1]
    assert len(set(runs[0])) > 10
    assert all(0.07 <= delay <= 0.13 for delay in runs[0])


@pytest.mark.parametrize(
    ("given", "latency"),
    [
        ("80ms", Latency.uniform(80)),
        ("1.5s", Latency.uniform(1500)),
        ("7", Latency.uniform(7)),
        ("off", Latency()),
        ({"read": 5, "clock": "virtual"}, Latency(read=5, clock="virtual")),
    ],
    ids=str,
)
def test_spellings(given, latency):
    assert Latency.parse(given) == latency


@pytest.mark.parametrize("given", ["soon", "-5ms", "", {"reed": 5}, {"read": -1}, {"jitter": 2}], ids=str)
def test_wrong_spellings(given):
    with pytest.raises(ValueError, match=r"latency|reed"):
        Latency.parse(given)
