"""Clock, operations and ticks: what happens when, and in which order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from reconciler.emulator.clock import Clock
from reconciler.emulator.failures import ArmError
from reconciler.emulator.operations import Effect
from reconciler.emulator.store import Store
from reconciler.emulator.world import Ticker, World

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class Wall:
    """Real time under the test's control, in seconds."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.mark.parametrize(("speed", "expected"), [(1.0, 10), (60.0, 600), (0.0, 0)])
def test_speed(speed, expected):
    wall = Wall()
    clock = Clock(NOW, speed=speed, wall=wall)
    wall.seconds += 10
    assert clock.now() == NOW + timedelta(seconds=expected)


def test_advance_and_change_of_speed_keep_the_time():
    wall = Wall()
    clock = Clock(NOW, speed=2, wall=wall)
    wall.seconds += 10
    clock.advance(timedelta(days=1))
    clock.set_speed(0)
    wall.seconds += 10
    assert clock.now() == NOW + timedelta(days=1, seconds=20)
    with pytest.raises(ValueError, match="back"):
        clock.advance(-MINUTE)


def test_time_goes_on_while_no_process_runs():
    wall = Wall()
    state = Clock(NOW, wall=wall).state()
    wall.seconds += 3_600
    clock = Clock(wall=wall)
    clock.restore(state)
    assert clock.now() == NOW + timedelta(hours=1)


def make_world(log, *, store=None, ticks=(), auto_advance=None):
    def append(world, operation):
        log.append((world.clock.now() - NOW, operation.arguments["say"]))

    def refuse(world, operation):
        raise ArmError(400, "Nope", "not this time")

    def fail(world, operation):
        log.append((world.clock.now() - NOW, f"failed: {operation.arguments['say']}"))

    return World(
        store=store or Store(),
        clock=Clock(NOW, speed=0, auto_advance=auto_advance),
        completions={"append": append, "refuse": refuse, "deny": refuse, "deny.failed": fail},
        tickers=ticks,
    )


@pytest.mark.parametrize("effect", [None, Effect(error={"code": "Broken", "message": ""})])
def test_an_operation_that_fails_carries_out_what_is_registered_for_that(effect):
    log = []
    world = make_world(log)
    world.operations.effect = effect
    world.operations.start("say", duration=MINUTE, on_done=("deny", {"say": "refused"}))
    world.operations.effect = None
    world.advance(MINUTE)
    assert log == [(MINUTE, "failed: refused")]


def test_operations_end_in_order_of_time_each_at_its_own_moment():
    log = []
    world = make_world(log)
    for minutes, word in [(30, "third"), (10, "first"), (20, "second"), (90, "later")]:
        world.operations.start("say", duration=minutes * MINUTE, on_done=("append", {"say": word}))
    world.advance(timedelta(hours=1))
    assert log == [(10 * MINUTE, "first"), (20 * MINUTE, "second"), (30 * MINUTE, "third")]


def test_ticks_and_operations_interleave():
    log = []

    def next_due(world, after):
        return after.replace(minute=0) + timedelta(hours=1)

    def on_tick(world, after, until):
        if until.minute == 0 and until > after:
            log.append((until - NOW, "tick"))
            world.operations.start("job", duration=30 * MINUTE, on_done=("append", {"say": "job"}))

    world = make_world(log, ticks=(Ticker(on_tick, next_due),))
    world.advance(timedelta(hours=2, minutes=10))
    hour = timedelta(hours=1)
    assert log == [(hour, "tick"), (hour + 30 * MINUTE, "job"), (2 * hour, "tick")]


def test_ticks_cover_all_time_without_gap_or_overlap():
    spans = []
    world = make_world([], ticks=(Ticker(lambda world, after, until: spans.append((after, until))),))
    world.advance(timedelta(days=90, hours=5))
    assert spans[0][0] == NOW
    assert spans[-1][1] == NOW + timedelta(days=90, hours=5)
    assert all(left[1] == right[0] for left, right in pairwise(spans))


def test_refused_completion_fails_the_operation():
    world = make_world([])
    guid = world.operations.start("x", duration=MINUTE, on_done=("refuse", {})).guid
    world.advance(MINUTE)
    operation = world.operations.get(guid)
    assert (operation.status, operation.error) == ("Failed", {"code": "Nope", "message": "not this time"})


def test_unknown_completion_is_refused_at_the_start():
    with pytest.raises(KeyError, match="nobody"):
        make_world([]).operations.start("x", duration=MINUTE, on_done=("nobody", {}))


def test_a_poll_jumps_to_the_end():
    log = []
    world = make_world(log)
    guid = world.operations.start("x", duration=MINUTE, on_done=("append", {"say": "done"})).guid
    assert world.poll(guid).status == "Succeeded"
    assert world.clock.now() == NOW + MINUTE
    assert log == [(MINUTE, "done")]


def test_a_poll_without_auto_advance_waits():
    world = make_world([], auto_advance=False)
    guid = world.operations.start("x", duration=MINUTE).guid
    assert world.poll(guid).status == "InProgress"
    world.advance(MINUTE)
    assert world.poll(guid).status == "Succeeded"


def test_who_reads_again_waits():
    """A client that looks at the resource alone must not wait for ever where the clock stands still."""
    world = make_world([])
    world.operations.start("x", duration=MINUTE, resource="/vaults/V")
    world.look_at("/vaults/v")
    assert world.clock.now() == NOW, "who reads once sees what is there"
    world.look_at("/vaults/v")
    assert world.clock.now() == NOW + MINUTE
    assert world.operations.running("/vaults/v") == []


def test_reads_do_not_move_a_clock_that_is_not_to_jump():
    world = make_world([], auto_advance=False)
    for _ in range(3):
        world.look("a job", NOW + MINUTE)
    assert world.clock.now() == NOW


@pytest.mark.parametrize(
    ("effect", "status"), [(Effect(hangs=True), "InProgress"), (Effect(error={"code": "X", "message": "y"}), "Failed")]
)
def test_effects_of_faults(effect, status):
    log = []
    world = make_world(log)
    world.operations.effect = effect
    guid = world.operations.start("x", duration=MINUTE, on_done=("append", {"say": "never"})).guid
    world.advance(timedelta(days=9))
    assert world.poll(guid).status == status
    assert log == []


def test_another_process_completes_what_this_one_started(tmp_path):
    world = make_world([], store=Store(tmp_path / "state.db"))
    guid = world.operations.start(
        "x", duration=MINUTE, on_done=("append", {"say": "done"}), job="j", extra={"a": 1}
    ).guid
    world.commit()
    world.store.close()
    log = []
    again = make_world(log, store=Store(tmp_path / "state.db"))
    assert again.operations.get(guid).extra == {"a": 1}
    again.advance(MINUTE)
    assert log == [(MINUTE, "done")]
    assert again.operations.running("") == []


def test_guids_differ_between_processes_and_repeat_for_one_seed(tmp_path):
    first = make_world([], store=Store(tmp_path / "state.db"))
    guids = [first.new_guid() for _ in range(3)]
    assert [make_world([]).new_guid()] == guids[:1]
    first.commit()
    first.store.close()
    assert make_world([], store=Store(tmp_path / "state.db")).new_guid() not in guids
