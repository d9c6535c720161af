"""Which job did what was asked for: a job tells names and seconds, and which disks only once it has ended."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from reconciler.azure.backup_jobs import JobBody
from reconciler.kinds.base import Rule
from reconciler.kinds.registry import asked_kinds, by_name
from reconciler.kinds.vault_restore.jobs import is_of, us_time
from reconciler.kinds.vault_restore.spec import NAME, VaultRestoreSpec
from tests.kinds.conftest import PROD

GROUP = f"/subscriptions/{PROD}/resourceGroups/rg-app"
SPEC = VaultRestoreSpec(
    into="disks",
    machine=f"{GROUP}/providers/Microsoft.Compute/virtualMachines/app-01",
    item=f"{GROUP}/providers/Microsoft.RecoveryServices/vaults/rsv/backupFabrics/Azure/protectionContainers/c/protectedItems/i",
    point="101",
    taken="2026-03-01T22:03:04+00:00",
    tier="vault",
    region="westeurope",
    staging=f"{GROUP}/providers/Microsoft.Storage/storageAccounts/ststaging",
    group=f"/subscriptions/{PROD}/resourceGroups/rg-target",
)
BAG = {
    "Recovery point time ": "3/1/2026 10:03:04 PM",
    "Target Storage Account Name": "STSTAGING",
    "Target resource group": "RG-Target",
    "Target VM Name": "vmName",
}
SOME = {"Restored disk(s)": "app-01-os; app-01-d0", "Backed-up disk(s)": "app-01-os; app-01-d0; app-01-d1"}


def job(into: str = "RestoreDisks", status: str = "Completed", **bag: str | None) -> JobBody:
    told = {"propertyBag": {**BAG, **bag}, "internalPropertyBag": {"restoreLocationType": into}}
    return msgspec.convert({"id": "/j", "name": "j", "properties": {"status": status, "extendedInfo": told}}, JobBody)


def spec(**changes: Any) -> VaultRestoreSpec:
    return msgspec.structs.replace(SPEC, **changes)


TWO = {"disks": ("os", "0"), "disk_names": ("app-01-os", "APP-01-d0")}
MACHINE = {"into": "vm", "target": f"{GROUP}/providers/Microsoft.Compute/virtualMachines/back"}


@pytest.mark.parametrize(
    ("found", "asked", "same"),
    [
        (job(), SPEC, True),
        (job(status="InProgress"), SPEC, True),
        (job("AlternateLocation"), SPEC, False),
        (job(**{"Recovery point time ": "3/1/2026 10:03:05 PM"}), SPEC, False),
        (job(**{"Target Storage Account Name": "other"}), SPEC, False),
        (job(**{"Target resource group": "other"}), SPEC, False),
        (job(**SOME), SPEC, False),
        (job(), spec(**TWO), False),
        (job(**SOME), spec(**TWO), True),
        (job(**SOME), spec(disks=("os", "1"), disk_names=("app-01-os", "app-01-d1")), False),
        (job(**SOME), spec(disks=("os", "1")), True),
        (job(status="InProgress"), spec(**TWO), False),
        (job("AlternateLocation", **{"Target VM Name": "Back"}), spec(**MACHINE), True),
        (job("AlternateLocation", **{"Target VM Name": "front"}), spec(**MACHINE), False),
        (
            job("OriginalLocation", **{"Target resource group": None, "Target VM Name": None}),
            spec(into="replace"),
            True,
        ),
        (JobBody(), SPEC, False),
    ],
)
def test_whether_a_job_is_the_one(found: JobBody, asked: VaultRestoreSpec, same: bool) -> None:
    assert is_of(found, asked) is same


def test_a_job_of_some_disks_that_runs_is_taken_for_ours_where_we_may_have_begun_it() -> None:
    running = job(status="InProgress")
    assert is_of(running, spec(**TWO), ours=True)
    assert not is_of(running, spec(**TWO, staging="/other"), ours=True)


@pytest.mark.parametrize(
    ("taken", "told"),
    [
        ("2024-06-14T00:00:00+00:00", "6/14/2024 12:00:00 AM"),
        ("2024-05-13T12:28:32+00:00", "5/13/2024 12:28:32 PM"),
        ("2024-05-15T07:52:53+00:00", "5/15/2024 7:52:53 AM"),
    ],
)
def test_times_as_jobs_write_them(taken: str, told: str) -> None:
    assert us_time(spec(taken=taken).point_time) == told


def test_no_field_of_a_restore_is_changed_and_its_steps_can_be_taken_up() -> None:
    kind = next(kind for kind in asked_kinds() if kind.name == NAME)
    assert set(kind.rules) == set(VaultRestoreSpec.__struct_fields__)
    assert set(kind.rules.values()) == {Rule.FORBID}
    assert by_name()[NAME] is kind
