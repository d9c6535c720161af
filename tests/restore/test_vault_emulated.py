"""Restores from a vault with the real SDKs against the emulator: planned, made, read back, and not made twice."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from reconciler.apply.events import ApplyAccepted, ApplyProgress
from reconciler.model.restore_request import BackupRequest
from reconciler.plan.change import Action
from reconciler.plan.file import decode, encode
from reconciler.plan.plan import Plan
from tests.emulator.backup.restorer import GROUP, OTHER_SUBSCRIPTION, RESTORE_ESTATE, TARGET

Restoring = Callable[..., Any]
NEW = BackupRequest(
    machine="web-01",
    point="latest",
    into="vm",
    name="new-01",
    subnet="vnet-weu/default",
    resource_group="rg-target",
    staging_account="ststaging",
)
DISKS = msgspec.structs.replace(NEW, into="disks", name="", subnet="")
REPLACE = BackupRequest(machine="off-01", point="latest", into="replace", staging_account="ststaging")
ABROAD = msgspec.structs.replace(NEW, secondary=True, subnet="vnet-neu/default", staging_account="stnorth")


@pytest.fixture
def estate() -> dict[str, Any]:
    return RESTORE_ESTATE


async def disks_of(site: Any, group: str = TARGET) -> dict[str, Any]:
    found = await site.get(f"{group}/providers/Microsoft.Compute/disks", "2025-01-02")
    return {disk["name"]: disk for disk in found["value"]}


async def restore(site: Any, request: BackupRequest) -> Any:
    outcome = await site.apply(request)
    assert outcome.result is not None, [str(finding) for finding in outcome.review.plan.findings]
    assert outcome.result.exit_code == 0, site.events
    return outcome


def codes(plan: Plan) -> list[str]:
    return sorted(finding.code for finding in plan.errors)


@pytest.mark.parametrize("request_", [NEW, ABROAD], ids=["at-home", "in-the-secondary-region"])
async def test_a_new_vm_is_made_once(restoring: Restoring, estate: dict[str, Any], request_: BackupRequest) -> None:
    async with restoring(estate) as site:
        await restore(site, request_)
        made = await site.get(f"{TARGET}/providers/Microsoft.Compute/virtualMachines/new-01", "2025-04-01")
        assert made["location"] == ("northeurope" if request_.secondary else "westeurope")
        assert len(made["properties"]["storageProfile"]["dataDisks"]) == 2
        told = [event.status for event in site.events if isinstance(event, ApplyProgress)]
        assert any("Transfer data from vault" in status for status in told), told
        again = await site.plan(request_)
        assert (again.empty, again.unchanged) == (True, 1), again.changes


async def test_a_name_that_is_taken_is_blocked(restoring: Restoring, estate: dict[str, Any]) -> None:
    async with restoring(estate) as site:
        taken = msgspec.structs.replace(NEW, name="web-01", resource_group="rg-App")
        plan = await site.plan(taken)
        assert [change.action for change in plan.changes] == [Action.BLOCKED]
        assert codes(plan) == ["restore-blocked"]


async def test_disks_are_made_once_unless_they_are_wanted_again(restoring: Restoring, estate: dict[str, Any]) -> None:
    async with restoring(estate) as site:
        await restore(site, DISKS)
        first = await disks_of(site)
        assert sorted(disk["properties"]["diskSizeGB"] for disk in first.values()) == [64, 64, 128]
        assert (await site.plan(DISKS)).empty
        other = await site.plan(msgspec.structs.replace(DISKS, disks=("os",)))
        assert len(other.actionable) == 1, "fewer disks are another restore"
        outcome = await restore(site, msgspec.structs.replace(DISKS, again="yes"))
        request = outcome.review.plan.restore
        assert request.again.startswith("2026-03-02")
        assert (await site.plan(request)).empty, "a saved plan makes them once"


async def test_some_disks(restoring: Restoring, estate: dict[str, Any]) -> None:
    async with restoring(estate) as site:
        some = msgspec.structs.replace(DISKS, disks=("1",))
        await restore(site, some)
        made = await disks_of(site)
        assert sorted(disk["properties"]["diskSizeGB"] for disk in made.values()) == [64, 128]
        assert (await site.plan(some)).empty
        assert not (await site.plan(msgspec.structs.replace(DISKS, disks=("0",)))).empty


async def test_the_disks_of_a_vm_are_replaced(restoring: Restoring, estate: dict[str, Any]) -> None:
    machine = f"{GROUP}/providers/Microsoft.Compute/virtualMachines/off-01"
    async with restoring(estate) as site:
        before = await site.get(machine, "2025-04-01")
        plan = await site.plan(REPLACE)
        assert [change.action for change in plan.changes] == [Action.UPDATE]
        assert "left unattached in its resource group" in plan.changes[0].consequences[0].text
        await restore(site, REPLACE)
        after = await site.get(machine, "2025-04-01")
        names = [body["properties"]["storageProfile"]["osDisk"]["name"] for body in (before, after)]
        assert names[0] != names[1]
        assert (await site.plan(REPLACE)).empty
        earlier = await site.plan(msgspec.structs.replace(REPLACE, point="2026-02-25"))
        assert len(earlier.actionable) == 1


async def test_a_vm_that_is_gone_comes_back(restoring: Restoring, estate: dict[str, Any]) -> None:
    async with restoring(estate) as site:
        await restore(site, msgspec.structs.replace(NEW, machine="gone-01"))


async def test_a_saved_plan_is_carried_out_once(restoring: Restoring, estate: dict[str, Any]) -> None:
    async with restoring(estate) as site:
        saved = decode(encode(await site.plan(NEW)))
        outcome = await site.apply(saved.restore, saved)
        assert outcome.result.exit_code == 0
        assert outcome.review.plan.restore.point != "latest"
        jobs = [event.job for event in site.events if isinstance(event, ApplyAccepted)]
        assert len(jobs) == 1
        assert "accessToken" not in json.dumps(encode(saved).decode())
        assert (await site.apply(saved.restore, saved)).result is None


OTHERS = f"/subscriptions/{OTHER_SUBSCRIPTION}/resourceGroups/rg-other/providers/Microsoft.Storage/storageAccounts"


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"staging_account": ""}, ["BP-100"]),
        ({"staging_account": "nowhere"}, ["BP-100"]),
        ({"staging_account": "stnorth"}, ["BP-100"]),
        ({"staging_account": f"{OTHERS}/stother"}, []),
        ({"staging_account": f"{OTHERS}/nowhere"}, ["BP-100"]),
        ({"into": "replace"}, ["BP-101"]),
        ({"into": "replace", "machine": "gone-01"}, ["BP-101"]),
        ({"into": "replace", "machine": "off-01", "secondary": True, "staging_account": "stnorth"}, ["BP-101"]),
        ({"zone": "2"}, ["BP-103"]),
        ({"zone": "1"}, []),
        ({"secondary": True, "staging_account": "stnorth", "resource_group": ""}, ["BP-104", "subnet-unknown"]),
        ({"secondary": True, "subnet": "vnet-neu/default"}, ["BP-100"]),
        ({"encryption_set": "/x"}, ["BP-105"]),
        ({"disk_access": "public"}, ["BP-105"]),
        ({"name": "-", "subnet": "vnet-weu/nope", "resource_group": "rg-none", "staging_account": "", "zone": "3"},
         ["BP-100", "BP-103", "resource-group-absent", "restore-name", "subnet-unknown"]),
        ({"into": "disks", "machine": "part-01", "disks": ("0",)}, ["disk-missing"]),
    ],
)  # fmt: skip
async def test_what_speaks_against_it(
    restoring: Restoring, estate: dict[str, Any], changes: dict[str, Any], wanted: list[str]
) -> None:
    async with restoring(estate) as site:
        plan = await site.plan(msgspec.structs.replace(NEW, **changes))
        assert codes(plan) == wanted, [str(finding) for finding in plan.errors]
