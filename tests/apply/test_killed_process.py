"""A real process, a real kill -9, real kinds, and an Azure that was not told: the emulator."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from reconciler.apply.journal import open_steps
from reconciler.emulator.emulator import Pace
from reconciler.emulator.request_log import LoggedRequest, RequestLog
from reconciler.emulator.serving import Served, running_server

SUBSCRIPTION = "11111111-1111-4111-8111-111111111111"
ESTATE: dict[str, Any] = {
    "estate": "killed",
    "clock": datetime(2026, 3, 2, 8, 0, tzinfo=UTC).isoformat(),
    "subscriptions": [{"id": SUBSCRIPTION, "name": "Tests"}],
    "resourceGroups": [
        {"subscription": "Tests", "name": "rg-backup", "location": "westeurope"},
        {"subscription": "Tests", "name": "rg-app", "location": "westeurope"},
    ],
    "virtualMachines": [
        {"name": f"app-0{number}", "resourceGroup": "rg-app", "os": "Linux", "tags": {"env": "prod"}}
        for number in range(1, 4)
    ],
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
immutability: Unlocked
---
apiVersion: reconciler/v1
kind: Vault
name: rsv-neu
subscription: prod
resourceGroup: rg-backup
location: northeurope
redundancy: ZoneRedundant
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

APPLY = """
import asyncio, json, os, signal, sys
from datetime import UTC, datetime
from pathlib import Path

from reconciler.apply.lock import Holder
from reconciler.apply.run import Stop
from reconciler.azure.clients import Azure
from reconciler.azure.clouds import emulator_cloud
from reconciler.cli.cloud import VirtualClock
from reconciler.desired.validate import validate
from reconciler.emulator.remote import Running
from reconciler.kinds.registry import kinds
from reconciler.workflow import Machinery, Wishes, apply, make_plan

endpoint, ca, token, folder, policies, run, dies_at, interrupts = json.loads(sys.argv[1])
seen = []


async def main():
    stop = Stop()

    def emit(event):
        seen.append(type(event).__struct_config__.tag)
        print(event.text, flush=True)
        if len(seen) == dies_at:
            if interrupts:
                stop.request()
            else:
                os.kill(os.getpid(), signal.SIGKILL)

    today = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
    cloud = emulator_cloud(endpoint, Path(ca), token)
    running = Running(endpoint=endpoint, ca=ca, token=token, pid=0, folder="", instance="")

    async def pause(seconds):
        await asyncio.to_thread(running.advance, "1m")  # the emulator's time passes, not ours

    async with Azure(cloud, clock=VirtualClock(running), pause=pause) as azure:
        checked = validate([Path(policies)], today.date(), kinds())
        assert checked.declared, checked.findings
        holder = Holder(pid=os.getpid(), host="here", since=today)
        machinery = Machinery(emit, stop, Path(folder), holder, run, "0")
        wishes = Wishes()
        outcome = await apply(
            azure, machinery, lambda: make_plan(azure, checked, checked.declared, wishes), lambda review: True
        )
        if outcome.result:
            sys.exit(outcome.result.exit_code)
        print("nothing to do" if outcome.review.plan.empty else outcome.review.plan)


asyncio.run(main())
"""


@pytest.fixture
async def emulator(tmp_path: Path) -> AsyncIterator[Served]:
    async with running_server(tmp_path, estate=ESTATE, pace=Pace(speed=0, auto_advance=True)) as served:
        yield served


class Doorbell(RequestLog):
    """A log that rings when a request comes in: the emulator notes it before it answers."""

    def __init__(self, method: str, name: str, before: list[LoggedRequest]) -> None:
        super().__init__(None)
        self.rings = asyncio.Event()
        self._wanted = (method, name)
        for request in before:
            self.add(request)

    def add(self, request: LoggedRequest) -> None:
        super().add(request)
        if (request.method, request.path.rpartition("/")[2].lower()) == self._wanted:
            self.rings.set()


class Bench:
    """Applies in processes of their own, against one emulator."""

    def __init__(self, served: Served, folder: Path) -> None:
        self.served = served
        self.journals = folder / "journals"
        self.policies = folder / "policies"
        self.policies.mkdir()
        (self.policies / "estate.yaml").write_text(POLICIES)

    async def start(self, run: str, dies_at: int = 0, *, interrupts: bool = False) -> asyncio.subprocess.Process:
        running = self.served.running
        told = [running.endpoint, running.ca, running.token, str(self.journals), str(self.policies), run, dies_at]
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            APPLY,
            msgspec.json.encode([*told, interrupts]).decode(),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )

    async def apply(self, run: str, dies_at: int = 0, *, interrupts: bool = False) -> tuple[int, str]:
        process = await self.start(run, dies_at, interrupts=interrupts)
        output, _ = await process.communicate()
        assert process.returncode is not None
        return process.returncode, output.decode()

    async def arrival(self, method: str, name: str) -> None:
        """Returns when a request with this method, on the resource of this name, has taken effect."""
        log = self.served.emulator.log = Doorbell(method, name, self.served.emulator.log.recent())
        await log.rings.wait()

    def writes(self) -> Counter[str]:
        """What was sent, and how often, by method and name of the resource."""
        return Counter(
            f"{entry.method} {entry.path.rpartition('/')[2].lower()}"
            for entry in self.served.emulator.log.recent()
            if entry.method in ("PUT", "PATCH", "DELETE")
        )


@pytest.fixture
def bench(emulator: Served, tmp_path: Path) -> Bench:
    return Bench(emulator, tmp_path)


ONCE = {
    "PUT rsv-weu": 1,
    "PATCH rsv-weu": 3,  # redundancy, soft delete, immutability
    "PUT rsv-neu": 1,
    "PATCH rsv-neu": 1,
    "PUT daily-30d": 1,
    **{f"PUT vm;iaasvmcontainerv2;rg-app;app-0{number}": 1 for number in range(1, 4)},
}


async def test_undisturbed_it_writes_each_thing_once_and_then_nothing(bench: Bench) -> None:
    code, output = await bench.apply("r1")
    assert code == 0, output
    assert bench.writes() == ONCE
    code, output = await bench.apply("r2")
    assert (code, output) == (0, "nothing to do\n")
    assert bench.writes() == ONCE


@pytest.mark.parametrize("dies_at", [8, 12, 16, 20, 27, 33])
async def test_killed_at_an_event_the_next_apply_converges_and_starts_nothing_twice(bench: Bench, dies_at: int) -> None:
    code, output = await bench.apply("r1", dies_at)
    assert code == -9, output
    code, output = await bench.apply("r2")
    assert code == 0, output
    assert bench.writes() == ONCE, output
    assert (await bench.apply("r3")) == (0, "nothing to do\n")
    assert open_steps(bench.journals, f"emulator:{bench.served.running.ca}") == []


@pytest.mark.parametrize(
    ("method", "name"),
    [
        ("PUT", "rsv-weu"),
        ("PATCH", "rsv-neu"),
        ("PUT", "daily-30d"),
        ("PUT", "vm;iaasvmcontainerv2;rg-app;app-02"),
    ],
)
async def test_killed_before_azures_answer_came_it_looks_before_it_sends(bench: Bench, method: str, name: str) -> None:
    """The write took effect, and nobody heard: the answer is held back until the process is gone."""
    bench.served.emulator.world.faults.add({"method": method, "path": f"*/{name}", "delay": 1.0, "count": 1})
    process = await bench.start("r1")
    await bench.arrival(method, name)
    process.kill()
    await process.communicate()
    assert open_steps(bench.journals, f"emulator:{bench.served.running.ca}"), "it was about to be sent"
    code, output = await bench.apply("r2")
    assert code == 0, output
    assert "(resumed)" in output
    assert bench.writes() == ONCE, output


async def test_ctrl_c_waits_for_what_runs_and_the_next_apply_does_the_rest(bench: Bench) -> None:
    code, output = await bench.apply("r1", 6, interrupts=True)
    assert code == 4, output
    assert "not tried" in output
    assert list(bench.journals.glob("*.jsonl")) == [], "what ran was waited for"
    assert (await bench.apply("r2"))[0] == 0
    assert bench.writes() == ONCE
