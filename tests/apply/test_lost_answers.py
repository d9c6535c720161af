"""Writes whose answers go wrong, sent by the real kinds through the real door: each takes effect, and none twice."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from reconciler.apply.events import Event
from reconciler.apply.lock import Holder
from reconciler.apply.run import Stop
from reconciler.azure.clients import Azure
from reconciler.azure.clouds import emulator_cloud
from reconciler.desired.validate import validate
from reconciler.emulator.emulator import Pace
from reconciler.emulator.serving import Served, running_server
from reconciler.errors import ExitCode
from reconciler.kinds.registry import kinds
from reconciler.workflow import Machinery, Outcome, Wishes, apply, make_plan

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
SUBSCRIPTION = "11111111-1111-4111-8111-111111111111"
ESTATE: dict[str, Any] = {
    "estate": "lost answers",
    "clock": NOW.isoformat(),
    "subscriptions": [{"id": SUBSCRIPTION, "name": "Tests"}],
    "resourceGroups": [
        {"subscription": "Tests", "name": "rg-backup", "location": "westeurope"},
        {"subscription": "Tests", "name": "rg-app", "location": "westeurope"},
    ],
    "virtualMachines": [{"name": "app-01", "resourceGroup": "rg-app", "tags": {"env": "prod"}}],
}
POLICIES = f"""
apiVersion: reconciler/v1
kind: Scope
name: estate
subscriptions: {{prod: {SUBSCRIPTION}}}
---
apiVersion: reconciler/v1
kind: Vault
name: rsv-weu
subscription: prod
resourceGroup: rg-backup
location: westeurope
redundancy: LocallyRedundant
softDelete: {{state: 'On', days: 30}}
---
apiVersion: reconciler/v1
kind: BackupPolicy
name: daily-30d
tier: Standard
schedule: {{frequency: Daily, time: 22:00}}
retention: {{daily: {{days: 30}}}}
---
apiVersion: reconciler/v1
kind: Protection
name: production
select: {{tags: {{env: prod}}}}
backup: {{policy: daily-30d}}
"""


@dataclass
class Bench:
    """One emulator, one door to it whose waits pass in the emulator's time, and what was told on the way."""

    served: Served
    azure: Azure
    folder: Path
    told: list[Event] = field(default_factory=list)

    async def apply(self, run: str = "r1") -> Outcome:
        policies = self.folder / "policies"
        policies.mkdir(exist_ok=True)
        (policies / "estate.yaml").write_text(POLICIES)
        checked = validate([policies], NOW.date(), kinds())
        assert checked.declared, checked.findings
        declared, wishes = checked.declared, Wishes()
        holder = Holder(pid=os.getpid(), host="here", since=NOW)
        machinery = Machinery(self.told.append, Stop(), self.folder / "journals", holder, run, "0")
        return await apply(
            self.azure, machinery, lambda: make_plan(self.azure, checked, declared, wishes), lambda review: True
        )

    def sent(self, method: str, name: str) -> int:
        return len(
            [entry for entry in self._writes() if (entry.method, entry.path.rpartition("/")[2]) == (method, name)]
        )

    def started(self) -> Counter[str]:
        """How many operations were started, by method and path."""
        return Counter(f"{entry.method} {entry.path.lower()}" for entry in self._writes() for _ in entry.operations)

    def _writes(self) -> list[Any]:
        return [
            entry for entry in self.served.emulator.log.recent() if entry.method in ("PUT", "PATCH", "POST", "DELETE")
        ]


@asynccontextmanager
async def open_bench(folder: Path, *, auto_advance: bool = True) -> AsyncIterator[Bench]:
    pace = Pace(speed=0, auto_advance=auto_advance)
    async with running_server(folder, estate=ESTATE, pace=pace) as served:
        world = served.emulator.world

        async def pause(seconds: float) -> None:
            world.advance(timedelta(seconds=seconds))

        cloud = emulator_cloud(served.running.endpoint, Path(served.running.ca), served.running.token)
        async with Azure(cloud, clock=world.clock.now, pause=pause) as azure:
            yield Bench(served, azure, folder)


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    async with open_bench(tmp_path) as opened:
        yield opened


ITEM = "vm;iaasvmcontainerv2;rg-app;app-01"
WRITES = [("PUT", "rsv-weu"), ("PATCH", "rsv-weu"), ("PUT", "daily-30d"), ("PUT", ITEM)]
USUALLY = {("PATCH", "rsv-weu"): 2}
TOOK_EFFECT = [{"status": 504, "after": True}, {"status": 500, "after": True}, {"reset": "after"}]
DID_NOT = [{"status": 502}, {"status": 503, "retryAfter": 7}, {"reset": "before"}, {"status": 429, "retryAfter": 61}]


async def converges(bench: Bench) -> None:
    outcome = await bench.apply()
    assert outcome.result is not None
    assert outcome.result.exit_code is ExitCode.OK, [event.text for event in bench.told]
    assert (await bench.apply("r2")).review.plan.empty
    started = bench.started()
    assert {key: count for key, count in started.items() if count > 1 and not key.startswith("PATCH")} == {}
    assert any(key.endswith(ITEM) for key in started)


@pytest.mark.parametrize("fault", TOOK_EFFECT, ids=str)
@pytest.mark.parametrize(("method", "name"), WRITES)
async def test_a_write_that_took_effect_is_not_sent_twice(
    bench: Bench, method: str, name: str, fault: dict[str, Any]
) -> None:
    bench.served.emulator.world.faults.add({**fault, "method": method, "path": f"*/{name}", "count": 1})
    await converges(bench)
    if method == "PATCH":  # a vault shows nothing of one under way, and the same settings may be sent twice
        assert bench.sent(method, name) in (2, 3)
    else:
        assert bench.sent(method, name) == 1


@pytest.mark.parametrize("fault", DID_NOT, ids=str)
@pytest.mark.parametrize(("method", "name"), WRITES)
async def test_a_write_that_never_arrived_is_sent_again(
    bench: Bench, method: str, name: str, fault: dict[str, Any]
) -> None:
    bench.served.emulator.world.faults.add({**fault, "method": method, "path": f"*/{name}", "count": 2})
    await converges(bench)
    assert bench.sent(method, name) == USUALLY.get((method, name), 1) + 2


@pytest.mark.parametrize("fault", TOOK_EFFECT, ids=str)
async def test_a_slow_operation_behind_a_lost_answer_is_waited_for(tmp_path: Path, fault: dict[str, Any]) -> None:
    """Its time does not jump: whoever repeats the write meets the first one still running."""
    async with open_bench(tmp_path, auto_advance=False) as bench:
        bench.served.emulator.world.faults.add({**fault, "method": "PUT", "path": f"*/{ITEM}", "count": 1})
        await converges(bench)
        assert bench.sent("PUT", ITEM) == 1


@pytest.mark.parametrize("fault", [*TOOK_EFFECT, *DID_NOT], ids=str)
async def test_a_vault_is_asked_once_to_look_for_vms(bench: Bench, fault: dict[str, Any]) -> None:
    unknown = {"status": 400, "code": "UserErrorVmNotFoundV2", "method": "PUT", "path": f"*/{ITEM}", "count": 1}
    bench.served.emulator.world.faults.load([unknown, {**fault, "path": "*/refreshContainers", "count": 1}])
    await converges(bench)
    assert bench.sent("PUT", ITEM) == 2
    assert bench.sent("POST", "refreshContainers") == (2 if fault.get("status") == 429 else 1)
