"""Snapshots as Azure answers with them: site-recovery-and-snapshots.md §9, wire/snapshot."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from reconciler.kinds.snapshot.names import snapshot_name
from reconciler.kinds.snapshot.spec import SnapshotSpec, exported_as
from reconciler.kinds.snapshot.tags import LONGEST_VALUE, Mark, read_mark, write_mark
from reconciler.kinds.snapshot.wire import SnapshotBody, facts_from, spec_from
from reconciler.model.arm_id import ArmId
from tests.kinds.conftest import PROD
from tests.kinds.snapshot.estates import COMPUTE, GROUP, SIX, schedule

TAGS = {"reconciler-schedule": "six-hourly", "reconciler-slot": "2026-03-02T06:00Z", "reconciler-disk": "uid"}
NAME = snapshot_name("d", "uid", "six-hourly", SIX)


def body(*, tags: dict[str, str | None] | None = None, **properties: Any) -> SnapshotBody:
    written = {
        "id": f"{COMPUTE}/snapshots/{NAME}",
        "name": NAME,
        "location": "West Europe",
        "tags": tags,
        "sku": {"name": "Standard_ZRS", "tier": "Standard"},
        "properties": {
            "creationData": {
                "createOption": "Copy", "sourceResourceId": f"{COMPUTE}/disks/d", "sourceUniqueId": "uid",
            },
            "diskSizeGB": 64,
            "incremental": True,
            "uniqueId": "own",
            "timeCreated": "2026-03-02T06:00:11.1234567+00:00",
            "provisioningState": "Succeeded",
            "diskState": "Unattached",
            "networkAccessPolicy": "AllowAll",
            "publicNetworkAccess": "Enabled",
            **properties,
        },
    }  # fmt: skip
    return msgspec.convert(written, SnapshotBody)


def test_what_is_seen_of_one_of_ours() -> None:
    vm = f"{COMPUTE}/virtualMachines/app-01"
    named = {name.upper(): value for name, value in {**TAGS, "reconciler-vm": vm, "reconciler-place": "3"}.items()}
    facts = facts_from(body(tags=named, osType="Linux", hyperVGeneration="V2"), PROD, {})
    assert facts.created == datetime(2026, 3, 2, 6, 0, 11, 123456, tzinfo=UTC)
    assert (facts.schedule, facts.slot, facts.disk_unique_id, facts.place) == ("six-hourly", SIX, "uid", "3")
    assert (facts.machine_id, facts.copy_of, facts.completion, facts.usable) == (ArmId(vm), None, 100.0, True)
    assert (facts.disk_id, facts.size_gib, facts.hyper_v_generation) == (f"{COMPUTE}/disks/d", 64, "V2")


@pytest.mark.parametrize(
    "tags",
    [
        None,
        {},
        {"owner": "somebody"},
        {name: value for name, value in TAGS.items() if name != "reconciler-disk"},
        {**TAGS, "reconciler-slot": "yesterday"},
        {**TAGS, "reconciler-slot": "2026-03-02T06:00:00Z"},
        {**TAGS, "reconciler-schedule": None},
    ],
)
def test_what_does_not_carry_our_tags_whole_is_not_ours(tags: dict[str, str | None] | None) -> None:
    facts = facts_from(body(tags=tags), PROD, {})
    assert (facts.schedule, facts.slot, facts.disk_unique_id) == ("", None, "uid")


@pytest.mark.parametrize(
    ("option", "source", "ours"),
    [("CopyStart", "own", True), ("CopyStart", "another", False), ("Copy", "own", False), ("CopyStart", None, True)],
)
def test_a_copy_that_somebody_made_tags_and_all_is_theirs(option: str, source: str | None, ours: bool) -> None:
    tags: dict[str, str | None] = {**TAGS, **({"reconciler-source": source} if source else {})}
    facts = facts_from(body(tags=tags, creationData={**copying("own"), "createOption": option}), PROD, {})
    assert (facts.slot is not None) == ours


def test_the_disk_behind_a_copy_is_found_as_long_as_its_chain_is_whole() -> None:
    first = body()
    second = body(uniqueId="second", creationData=copying("own"))
    third = body(uniqueId="third", creationData=copying("second"))
    origins = {one.properties.unique_id: one.properties.creation_data for one in (first, second, third)}
    assert facts_from(third, PROD, origins).disk_id == f"{COMPUTE}/disks/d"
    assert facts_from(third, PROD, origins).disk_unique_id == "uid"
    del origins["own"]
    assert facts_from(third, PROD, origins).disk_id == ""
    circle = {"own": copying_body("second"), "second": copying_body("own")}
    assert facts_from(third, PROD, circle).disk_id == ""


def copying(unique_id: str) -> dict[str, str]:
    return {
        "createOption": "CopyStart", "sourceResourceId": f"{COMPUTE}/Snapshots/x", "sourceUniqueId": unique_id,
    }  # fmt: skip


def copying_body(unique_id: str) -> Any:
    return body(creationData=copying(unique_id)).properties.creation_data


@pytest.mark.parametrize(
    ("properties", "completion", "usable", "state"),
    [
        ({"completionPercent": 41.0}, 41.0, False, "present"),
        ({"completionPercent": 100.0, "creationData": copying("x")}, 100.0, True, "present"),
        ({"creationData": copying("x")}, 0.0, False, "present"),
        ({"completionPercent": 3.0, "copyCompletionError": {"errorCode": "Gone"}}, 3.0, False, "failed"),
        ({"provisioningState": "Failed"}, 100.0, False, "failed"),
        ({"provisioningState": "Deleting"}, 100.0, False, "present"),
    ],
)
def test_what_can_be_used(properties: dict[str, Any], completion: float, usable: bool, state: str) -> None:
    seen = body(**properties)
    facts = facts_from(seen, PROD, {})
    assert (facts.completion, facts.usable, spec_from(seen).state) == (completion, usable, state)


def test_one_that_is_being_made_tells_little() -> None:
    little = {"id": f"{COMPUTE}/snapshots/s", "name": "s", "properties": {"provisioningState": "Updating"}}
    facts = facts_from(msgspec.convert(little, SnapshotBody), PROD, {})
    assert (facts.state, facts.unique_id, facts.slot) == ("Updating", "", None)


def test_an_upper_case_resource_group_is_no_difference() -> None:
    access = f"{GROUP}/providers/Microsoft.Compute/diskAccesses/da"
    upper = access.replace("rg-app", "RG-APP")
    live = spec_from(body(networkAccessPolicy="AllowPrivate", diskAccessId=upper))
    wanted = schedule(networkAccessPolicy="AllowPrivate", diskAccess=access).value
    assert exported_as(live, wanted) is live
    open_again = exported_as(live, schedule(networkAccessPolicy="AllowAll").value)
    assert (open_again.network_access_policy, open_again.disk_access) == ("AllowAll", "")
    assert exported_as(live, schedule().value) is live
    assert (
        exported_as(SnapshotSpec(), schedule(publicNetworkAccess="Disabled").value).public_network_access == "Disabled"
    )


def test_a_vm_whose_id_is_too_long_for_a_tag_is_found_all_the_same() -> None:
    vm = ArmId(
        f"/subscriptions/{PROD}/resourceGroups/{'g' * 90}/providers/Microsoft.Compute/virtualMachines/{'v' * 64}"
    )
    written = write_mark(Mark("s", SIX, "uid", machine=vm))
    assert max(map(len, written.values())) <= LONGEST_VALUE
    found = read_mark(dict(written), PROD)
    assert found is not None
    assert found.machine == vm
