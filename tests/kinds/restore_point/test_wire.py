"""What Azure answers, and what it is in our words."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from reconciler.kinds.owned_collections import CollectionBody, collection_name, owned
from reconciler.kinds.restore_point.wire import PointBody, facts_from
from reconciler.model.arm_id import ArmId
from reconciler.model.observed import DiskPoint
from tests.kinds.conftest import PROD
from tests.kinds.restore_point.conftest import collection, machine

VM = machine()
HOME = collection(VM)
POINT = f"{HOME.arm_id}/restorePoints/20260302T0600Z"


def body(**properties: Any) -> PointBody:
    return msgspec.convert({"id": POINT, "properties": properties}, PointBody)


def test_every_disk_of_a_point_is_found_by_its_place() -> None:
    disk = {"managedDisk": {"id": "/d/os", "storageAccountType": "Premium_LRS"}, "diskSizeGB": 30}
    storage = {
        "osDisk": {**disk, "osType": "Linux", "diskRestorePoint": {"id": f"{POINT}/diskRestorePoints/os"}},
        "dataDisks": [
            {
                **disk,
                "lun": 0,
                "managedDisk": {"id": "/d/0"},
                "diskRestorePoint": {"id": f"{POINT}/diskRestorePoints/0"},
            },
            {**disk, "lun": 7, "managedDisk": {"id": "/d/7"}},
        ],
    }
    facts = facts_from(
        body(
            sourceMetadata={"hardwareProfile": {"vmSize": "Standard_DS1_v2"}, "storageProfile": storage},
            provisioningState="Succeeded",
            consistencyMode="FileSystemConsistent",
            timeCreated="2026-03-02T06:10:33.9206817+00:00",
        ),
        HOME,
    )
    assert facts.disks == (
        DiskPoint("os", ArmId(f"{POINT}/diskRestorePoints/os"), "/d/os", 30),
        DiskPoint("0", ArmId(f"{POINT}/diskRestorePoints/0"), "/d/0", 30),
    )
    assert (facts.size, facts.os_type, facts.consistency) == ("Standard_DS1_v2", "Linux", "FileSystemConsistent")
    assert facts.created == datetime(2026, 3, 2, 6, 10, 33, 920681, tzinfo=UTC)
    assert (facts.slot, facts.schedule, facts.usable) == (datetime(2026, 3, 2, 6, tzinfo=UTC), "six-hourly", True)


@pytest.mark.parametrize("state", ["Creating", "Failed", "Deleting"])
def test_only_a_whole_point_is_usable(state: str) -> None:
    assert not facts_from(body(provisioningState=state), HOME).usable


def test_a_point_of_another_name_is_somebody_elses() -> None:
    facts = facts_from(msgspec.convert({"id": f"{HOME.arm_id}/restorePoints/before-upgrade"}, PointBody), HOME)
    assert (facts.slot, facts.schedule, facts.keep) == (None, "", "")


OURS = {"Reconciler-Schedule": "six-hourly", "reconciler-keep": '{"count":3}'}


@pytest.mark.parametrize(
    ("tags", "source", "is_ours"),
    [
        (OURS, str(VM.arm_id), True),
        ({"reconciler-schedule": "six-hourly"}, str(VM.arm_id), False),
        ({**OURS, "reconciler-keep": "three"}, str(VM.arm_id), False),
        ({**OURS, "Reconciler-Schedule": ""}, str(VM.arm_id), False),
        (OURS, str(HOME.arm_id), False),  # takes copies of another collection
        (None, str(VM.arm_id), False),
    ],
)
def test_a_collection_is_ours_by_its_tags_and_its_source(
    tags: dict[str, str] | None, source: str, is_ours: bool
) -> None:
    answer = {"id": str(HOME.arm_id), "location": "West Europe", "tags": tags, "properties": {"source": {"id": source}}}
    found = owned(msgspec.convert(answer, CollectionBody), "prod", {"rg-app": "rg-App"})
    assert (found is not None) == is_ours
    if found:
        assert (found.group, found.location, found.schedule) == ("prod/rg-App", "westeurope", "six-hourly")


def test_names_of_collections_are_short_enough_and_tell_schedules_and_vms_apart() -> None:
    long = machine("vm-with-ü-" + "x" * 100).arm_id
    names = [
        collection_name(of, vm) for of in ("daily", "hourly") for vm in (long, VM.arm_id, machine("app-02").arm_id)
    ]
    assert len(set(names)) == 6
    assert all(len(name) <= 80 and name.isascii() for name in names)
    assert collection_name("Daily", ArmId(str(VM.arm_id).upper())).casefold() == names[1].casefold()
    assert PROD not in names[0]
