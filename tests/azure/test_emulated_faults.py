"""Everything the emulator can do wrong, heard by the real door: an answer, a clear error, never a hang or a gap."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from reconciler.azure.clients import Azure
from reconciler.azure.clouds import emulator_cloud
from reconciler.azure.operations import Operation, operation_from, wait
from reconciler.emulator.emulator import Pace
from reconciler.emulator.serving import Served, running_server
from reconciler.emulator.throttle import Regime
from reconciler.emulator.world import Configuration
from reconciler.errors import (
    AbsentError,
    ConflictError,
    DeniedError,
    DoubtfulError,
    FailedError,
    OperationTimeoutError,
    ThrottledError,
    UnreachableError,
)

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
ONE, TWO = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
VERSION = "2024-07-01"
ESTATE: dict[str, Any] = {
    "estate": "faults",
    "clock": NOW.isoformat(),
    "subscriptions": [{"id": ONE, "name": "One"}, {"id": TWO, "name": "Two"}],
    "resourceGroups": [
        {"subscription": "One", "name": "rg-app", "location": "westeurope"},
        {"subscription": "Two", "name": "rg-other", "location": "westeurope"},
    ],
    "virtualMachines": [
        *({"name": f"app-{number}", "resourceGroup": "rg-app"} for number in range(5)),
        {"name": "other", "resourceGroup": "rg-other"},
    ],
}
NAMES = [f"app-{number}" for number in range(5)]
MACHINES = f"/subscriptions/{ONE}/providers/Microsoft.Compute/virtualMachines"
GROUPS = f"/subscriptions/{ONE}/resourceGroups"


class Named(msgspec.Struct, frozen=True):
    name: str


@dataclass
class Faulty:
    """An emulator, the door to it, and what was waited for: waits pass in the emulator's time."""

    served: Served
    azure: Azure
    waits: list[float] = field(default_factory=list)

    def fault(self, **rule: Any) -> None:
        self.served.emulator.world.faults.add(rule)

    async def names(self, path: str = MACHINES) -> list[str]:
        return [found.name async for found in self.azure.list(path, VERSION, Named)]

    def statuses(self) -> list[int]:
        return [entry.status for entry in self.served.emulator.log.recent()]


@asynccontextmanager
async def open_faulty(folder: Path, **pace: Any) -> AsyncIterator[Faulty]:
    configuration = Configuration(page_sizes={"Microsoft.Compute/virtualMachines": 2}, retry_after_seconds=10)
    pace = {"speed": 0, "auto_advance": True, **pace}
    async with running_server(folder, estate=ESTATE, pace=Pace(**pace), configuration=configuration) as served:
        world, waits = served.emulator.world, list[float]()

        async def pause(seconds: float) -> None:
            waits.append(seconds)
            world.advance(timedelta(seconds=seconds))

        cloud = emulator_cloud(served.running.endpoint, Path(served.running.ca), served.running.token)
        async with Azure(cloud, clock=world.clock.now, pause=pause) as azure:
            yield Faulty(served, azure, waits)


@pytest.fixture
async def faulty(tmp_path: Path) -> AsyncIterator[Faulty]:
    async with open_faulty(tmp_path) as opened:
        yield opened


@pytest.mark.parametrize(
    ("rule", "requests"),
    [
        ({"status": 429, "retryAfter": 30, "count": 2}, 5),
        ({"status": 500, "count": 3}, 6),
        ({"status": 502, "count": 1, "skip": 1}, 4),
        ({"status": 503, "retryAfter": 5, "count": 2}, 5),
        ({"status": 504, "count": 2}, 5),
        ({"status": 401, "count": 1}, 4),
        ({"reset": "before", "count": 2}, 5),
        ({"reset": "after", "count": 1}, 4),
        ({"body": "truncated", "count": 2}, 5),
        ({"delay": 0.01}, 3),
        ({"status": 500, "probability": 0.3, "seed": 7}, None),
    ],
    ids=str,
)
async def test_a_list_comes_through(faulty: Faulty, rule: dict[str, Any], requests: int | None) -> None:
    faulty.fault(**rule)
    assert await faulty.names() == NAMES
    assert requests is None or faulty.azure.requests <= requests
    if "retryAfter" in rule:
        assert faulty.waits[: rule["count"]] == [rule["retryAfter"]] * rule["count"]


@pytest.mark.parametrize(
    ("rule", "error", "words"),
    [
        ({"status": 429, "retryAfter": 5}, ThrottledError, "limits the requests"),
        ({"status": 500}, DoubtfulError, "InternalServerError"),
        ({"status": 502}, DoubtfulError, "InvalidGatewayHost"),
        ({"status": 503}, DoubtfulError, "ServerTimeout"),
        ({"status": 504}, DoubtfulError, "GatewayTimeout"),
        ({"status": 403}, DeniedError, "may not perform Microsoft.Compute/virtualMachines/read"),
        ({"status": 401}, DeniedError, "denies access"),
        ({"status": 404, "code": "ResourceNotFound"}, AbsentError, "does not exist"),
        ({"reset": "before"}, UnreachableError, "no answer"),
        ({"reset": "after"}, UnreachableError, "no answer"),
        ({"body": "malformed"}, FailedError, "another shape"),
        ({"body": "truncated"}, UnreachableError, "no answer"),
        ({"page": "repeats"}, FailedError, "does not end"),
        ({"page": "endless"}, FailedError, "does not end"),
        ({"page": "endless", "skip": 1}, FailedError, "does not end"),
        ({"page": "foreign"}, FailedError, "points to another server"),
    ],
    ids=str,
)
async def test_a_list_that_stays_broken_is_a_clear_error(
    faulty: Faulty, rule: dict[str, Any], error: type[Exception], words: str
) -> None:
    faulty.fault(**rule)
    with pytest.raises(error) as caught:
        await faulty.names()
    assert words in str(caught.value)
    assert MACHINES in str(caught.value)
    assert faulty.azure.requests <= 16


async def test_one_subscription_that_is_denied_hides_no_other(faulty: Faulty) -> None:
    faulty.fault(path=f"/subscriptions/{ONE}/*", status=403)
    with pytest.raises(DeniedError):
        await faulty.names()
    assert await faulty.names(MACHINES.replace(ONE, TWO)) == ["other"]


async def test_a_schedule_begins_and_ends_in_virtual_time(faulty: Faulty) -> None:
    faulty.fault(status=403, starts="1h", ends="2h")
    world = faulty.served.emulator.world
    assert await faulty.names() == NAMES
    world.advance(timedelta(minutes=90))
    with pytest.raises(DeniedError):
        await faulty.names()
    world.advance(timedelta(hours=1))
    assert await faulty.names() == NAMES


@pytest.mark.parametrize("seed", [3, 4])
async def test_a_failure_can_be_replayed(tmp_path: Path, seed: int) -> None:
    """The same requests fail again, whatever else is asked in between."""
    runs = []
    for noise in (False, True):
        async with open_faulty(tmp_path) as faulty:
            faulty.fault(path=GROUPS, status=403, probability=0.5, seed=seed)
            outcomes = []
            for _ in range(12):
                if noise:
                    await faulty.names()
                outcomes.append((await faulty.azure.exchange("GET", f"{GROUPS}?api-version={VERSION}")).status)
            runs.append(outcomes)
    assert runs[0] == runs[1]
    assert set(runs[0]) == {200, 403}


async def make_group(faulty: Faulty, name: str = "new") -> None:
    await faulty.azure.send("PUT", f"{GROUPS}/{name}", VERSION, {"location": "westeurope"})


async def test_reads_miss_a_write_as_often_as_they_are_told_to(faulty: Faulty) -> None:
    faulty.fault(method="PUT", stale=3)
    await make_group(faulty)
    with pytest.raises(AbsentError):
        await faulty.azure.get(f"{GROUPS}/new", VERSION, Named)
    assert "new" not in await faulty.names(GROUPS)
    assert await faulty.names() == NAMES, "a list of something else does not count"
    assert "new" not in await faulty.names(GROUPS)
    assert "new" in await faulty.names(GROUPS)
    assert (await faulty.azure.get(f"{GROUPS}/new", VERSION, Named)).name == "new"


async def test_reads_are_true_once_the_faults_are_cleared(faulty: Faulty) -> None:
    faulty.fault(method="PUT", stale=3)
    await make_group(faulty)
    assert "new" not in await faulty.names(GROUPS)
    faulty.served.emulator.gateway.clear_faults()
    assert "new" in await faulty.names(GROUPS)


async def test_a_delete_shows_late(faulty: Faulty) -> None:
    faulty.fault(method="DELETE", stale=2)
    operation = await delete_group(faulty)
    await wait(faulty.azure, operation, limit=timedelta(hours=1))
    assert "rg-app" in await faulty.names(GROUPS)
    assert (await faulty.azure.get(f"{GROUPS}/rg-app", VERSION, Named)).name == "rg-app"
    with pytest.raises(AbsentError):
        await faulty.azure.get(f"{GROUPS}/rg-app", VERSION, Named)


async def delete_group(faulty: Faulty, *, gone_is_success: bool = False) -> Operation:
    answer = await faulty.azure.send("DELETE", f"{GROUPS}/rg-app", VERSION)
    operation = operation_from(answer.status, answer.headers, f"{GROUPS}/rg-app", gone_is_success=gone_is_success)
    assert operation is not None
    return operation


@pytest.mark.parametrize(
    ("rule", "error", "words", "gone"),
    [
        ({"operation": "fails", "code": "Broken"}, ConflictError, "Broken", False),
        ({"operation": "hangs"}, OperationTimeoutError, "has not ended", False),
        ({"operation": "lost"}, FailedError, "no longer knows the operation", True),
        ({"operation": "forgotten"}, FailedError, "no longer knows the operation", True),
    ],
    ids=str,
)
async def test_operations_that_end_badly_or_never(
    faulty: Faulty, rule: dict[str, Any], error: type[Exception], words: str, gone: bool
) -> None:
    faulty.fault(method="DELETE", count=1, **rule)
    operation = await delete_group(faulty)
    with pytest.raises(error) as caught:
        await wait(faulty.azure, operation, limit=timedelta(minutes=10))
    assert words in str(caught.value)
    assert ("rg-app" not in await faulty.names(GROUPS)) is gone
    assert faulty.azure.requests < 80


async def test_a_forgotten_delete_is_done(tmp_path: Path) -> None:
    async with open_faulty(tmp_path, auto_advance=False) as faulty:
        faulty.fault(method="DELETE", operation="forgotten")
        operation = await delete_group(faulty, gone_is_success=True)
        await wait(faulty.azure, operation, limit=timedelta(hours=1))
        assert "rg-app" not in await faulty.names(GROUPS)
        assert faulty.statuses()[-3:-1] == [202, 404], "in progress until its end, then gone"


@pytest.mark.parametrize("rule", [{"status": 500}, {"reset": "after"}, {"status": 429, "retryAfter": 3}], ids=str)
async def test_polls_that_break_are_asked_again(faulty: Faulty, rule: dict[str, Any]) -> None:
    faulty.fault(sort="poll", count=9, **rule)
    await wait(faulty.azure, await delete_group(faulty), limit=timedelta(hours=1))
    assert "rg-app" not in await faulty.names(GROUPS)


@pytest.mark.parametrize(
    ("rule", "error", "sent"),
    [
        ({"status": 500, "after": True}, DoubtfulError, 1),
        ({"status": 504, "after": True}, DoubtfulError, 1),
        ({"status": 503, "retryAfter": 1}, DoubtfulError, 1),
        ({"reset": "before"}, UnreachableError, 1),
        ({"reset": "after"}, UnreachableError, 1),
    ],
    ids=str,
)
@pytest.mark.parametrize("method", ["PUT", "PATCH", "POST", "DELETE"])
async def test_the_door_sends_a_write_once(
    faulty: Faulty, method: str, rule: dict[str, Any], error: type[Exception], sent: int
) -> None:
    """Even on a connection that was used before, where the HTTP library would repeat it by itself."""
    assert await faulty.names() == NAMES
    faulty.fault(method=method, **rule)
    action = "/providers/Microsoft.Compute/virtualMachines/app-0/restart" if method == "POST" else ""
    before = faulty.azure.requests
    with pytest.raises(error):
        await faulty.azure.send(method, f"{GROUPS}/rg-app{action}", VERSION, {"location": "westeurope"})
    assert faulty.azure.requests - before == sent
    assert len([entry for entry in faulty.served.emulator.log.recent() if entry.method == method]) == sent


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("rule", [{"status": 429, "retryAfter": 9}, {"status": 429}], ids=str)
async def test_a_write_that_was_limited_is_sent_again(faulty: Faulty, method: str, rule: dict[str, Any]) -> None:
    faulty.fault(method=method, count=2, **rule)
    await faulty.azure.send(method, f"{GROUPS}/rg-app", VERSION, {"location": "westeurope"})
    assert len([entry for entry in faulty.served.emulator.log.recent() if entry.method == method]) == 3


async def test_the_door_paces_itself_by_the_remaining_quota(faulty: Faulty) -> None:
    faulty.served.emulator.world.throttle.set(Regime(factor=1))
    for _ in range(400):
        await faulty.azure.get(f"{GROUPS}/rg-app", VERSION, Named)
    assert faulty.statuses().count(429) == 0
    assert faulty.azure.requests == 400
    assert sum(faulty.waits) < 20


@pytest.mark.parametrize("factor", [0.02, 0.1])
async def test_a_small_quota_is_obeyed_without_a_storm(faulty: Faulty, factor: float) -> None:
    faulty.served.emulator.world.throttle.set(Regime(factor=factor))
    await asyncio.gather(*(faulty.azure.get(f"{GROUPS}/rg-app", VERSION, Named) for _ in range(60)))
    statuses = faulty.statuses()
    assert statuses.count(200) == 60
    assert statuses.count(429) <= 60
    assert faulty.azure.requests == len(statuses)


async def test_an_hourly_limit_is_waited_out(faulty: Faulty) -> None:
    action = "Microsoft.Compute/virtualMachines/read"
    faulty.served.emulator.world.throttle.set(Regime(factor=1, hourly={action: 4}))
    assert await faulty.names() == NAMES
    assert await faulty.names() == NAMES
    assert faulty.statuses().count(429) == 1
    assert 3590 <= max(faulty.waits) <= 3600
