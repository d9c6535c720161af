"""A VM, the schedule that takes restore points of it, and points that are there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from reconciler.kinds.base import Assignment, Expansion
from reconciler.kinds.owned_collections import OwnedCollection, collection_id, collection_name, point_address
from reconciler.kinds.restore_point.spec import RestorePointSpec
from reconciler.kinds.restore_point_collection.spec import CollectionSpec
from reconciler.model.arm_id import ArmId
from reconciler.model.disk import Attachment, Disk
from reconciler.model.document import Declared, Document
from reconciler.model.keeping import spell_keep
from reconciler.model.live import Live
from reconciler.model.machine import Machine
from reconciler.model.observed import RestorePointFacts
from reconciler.model.protection import Protection
from reconciler.model.resource import Ref, Resource
from reconciler.model.scope import Objectives, Scope
from reconciler.model.selector import Selector
from reconciler.model.slots import slot_label
from reconciler.model.snapshot_schedule import DOCUMENT, Keep, Snapshots, SnapshotSchedule
from reconciler.model.source import Source
from tests.kinds.conftest import NOW, PROD

AT = Source("policies/snapshots.yaml", 3, 1)
GROUP = f"/subscriptions/{PROD}/resourceGroups/rg-app"
THREE = Keep(count=3)


def schedule(name: str = "six-hourly", **fields: Any) -> Document[SnapshotSchedule]:
    """A schedule of restore points; keys as in YAML."""
    written = {"every": "6h", "keep": {"count": 3}, "consistency": "restorePoint", **fields}
    return Document(DOCUMENT, name, msgspec.convert(written, SnapshotSchedule), AT)


def machine(name: str = "app-01", **fields: Any) -> Machine:
    """A VM of three disks in rg-app."""
    known: dict[str, Any] = {
        "arm_id": ArmId(f"{GROUP}/providers/Microsoft.Compute/virtualMachines/{name}"),
        "subscription": "prod",
        "resource_group": "rg-app",
        "name": name,
        "location": "westeurope",
        "data_disks": (0, 1),
        "disks": (
            Attachment(None, f"{GROUP}/providers/Microsoft.Compute/disks/{name}-os"),
            Attachment(0, f"{GROUP}/providers/Microsoft.Compute/disks/{name}-data-0"),
            Attachment(1, f"{GROUP}/providers/Microsoft.Compute/disks/{name}-data-1"),
        ),
    }
    return Machine(**{**known, **fields})


def disks(vm: Machine, sku: str = "Premium_LRS") -> tuple[Disk, ...]:
    """The disks of a VM, 64 GiB each."""
    return tuple(Disk(ArmId(one.disk), f"uid-{one.disk}", vm.location, 64, sku) for one in vm.disks)


def collection(vm: Machine, of: str = "six-hourly", keep: Keep = THREE) -> OwnedCollection:
    """The collection of a VM and a schedule, as it is read."""
    name = collection_name(of, vm.arm_id)
    return OwnedCollection(
        arm_id=collection_id(PROD, vm.resource_group, name),
        group=vm.scope,
        location=vm.location,
        machine=vm.arm_id,
        schedule=of,
        keep=spell_keep(keep),
    )


def collection_resource(one: OwnedCollection) -> Resource:
    spec = CollectionSpec(schedule=one.schedule, machine=str(one.machine), keep=one.keep)
    return Resource(one.address, spec, one.arm_id, one.location, observed=one)


def point(
    home: OwnedCollection,
    slot: datetime,
    *,
    state: str = "Succeeded",
    consistency: str = "ApplicationConsistent",
    late: timedelta = timedelta(minutes=5),
    name: str = "",
) -> Resource:
    """A live point of a slot, taken `late`; one with a `name` was made by somebody else."""
    label = name or slot_label(slot)
    facts = RestorePointFacts(
        arm_id=home.arm_id.child("restorePoints", label),
        created=slot + late,
        machine_id=home.machine,
        consistency=consistency,
        schedule="" if name else home.schedule,
        slot=None if name else slot,
        keep="" if name else home.keep,
        state=state,
    )
    spec = RestorePointSpec(
        collection=Ref.of(home.address), state="failed" if state == "Failed" else "present", consistency=consistency
    )
    return Resource(point_address(home.scope, label), spec, facts.arm_id, home.location, observed=facts)


def assign(vm: Machine, to: str = "six-hourly", rpo: str | None = None) -> Assignment:
    protection = Document("Protection", "all", Protection(select=Selector(), aspects={}), AT)
    return Assignment(vm, "snapshots", Snapshots(schedule=to), protection, AT, Objectives(rpo=rpo))


def declared(*documents: Document[Any]) -> Declared:
    scope = Scope(subscriptions={"prod": PROD})
    return Declared(Document("Scope", "scope", scope, Source("policies/scope.yaml", 1, 1)), documents)


@pytest.fixture
def expansion() -> Callable[..., Expansion]:
    """`expansion([schedule], [assignment], points, now=...)`: everything else is there and readable."""

    def make(
        documents: list[Document[Any]],
        assignments: list[Assignment],
        resources: list[Resource] | None = None,
        *,
        now: datetime = NOW,
        machines: tuple[Machine, ...] | None = None,
        wanted: frozenset[Any] = frozenset(),
        **live: Any,
    ) -> Expansion:
        vms = machines if machines is not None else tuple(one.machine for one in assignments)
        seen = Live(
            state={one.address: one for one in resources or []},
            machines=vms,
            resource_groups=frozenset({"prod/rg-app"}),
            **{"disks": tuple(disk for vm in vms for disk in disks(vm)), **live},
        )
        return Expansion(declared(*documents), tuple(assignments), seen, wanted, now)

    return make
