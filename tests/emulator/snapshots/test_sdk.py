"""The unmodified compute SDK: take, copy, open, restore."""

from __future__ import annotations

from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.compute import ComputeManagementClient

from tests.emulator.conftest import ESTATE
from tests.emulator.snapshots.conftest import SUBSCRIPTION

NORTH = {"subscription": "Tests", "name": "rg-north", "location": "northeurope"}


@pytest.fixture
def served(serve):
    return serve(estate={**ESTATE, "resourceGroups": [*ESTATE["resourceGroups"], NORTH]})


@pytest.fixture
def compute(served, credential):
    options = {"base_url": served.running.endpoint, "connection_verify": served.running.ca}
    with ComputeManagementClient(credential, SUBSCRIPTION, **options) as client:
        yield client


def of(source: str, location: str = "westeurope", option: str = "Copy", **properties: Any) -> dict[str, Any]:
    creation = {"createOption": option, "sourceResourceId": source}
    return {"location": location, "properties": {"creationData": creation, **properties}}


def test_take_copy_open_restore(served, compute):
    disk = compute.virtual_machines.get("rg-app", "app-01").storage_profile.data_disks[0].managed_disk.id
    snapshots = compute.snapshots
    taken = snapshots.begin_create_or_update("rg-app", "one", of(disk, incremental=True)).result()
    assert (taken.sku.name, taken.incremental, taken.completion_percent) == ("Standard_ZRS", True, None)

    wanted = of(taken.id, "northeurope", "CopyStart", incremental=True)
    made = snapshots.begin_create_or_update("rg-north", "copy", wanted).result()
    assert (made.provisioning_state, made.completion_percent) == ("Succeeded", 0.0)
    assert snapshots.get("rg-north", "copy").completion_percent == 100.0  # who reads again waits
    assert [one.name for one in snapshots.list()] == ["one", "copy"]

    sas = snapshots.begin_grant_access("rg-app", "one", {"access": "Read", "durationInSeconds": 60}).result()
    assert sas.access_sas.startswith(served.running.endpoint)
    assert snapshots.get("rg-app", "one").disk_state == "ActiveSAS"
    with pytest.raises(HttpResponseError, match="Call EndGetAccess"):
        snapshots.begin_delete("rg-app", "one")
    snapshots.begin_revoke_access("rg-app", "one").result()
    assert snapshots.get("rg-app", "one").disk_state == "Unattached"

    spec = {**of(made.id, "northeurope"), "sku": {"name": "Premium_LRS"}, "zones": ["1"]}
    restored = compute.disks.begin_create_or_update("rg-north", "restored", spec).result()
    assert (restored.disk_size_gb, restored.creation_data.source_unique_id) == (64, made.unique_id)
    assert (
        compute.disks.begin_grant_access("rg-north", "restored", {"access": "Read", "durationInSeconds": 60})
        .result()
        .access_sas
    )
    compute.disks.begin_revoke_access("rg-north", "restored").result()
    snapshots.begin_delete("rg-app", "one").result()
    snapshots.begin_delete("rg-north", "copy").result()
    assert list(snapshots.list()) == []
    assert compute.disks.get("rg-north", "restored").provisioning_state == "Succeeded"


def test_a_copy_whose_source_is_deleted_tells_why(compute):
    disk = compute.virtual_machines.get("rg-app", "app-01").storage_profile.data_disks[0].managed_disk.id
    taken = compute.snapshots.begin_create_or_update("rg-app", "one", of(disk, incremental=True)).result()
    wanted = of(taken.id, "northeurope", "CopyStart", incremental=True)
    compute.snapshots.begin_create_or_update("rg-north", "copy", wanted).result()
    compute.snapshots.begin_delete("rg-app", "one").result()
    copy = compute.snapshots.get("rg-north", "copy")
    assert copy.copy_completion_error.error_code == "CopySourceNotFound"
    assert copy.completion_percent < 100


def test_the_owner_of_the_emulator_is_told_sizes(served, compute):
    disk = compute.virtual_machines.get("rg-app", "app-01").storage_profile.data_disks[0].managed_disk.id
    taken = compute.snapshots.begin_create_or_update("rg-app", "one", of(disk, incremental=True)).result()
    [told] = served.running.snapshots()
    assert (told["id"], told["family"]) == (taken.id, taken.incremental_snapshot_family_id)
    assert told["usedBytes"] == int(64 * 0.4 * 1024**3)
