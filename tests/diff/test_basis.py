"""What a fingerprint covers: what a snapshot or a restore point is, and not what becomes of it by itself."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reconciler.diff.basis import fingerprint
from reconciler.model.address import Address
from reconciler.model.arm_id import ArmId
from reconciler.model.observed import DiskPoint, RestorePointFacts, SnapshotFacts
from reconciler.model.resource import Resource, Spec

NOW = datetime(2026, 3, 2, 6, 4, tzinfo=UTC)


def of(facts: Any) -> str:
    return fingerprint(Resource(Address("snapshot", "prod/rg", "a"), Spec(), observed=facts))


@pytest.mark.parametrize(
    ("values", "same"),
    [
        ({}, True),
        ({"completion": 40.0, "state": "Updating", "copy_error": "x", "disk_state": "ActiveSAS"}, True),
        ({"arm_id": ArmId("/SUBSCRIPTIONS/1/snapshots/A")}, True),
        ({"unique_id": "2"}, False),
        ({"keep": '{"count":3}'}, False),
        ({"created": NOW + timedelta(hours=1)}, False),
    ],
)
def test_the_fingerprint_of_a_snapshot(values: dict[str, Any], same: bool) -> None:
    facts = SnapshotFacts(
        arm_id=ArmId("/subscriptions/1/snapshots/a"),
        created=NOW,
        size_gib=128,
        incremental=True,
        sku="Standard_ZRS",
        unique_id="1",
        slot=NOW,
        machine_id=ArmId("/subscriptions/1/virtualMachines/a"),
    )
    assert (of(facts) == of(dataclasses.replace(facts, **values))) is same


def test_the_fingerprint_of_a_restore_point() -> None:
    place = ArmId("/subscriptions/1/restorePoints/a")
    facts = RestorePointFacts(
        arm_id=place,
        created=NOW,
        machine_id=place,
        consistency="CrashConsistent",
        disks=(DiskPoint("os", place, "d", 128),),
    )
    assert of(facts) == of(dataclasses.replace(facts, state="Failed"))
    assert of(facts) != of(dataclasses.replace(facts, disks=()))
