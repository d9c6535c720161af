"""Restores with the real SDKs against the emulator: planned, made, read back, and not made twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from reconciler.errors import StalePlanError
from reconciler.model.restore_request import DiskRequest, MachineRequest
from reconciler.plan.change import Action
from reconciler.plan.file import decode, encode
from tests.restore.conftest import APP, GROUP, PROD, SLOT, copy_of, name_of, snapshot

Restoring = Callable[..., Any]
DISK = DiskRequest(snapshot=name_of("0"), name="app-01-d0-back")
MACHINE = MachineRequest(machine="app-01", slot="latest", name="app-01-back")


async def test_a_disk_comes_back_from_a_snapshot_and_is_not_made_twice(
    restoring: Restoring, estate: dict[str, Any]
) -> None:
    async with restoring(estate) as site:
        outcome = await site.apply(DISK)
        assert outcome.result is not None
        assert outcome.result.exit_code == 0, site.events
        disk = await site.get(f"{GROUP}/providers/Microsoft.Compute/disks/{DISK.name}", "2025-01-02")
        assert disk["properties"]["creationData"]["sourceResourceId"].endswith(f"/snapshots/{DISK.snapshot}")
        assert (disk["properties"]["diskSizeGB"], disk["sku"]["name"]) == (32, "Premium_LRS")
        again = await site.plan(DISK)
        assert again.empty, again.changes
        assert again.unchanged == 1


async def test_a_vm_comes_back_with_its_disks_on_their_luns(restoring: Restoring, estate: dict[str, Any]) -> None:
    async with restoring(estate) as site:
        outcome = await site.apply(MACHINE)
        assert outcome.result is not None, outcome.review.plan.findings
        assert outcome.result.exit_code == 0, site.events
        made = (await site.get(f"{GROUP}/providers/Microsoft.Compute/virtualMachines/{MACHINE.name}", "2025-04-01"))[
            "properties"
        ]
        storage = made["storageProfile"]
        assert storage["osDisk"]["managedDisk"]["id"].endswith("/disks/app-01-back-os")
        assert [(one["lun"], one["managedDisk"]["id"].rpartition("/")[2]) for one in storage["dataDisks"]] == [
            (0, "app-01-back-data-0"),
            (1, "app-01-back-data-1"),
        ]
        assert made["hardwareProfile"]["vmSize"] == "Standard_D4s_v5"
        assert made["securityProfile"]["securityType"] == "TrustedLaunch"
        assert made["networkProfile"]["networkInterfaces"][0]["id"].endswith("/networkInterfaces/app-01-back-nic")
        source = (await site.get(APP, "2025-04-01"))["properties"]
        assert source["networkProfile"] != made["networkProfile"], "the source keeps its own network interface"
        again = await site.plan(MACHINE)
        assert again.empty, again.changes
        assert again.unchanged == 5


async def test_what_exists_is_never_changed(restoring: Restoring, estate: dict[str, Any]) -> None:
    async with restoring(estate) as site:
        taken = DiskRequest(snapshot=DISK.snapshot, name="app-01-d1")
        plan = await site.plan(taken)
        (change,) = plan.changes
        assert change.action is Action.BLOCKED
        assert "is there already" in change.why
        assert [finding.code for finding in plan.errors] == ["restore-blocked"]
        assert not plan.applyable


async def test_a_copy_restores_in_its_own_region(restoring: Restoring, estate: dict[str, Any]) -> None:
    estate["snapshots"] += [copy_of(snapshot(place)) for place in ("os", "0", "1")]
    request = MachineRequest(
        machine="app-01",
        slot=SLOT,
        name="app-01-dr",
        region="northeurope",
        resource_group="rg-dr",
        subnet="vnet-dr/app",
    )
    async with restoring(estate) as site:
        outcome = await site.apply(request)
        assert outcome.result is not None, outcome.review.plan.findings
        assert outcome.result.exit_code == 0, site.events
        group = f"/subscriptions/{PROD}/resourceGroups/rg-dr/providers/Microsoft.Compute"
        made = await site.get(f"{group}/virtualMachines/app-01-dr", "2025-04-01")
        assert made["location"] == "northeurope"
        disk = await site.get(f"{group}/disks/app-01-dr-os", "2025-01-02")
        assert disk["properties"]["creationData"]["sourceResourceId"].endswith("-neu")


@pytest.mark.parametrize("steps", [1, 2, 4])
async def test_a_run_that_was_stopped_is_finished_by_the_same_request(
    steps: int, restoring: Restoring, estate: dict[str, Any]
) -> None:
    async with restoring(estate) as site:
        await site.apply(MACHINE, stop_after=steps)
        left = await site.plan(MACHINE)
        assert 0 < len(left.actionable) <= 5 - steps
        outcome = await site.apply(MACHINE)
        assert outcome.result is not None
        assert outcome.result.exit_code == 0, site.events
        assert (await site.plan(MACHINE)).empty


async def test_a_saved_plan_is_made_again_from_its_request_and_carried_out(
    restoring: Restoring, estate: dict[str, Any]
) -> None:
    async with restoring(estate) as site:
        saved = decode(encode(await site.plan(MACHINE)))
        assert isinstance(saved.restore, MachineRequest)
        assert (saved.restore.machine, saved.restore.slot, saved.restore.region) == (APP, SLOT, "westeurope")
        outcome = await site.apply(saved.restore, saved)
        assert outcome.result is not None
        assert outcome.result.exit_code == 0, site.events


async def test_a_saved_plan_is_stale_where_somebody_made_a_part_of_it(
    restoring: Restoring, estate: dict[str, Any]
) -> None:
    async with restoring(estate) as site:
        saved = await site.plan(MACHINE)
        await site.apply(DiskRequest(snapshot=f"rg-app/{name_of('os')}", name="app-01-back-os"))
        assert saved.restore is not None
        with pytest.raises(StalePlanError, match="app-01-back-os: was to create, now needs nothing"):
            await site.apply(saved.restore, saved)


async def test_a_saved_plan_is_stale_where_the_snapshot_is_another(
    restoring: Restoring, estate: dict[str, Any]
) -> None:
    async with restoring(estate) as site:
        saved = await site.plan(DISK)
        path = f"{GROUP}/providers/Microsoft.Compute/snapshots/{DISK.snapshot}"
        before = await site.get(path, "2025-01-02")
        await site.write("DELETE", path)
        body = {name: before[name] for name in ("location", "tags")}
        source = {"createOption": "Copy", "sourceResourceId": before["properties"]["creationData"]["sourceResourceId"]}
        await site.write("PUT", path, {**body, "properties": {"creationData": source, "incremental": True}})
        assert saved.restore is not None
        with pytest.raises(StalePlanError, match="source_unique_id changed since"):
            await site.apply(saved.restore, saved)


async def test_a_vm_that_is_gone_comes_back_from_its_snapshots(restoring: Restoring, estate: dict[str, Any]) -> None:
    async with restoring(estate) as site:
        await site.write("DELETE", APP, api_version="2025-04-01")
        refused = await site.plan(MACHINE)
        assert {finding.code for finding in refused.errors} == {"subnet-unknown", "size-unknown"}
        request = msgspec.structs.replace(MACHINE, size="Standard_D4s_v5", subnet="vnet-app/quarantine")
        outcome = await site.apply(request)
        assert outcome.result is not None, outcome.review.plan.findings
        assert outcome.result.exit_code == 0, site.events
        assert (await site.plan(request)).empty
        path = f"{GROUP}/providers/Microsoft.Compute/virtualMachines/{MACHINE.name}"
        made = site.served.emulator.world.store.get(path)
        assert made is not None
        assert made["properties"]["securityProfile"]["securityType"] == "TrustedLaunch", "its OS disk tells"


async def test_a_half_made_resource_is_no_free_name(restoring: Restoring, estate: dict[str, Any]) -> None:
    async with restoring(estate) as site:
        await site.apply(DISK)
        path = f"{GROUP}/providers/Microsoft.Compute/disks/{DISK.name}"
        store = site.served.emulator.world.store
        body = store.get(path)
        assert body is not None
        body["properties"]["provisioningState"] = "Failed"
        store.replace(body["id"], body)
        assert [finding.code for finding in (await site.plan(DISK)).errors] == ["half-made"]
