"""Who wrote last to what drifted: asked of the emulator with the real client, and told apart here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from reconciler.azure.clients import Azure
from reconciler.azure.clouds import emulator_cloud
from reconciler.emulator.emulator import Pace
from reconciler.emulator.portal import SOMEBODY, request
from reconciler.emulator.serving import Served, running_server
from reconciler.emulator.world import Configuration
from reconciler.kinds.registry import kinds
from reconciler.live.last_writes import MOST_REQUESTS, MOST_WRITES, ask_last_writes, last_writes
from reconciler.model.arm_id import ArmId
from reconciler.plan.change import Action, Change, Reason
from reconciler.plan.plan import Plan
from reconciler.plan.provenance import LastWrites, Origin, Provenance
from tests.live.conftest import NOW, PROD

GROUP = f"/subscriptions/{PROD}/resourceGroups/rg-App"
VAULT = f"{GROUP}/providers/Microsoft.RecoveryServices/vaults/rsv-01"
CI = "0a1b2c3d-0000-4000-8000-000000000001"
DISK = {"location": "westeurope", "properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": 8}}
Ids = list[ArmId]


def disk(number: int) -> str:
    return f"{GROUP}/providers/Microsoft.Compute/disks/d-{number:02}"


class Estate:
    """A running emulator, people who write to it, and the door that asks."""

    def __init__(self, served: Served, azure: Azure) -> None:
        self.served = served
        self.azure = azure

    async def write(self, caller: str, path: str, body: Any = None, method: str = "PUT") -> None:
        """One request a minute, so that their order is certain."""
        self.served.emulator.world.advance(timedelta(minutes=1))
        text = msgspec.json.encode(DISK if body is None else body).decode()
        asked = f"{path}?api-version=2025-08-01"
        assert await self.send(method, asked, text, caller) < 300

    async def send(self, method: str, path: str, text: str, caller: str = SOMEBODY) -> int:
        """The status of a request from another thread: the server runs in this one."""
        said = await asyncio.to_thread(request, self.served.running, method, path, text, caller=caller)
        return said.status

    async def ask(self, *ids: str) -> list[LastWrites]:
        found = await last_writes(self.azure, [ArmId(one) for one in ids])
        return [found[ArmId(one)] for one in ids]

    def asked(self) -> int:
        return self.served.emulator.log.counts().get(
            "GET /subscriptions/{subscription}/providers/Microsoft.Insights/eventtypes/management/values", 0
        )


@pytest.fixture
def opened(tmp_path: Path, estate: dict[str, Any]) -> Callable[..., Any]:
    async def never(seconds: float) -> None:
        """Waits of retries are over at once."""

    @asynccontextmanager
    async def make(page_size: int = 200, **more: Any) -> AsyncIterator[Estate]:
        paged = Configuration(page_sizes={"microsoft.insights/eventtypes": page_size})
        pace = Pace(speed=0, auto_advance=True)
        async with running_server(tmp_path, estate={**estate, **more}, pace=pace, configuration=paged) as served:
            cloud = emulator_cloud(served.running.endpoint, Path(served.running.ca), "header.e30.signature")
            async with Azure(cloud, clock=served.emulator.world.clock.now, pause=never) as azure:
                yield Estate(served, azure)

    return make


def callers(found: LastWrites) -> list[str]:
    assert not found.missing
    return [write.caller for write in found.writes]


async def test_the_newest_writers_are_named_each_write_once(opened: Callable[..., Any]) -> None:
    async with opened() as one:
        for caller in ("bob@example.com", CI, "carol@example.com", "alice@example.com"):
            await one.write(caller, disk(1))
        await one.write("dave@example.com", disk(10))
        one.served.emulator.world.advance(timedelta(hours=1))
        (found,) = await one.ask(disk(1).upper() + "/")
    assert callers(found) == ["alice@example.com", "carol@example.com", CI]
    assert len(found.writes) == MOST_WRITES
    newest = found.writes[0]
    assert (newest.operation, newest.status) == ("Microsoft.Compute/disks/write", "Succeeded")
    assert newest.at == NOW + timedelta(minutes=4)
    assert newest.correlation_id


async def test_a_write_that_failed_changed_nothing(opened: Callable[..., Any]) -> None:
    many = {"location": "westeurope", "properties": DISK["properties"], "tags": {str(n): "x" for n in range(51)}}
    async with opened() as one:
        await one.write("alice@example.com", disk(1))
        one.served.emulator.world.advance(timedelta(minutes=1))
        text = msgspec.json.encode(many).decode()
        path = f"{disk(1)}?api-version=2025-01-02"
        assert await one.send("PUT", path, text, "bob@example.com") == 400
        assert await one.send("PUT", path.replace("d-01", "d-02"), text) == 400
        first, second = await one.ask(disk(1), disk(2))
    assert callers(first) == ["alice@example.com"]
    assert [write.status for write in second.writes] == ["Failed"]


async def test_reading_and_backing_up_are_no_change(opened: Callable[..., Any]) -> None:
    async with opened() as one:
        await one.write("alice@example.com", disk(1))
        await one.write(
            "bob@example.com", f"{disk(1)}/beginGetAccess", {"access": "Read", "durationInSeconds": 60}, "POST"
        )
        (found,) = await one.ask(disk(1))
    assert callers(found) == ["alice@example.com"]


async def test_of_a_vault_its_settings_and_tags_count_and_its_contents_do_not(opened: Callable[..., Any]) -> None:
    async with opened() as one:
        await one.write(
            "alice@example.com", f"{VAULT}/providers/Microsoft.Resources/tags/default", {"properties": {"tags": {}}}
        )
        settings = {"properties": {"softDeleteFeatureState": "Enabled"}}
        await one.write("bob@example.com", f"{VAULT}/backupconfig/vaultconfig", settings, "PATCH")
        await one.write("eve@example.com", f"{VAULT}/backupPolicies/weekly", _policy())
        await one.write("eve@example.com", disk(1))
        (found,) = await one.ask(VAULT)
    assert callers(found) == ["bob@example.com", "alice@example.com"]


def _policy() -> dict[str, Any]:
    at = ["2026-03-02T22:00:00Z"]
    daily = {"retentionTimes": at, "retentionDuration": {"count": 30, "durationType": "Days"}}
    return {
        "properties": {
            "backupManagementType": "AzureIaasVM",
            "timeZone": "UTC",
            "instantRpRetentionRangeInDays": 2,
            "schedulePolicy": {
                "schedulePolicyType": "SimpleSchedulePolicy",
                "scheduleRunFrequency": "Daily",
                "scheduleRunTimes": at,
            },
            "retentionPolicy": {"retentionPolicyType": "LongTermRetentionPolicy", "dailySchedule": daily},
        }
    }


async def test_many_of_one_group_are_one_list(opened: Callable[..., Any]) -> None:
    async with opened(page_size=20) as one:
        for number in range(14):
            await one.write(f"user-{number}@example.com", disk(number))
        found = await one.ask(*(disk(number) for number in range(15)))
        assert one.asked() == 3
    assert [callers(item) for item in found[:14]] == [[f"user-{number}@example.com"] for number in range(14)]
    assert found[14].missing == "nothing in the Activity Log of the last 90 days"


async def test_a_long_list_is_not_read_to_its_end(opened: Callable[..., Any]) -> None:
    async with opened(page_size=2) as one:
        for number in range(14):
            await one.write("alice@example.com", disk(number))
        found = await one.ask(*(disk(number) for number in range(14)))
        assert one.asked() == 5
    assert callers(found[13]) == ["alice@example.com"]
    assert "what is older was not read" in found[0].missing


async def test_a_run_asks_so_much_and_not_more(opened: Callable[..., Any]) -> None:
    groups = [f"/subscriptions/{PROD}/resourceGroups/rg-{number}" for number in range(MOST_REQUESTS + 5)]
    async with opened() as one:
        found = await one.ask(*(f"{group}/providers/Microsoft.Compute/disks/d" for group in groups))
        assert one.asked() == MOST_REQUESTS
    assert sum(item.missing.startswith("not asked") for item in found) == 5


async def test_who_may_not_read_the_log_is_told_what_is_missing(opened: Callable[..., Any]) -> None:
    held = [{"scope": f"/subscriptions/{PROD}", "actions": ["Microsoft.Compute/*"], "notActions": []}]
    async with opened(roleAssignments=held) as one:
        await one.write("alice@example.com", disk(1))
        (found,) = await one.ask(disk(1))
    assert not found.writes
    assert "Microsoft.Insights/eventtypes/values/read" in found.missing
    assert PROD in found.missing


@pytest.mark.parametrize(
    "rule",
    [
        {"status": 429, "retryAfter": 2},
        {"status": 500},
        {"status": 404},
        {"reset": "before"},
        {"body": "malformed"},
        {"body": "truncated"},
        {"page": "foreign"},
        {"page": "endless"},
        {"page": "repeats"},
    ],
    ids=str,
)
async def test_a_log_that_cannot_be_read_is_told_and_no_more(opened: Callable[..., Any], rule: dict[str, Any]) -> None:
    async with opened() as one:
        await asyncio.to_thread(one.served.running.add_fault, {"method": "GET", "path": "*/eventtypes/*", **rule})
        (found,) = await one.ask(disk(1))
    assert not found.writes
    assert found.missing


async def test_a_log_that_wants_an_hour_is_not_waited_for(opened: Callable[..., Any]) -> None:
    async with opened() as one:
        rule = {"method": "GET", "path": "*/eventtypes/*", "status": 429, "retryAfter": 3600}
        await asyncio.to_thread(one.served.running.add_fault, rule)

        async def wait(seconds: float) -> None:
            await asyncio.Event().wait()

        async with Azure(one.azure.cloud, clock=one.azure.now, pause=wait) as azure:
            found = await last_writes(azure, [ArmId(disk(1))], patience=0.2)
    assert found[ArmId(disk(1))] == LastWrites(missing="no answer of the Activity Log in 0.2 s")


async def test_nothing_is_asked_of_what_nobody_drifted(opened: Callable[..., Any]) -> None:
    def change(name: str, arm_id: str, reason: Reason = Reason.DIFFERS) -> Change:
        return Change(address=name, kind="snapshot", action=Action.UPDATE, reason=reason, arm_id=arm_id, before={})

    changes = (
        change("mine", disk(1)),
        change("theirs", disk(2)),
        change("gone", ""),
        change("due", disk(3), Reason.DUE),
    )
    origins = {"mine": Provenance(origin=Origin.MINE), "theirs": Provenance(origin=Origin.BOTH)}
    plan = Plan(created="2026-03-02T08:00:00Z", changes=changes)
    async with opened() as one:
        await one.write("alice@example.com", disk(2))
        assert await ask_last_writes(one.azure, plan, kinds(), drift=False) == plan
        assert one.asked() == 0
        labelled = msgspec.structs.replace(plan, origins=origins)
        planned = await ask_last_writes(one.azure, labelled, kinds(), drift=False)
        reported = await ask_last_writes(one.azure, plan, kinds(), drift=True)
    assert {address: callers(found) for address, found in planned.last_writes.items()} == {
        "theirs": ["alice@example.com"]
    }
    assert set(reported.last_writes) == {"mine", "theirs"}
