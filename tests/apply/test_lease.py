"""The lease of an apply, by clocks that are moved: who waits, who is told, and when it counts as lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec
import pytest

from reconciler.apply.events import Event, LockEvent
from reconciler.apply.lease import Blob, HeldError, Holder, Watch, hold_lease, whose
from reconciler.apply.lease_thread import hold_beside
from reconciler.apply.run import Stop
from reconciler.errors import AzureError, ConflictError, DeniedError, UnreachableError

WHERE = "https://shop.blob.core.windows.net/locks/prod"
ME = Holder(id="1", operation="apply", who="me@here", created=datetime(2026, 3, 2, 8, tzinfo=UTC), run="https://run/1")
OTHER = Holder(id="2", operation="restore", who="you@there", created=datetime(2026, 3, 2, 7, tzinfo=UTC))


@dataclass
class Clock:
    """Seconds that pass only when somebody waits; `events` are made to happen at their time."""

    time: float = 0.0
    later: list[tuple[float, Callable[[], None]]] = field(default_factory=list)

    async def pause(self, seconds: float) -> None:
        self.time += seconds
        for due, happen in [item for item in self.later if item[0] <= self.time]:
            self.later.remove((due, happen))
            happen()
        await asyncio.sleep(0)


@dataclass
class Storage:
    """A blob as Azure has it: one lease of 60 s, and content that only its holder writes."""

    clock: Clock
    content: bytes = b""
    until: float = 0.0
    owner: str = ""
    renewals: list[float] = field(default_factory=list)
    error: AzureError | None = None
    broken: bool = False

    @property
    def taken(self) -> bool:
        return bool(self.owner) and self.clock.time < self.until

    def take(self, owner: str, holder: Holder) -> None:
        self.owner, self.until, self.content = owner, self.clock.time + 60, msgspec.json.encode(holder)

    async def acquire(self) -> bool:
        if self.taken:
            return False
        self.owner, self.until = "me", self.clock.time + 60
        return True

    async def renew(self) -> None:
        self.renewals.append(self.clock.time)
        if self.broken:
            raise RuntimeError("a bug")
        if self.error:
            raise self.error
        if self.owner != "me":
            raise ConflictError("somebody else has it", why="LeaseIdMismatchWithLeaseOperation")
        self.until = self.clock.time + 60

    async def release(self) -> None:
        if self.error:
            raise self.error
        self.owner = ""

    async def write(self, record: bytes) -> None:
        self.content = record

    async def read(self) -> bytes:
        return self.content

    async def leased(self) -> bool:
        return self.taken


@dataclass
class Scene:
    """One process and the storage account."""

    clock: Clock = field(default_factory=Clock)
    stop: Stop = field(default_factory=Stop)
    told: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.blob = Storage(self.clock)
        self.watch = Watch(
            self.told.append,
            self.stop,
            lambda: datetime(2026, 3, 2, 8, tzinfo=UTC),
            lambda: self.clock.time,
            self.clock.pause,
        )

    @property
    def states(self) -> list[str]:
        return [event.state for event in self.told if isinstance(event, LockEvent)]

    async def until(self, condition: Callable[[], bool]) -> None:
        for _ in range(10_000):
            if condition():
                return
            await asyncio.sleep(0)
        raise AssertionError("it did not come to that")


@pytest.fixture
async def scene() -> Scene:
    return Scene()


async def test_it_is_renewed_every_twenty_seconds_and_let_go_at_the_end(scene: Scene) -> None:
    async with hold_lease(scene.blob, WHERE, ME, scene.watch) as lease:
        assert await whose(scene.blob) == ME
        await scene.until(lambda: len(scene.blob.renewals) == 20)
        assert lease.lost == ""
    assert scene.blob.renewals[:3] == [20, 40, 60]
    assert (await whose(scene.blob), scene.blob.content, scene.told) == (None, b"", [])


async def test_the_second_is_told_who_since_when_and_which_run(scene: Scene) -> None:
    scene.blob.take("other", OTHER)
    with pytest.raises(HeldError) as held:
        async with hold_lease(scene.blob, WHERE, ME, scene.watch):
            raise AssertionError("it is held")
    assert "restore by you@there, since 2026-03-02 07:00:00 UTC holds https://shop" in str(held.value)
    assert str(ME).endswith("https://run/1")
    assert scene.blob.owner == "other", "nothing of the holder's is touched"


async def test_waiting_grows_and_ends_with_the_lock(scene: Scene) -> None:
    scene.blob.take("other", OTHER)
    scene.clock.later.append((30.0, lambda: setattr(scene.blob, "owner", "")))
    async with hold_lease(scene.blob, WHERE, ME, scene.watch, patience=300):
        assert scene.clock.time == 31, "1, 2, 4, 8 and 16 seconds"
    assert scene.states == ["waiting", "taken_over"]


async def test_waiting_ends_after_its_time(scene: Scene) -> None:
    scene.blob.take("other", OTHER)
    scene.blob.until = 1e9
    with pytest.raises(HeldError, match="for all of 45 seconds"):
        async with hold_lease(scene.blob, WHERE, ME, scene.watch, patience=45):
            raise AssertionError("it is held")


async def test_waiting_ends_when_somebody_asks_to_stop(scene: Scene) -> None:
    scene.blob.take("other", OTHER)
    scene.blob.until = 1e9
    scene.clock.later.append((5.0, scene.stop.request))
    with pytest.raises(HeldError):
        async with hold_lease(scene.blob, WHERE, ME, scene.watch, patience=3600):
            raise AssertionError("it is held")
    assert scene.clock.time < 10


async def test_the_lock_of_one_that_was_killed_is_taken_over_and_that_is_said(scene: Scene) -> None:
    scene.blob.take("other", OTHER)
    async with hold_lease(scene.blob, WHERE, ME, scene.watch, patience=120):
        assert 60 <= scene.clock.time <= 80, "the lease has ended by itself"
    assert scene.states == ["waiting", "taken_over"]
    assert "you@there" in scene.told[1].text


async def test_a_lease_that_somebody_else_has_stops_the_apply(scene: Scene) -> None:
    async with hold_lease(scene.blob, WHERE, ME, scene.watch) as lease:
        scene.blob.take("other", OTHER)
        await scene.until(scene.stop.asked.is_set)
        assert lease.lost == "LeaseIdMismatchWithLeaseOperation"
        assert not scene.stop.gave_up.is_set()
    assert scene.states == ["lost"]
    assert scene.blob.owner == "other", "what is not ours is not let go"
    assert await whose(scene.blob) == OTHER


@pytest.mark.parametrize("error", [UnreachableError("no answer"), DeniedError("the role was taken away")])
async def test_a_renewal_that_fails_is_tried_again_for_as_long_as_the_lease_lasts(
    scene: Scene, error: AzureError
) -> None:
    async with hold_lease(scene.blob, WHERE, ME, scene.watch) as lease:
        scene.blob.error = error
        scene.clock.later.append((30.0, lambda: setattr(scene.blob, "error", None)))
        await scene.until(lambda: len(scene.blob.renewals) == 8)
        assert lease.lost == ""
        began = scene.clock.time
        scene.blob.error = error
        await scene.until(lambda: bool(lease.lost))
        assert scene.clock.time - began < 60, "before Azure gives it to somebody else"
    assert scene.stop.asked.is_set()
    assert scene.states == ["lost"]


async def test_who_sleeps_for_longer_than_the_lease_has_lost_it(scene: Scene) -> None:
    """Somebody else may have had it and given it back meanwhile: to renew it then would be to know nothing of that."""
    async with hold_lease(scene.blob, WHERE, ME, scene.watch) as lease:
        scene.clock.later.append((5.0, lambda: setattr(scene.clock, "time", 3600.0)))
        await scene.until(scene.stop.asked.is_set)
        assert scene.blob.renewals == []
    assert "slept" in lease.lost


async def test_it_counts_as_lost_ten_seconds_before_azure_gives_it_away(scene: Scene) -> None:
    async with hold_lease(scene.blob, WHERE, ME, scene.watch) as lease:
        scene.blob.error = UnreachableError("no answer")
        await scene.until(scene.stop.asked.is_set)
        assert scene.clock.time <= 50
    assert lease.lost.startswith("it could not be renewed in time")


async def test_renewing_never_dies_in_silence(scene: Scene) -> None:
    async with hold_lease(scene.blob, WHERE, ME, scene.watch) as lease:
        scene.blob.broken = True
        await scene.until(scene.stop.asked.is_set)
    assert "RuntimeError" in lease.lost
    assert "a bug" not in lease.lost, "it may hold the address of the blob, which may be a secret"
    assert scene.states == ["lost"]


async def test_it_is_let_go_whatever_happens(scene: Scene) -> None:
    with pytest.raises(ValueError, match="broken"):
        async with hold_lease(scene.blob, WHERE, ME, scene.watch):
            raise ValueError("broken")
    assert not scene.blob.taken
    async with hold_lease(scene.blob, WHERE, ME, scene.watch):
        scene.blob.error = UnreachableError("no answer")
    assert scene.states == ["left"]


async def test_content_that_is_not_ours_is_nobody(scene: Scene) -> None:
    scene.blob.take("other", OTHER)
    scene.blob.content = b"\xffa text of somebody's"
    assert str(await whose(scene.blob)) == "somebody who has not said who"


async def test_a_thread_of_its_own_keeps_it_while_nothing_else_runs(scene: Scene) -> None:
    """The main thread is blocked, as by a question at the terminal; the lease is lost meanwhile, and known to be."""
    import threading
    from contextlib import asynccontextmanager

    renewed = threading.Event()

    class Watched(Storage):
        async def renew(self) -> None:
            renewed.set()
            await super().renew()

    blob: Blob = Watched(scene.clock)

    @asynccontextmanager
    async def opening() -> AsyncIterator[Blob]:
        yield blob

    async with hold_beside(opening, WHERE, ME, scene.watch) as lease:
        renewed.clear()
        assert renewed.wait(30), "it is renewed although this loop stands still"
        blob.take("other", OTHER)  # type: ignore[attr-defined]
        while not lease.lost:
            renewed.wait(30)
        assert scene.told == [], "nobody could be told yet"
        await scene.until(scene.stop.asked.is_set)
    assert scene.states == ["lost"]
    assert not [thread for thread in threading.enumerate() if thread.name == "lease"]
