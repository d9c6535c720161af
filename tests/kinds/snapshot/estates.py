"""Estates of snapshots in memory: schedules, VMs with disks, what was taken of them, and what is wanted of all that."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import msgspec

from reconciler.kinds.base import Assignment, Expansion
from reconciler.kinds.snapshot.coming import Coming
from reconciler.kinds.snapshot.expansion import expand_snapshots
from reconciler.kinds.snapshot.retention import Expiry
from reconciler.kinds.snapshot.spec import NAME, SnapshotSpec
from reconciler.model.address import Address
from reconciler.model.arm_id import ArmId
from reconciler.model.disk import Attachment, Disk
from reconciler.model.document import Declared, Document
from reconciler.model.keeping import spell_keep
from reconciler.model.live import Live, Unreadable
from reconciler.model.machine import Machine
from reconciler.model.observed import ItemFacts, ItemState, SnapshotFacts
from reconciler.model.protection import Protection
from reconciler.model.resource import Resource
from reconciler.model.scope import Objectives, Scope
from reconciler.model.selector import Selector
from reconciler.model.snapshot_schedule import DOCUMENT, Snapshots, SnapshotSchedule
from reconciler.model.source import Source
from reconciler.plan.finding import Finding
from tests.kinds.conftest import NOW, PROD

AT = Source("policies/snapshots.yaml", 3, 1)
GROUP = f"/subscriptions/{PROD}/resourceGroups/rg-app"
COMPUTE = f"{GROUP}/providers/Microsoft.Compute"
HOUR = timedelta(hours=1)
SIX = NOW - 2 * HOUR
"""The current slot of a schedule of six hours: NOW is 08:00."""


def schedule(name: str = "six-hourly", **fields: Any) -> Document[SnapshotSchedule]:
    """Keys as in YAML."""
    written = {"every": "6h", "keep": {"count": 2}, "consistency": "perDisk", **fields}
    return Document(DOCUMENT, name, msgspec.convert(written, SnapshotSchedule), AT)


def disk(name: str = "app-01-os", sku: str = "Premium_LRS", size_gib: int = 64, uid: str = "") -> Disk:
    return Disk(ArmId(f"{COMPUTE}/disks/{name}"), uid or f"uid-{name}", "westeurope", size_gib, sku)


def machine(name: str = "app-01", *disks: Disk, **fields: Any) -> Machine:
    """A VM whose first disk is that of the OS; one disk where none is named."""
    held = disks or (disk(f"{name}-os"),)
    known: dict[str, Any] = {
        "arm_id": ArmId(f"{COMPUTE}/virtualMachines/{name}"),
        "subscription": "prod",
        "resource_group": "rg-app",
        "name": name,
        "location": "westeurope",
        "data_disks": tuple(range(len(held) - 1)),
        "disks": tuple(Attachment(lun - 1 if lun else None, str(one.arm_id)) for lun, one in enumerate(held)),
    }
    return Machine(**{**known, **fields})


def snapshot(of: Disk, slot: datetime, name: str = "", by: str = "six-hourly", **facts: Any) -> Resource:
    """One of ours that is there, taken when its slot began; `facts` are laid over what was seen of it. With `region`
    it is a copy there."""
    region = facts.pop("region", "")
    location = region or of.location
    name = name or f"{of.arm_id.name}-{slot:%dT%H}-{by}" + (f"-{region}" if region else "")
    known: dict[str, Any] = {
        "arm_id": ArmId(f"{COMPUTE}/snapshots/{name}"),
        "created": slot,
        "size_gib": of.size_gib,
        "incremental": True,
        "sku": "Standard_ZRS",
        "unique_id": f"uid-{name}",
        "schedule": by,
        "slot": slot,
        "keep": '{"count":2}',
        "disk_id": str(of.arm_id),
        "disk_unique_id": of.unique_id,
        "copy_of": ArmId(f"{COMPUTE}/snapshots/{name.removesuffix(f'-{region}')}") if region else None,
    }
    seen = SnapshotFacts(**{**known, **facts})
    spec = SnapshotSpec(
        state="failed" if seen.state == "Failed" or seen.copy_error else "present",
        network_access_policy="AllowAll",
        public_network_access="Enabled",
        location=location,
        sku="Standard_ZRS",
    )
    return Resource(Address(NAME, "prod/rg-app", name), spec, seen.arm_id, location, observed=seen)


def foreign(of: Disk, created: datetime, name: str = "by-hand", **facts: Any) -> Resource:
    """One that somebody else made."""
    one = snapshot(of, created, name, **facts)
    return replace(one, observed=replace(one.observed, schedule="", slot=None, keep=""))


def backed_up(vm: Machine, newest: datetime) -> Resource:
    """What Azure Backup holds of a VM."""
    vault = ArmId(f"{GROUP}/providers/Microsoft.RecoveryServices/vaults/rsv")
    facts = ItemFacts(ItemState.PROTECTED, vault, vault, vm.arm_id, last_recovery_point=newest)
    return Resource(Address("protected_vm", vm.scope, vm.name), SnapshotSpec(), observed=facts)


@dataclass(frozen=True)
class Outlook:
    """What is wanted, by the names of the snapshots."""

    resources: dict[str, Resource]
    findings: list[Finding]

    def of(self, kind: type) -> list[str]:
        return sorted(name for name, one in self.resources.items() if isinstance(one.observed, kind))

    @property
    def coming(self) -> list[Resource]:
        return [one for one in self.resources.values() if isinstance(one.observed, Coming)]

    @property
    def taken(self) -> list[Resource]:
        return [one for one in self.coming if not one.observed.region and not one.observed.obstacle]

    @property
    def copied(self) -> list[Resource]:
        return [one for one in self.coming if one.observed.region and not one.observed.obstacle]

    @property
    def blocked(self) -> list[str]:
        """Why, of each that is due and cannot be made."""
        return [one.observed.obstacle.why for one in self.coming if one.observed.obstacle]

    @property
    def expired(self) -> list[str]:
        return self.of(Expiry)

    @property
    def codes(self) -> list[str]:
        return sorted(item.code for item in self.findings)

    def spec(self, name: str) -> SnapshotSpec:
        spec = self.resources[name].spec
        assert isinstance(spec, SnapshotSpec)
        return spec

    def finding(self, code: str) -> Finding:
        return next(item for item in self.findings if item.code == code)


@dataclass
class Estate:
    """`selected` VMs get the first schedule; `now` may lie anywhere."""

    schedules: list[Document[SnapshotSchedule]] = field(default_factory=lambda: [schedule()])
    disks: list[Disk] = field(default_factory=lambda: [disk()])
    machines: list[Machine] = field(default_factory=lambda: [machine()])
    selected: list[Machine] | None = None
    live: list[Resource] = field(default_factory=list)
    groups: tuple[str, ...] = ("prod/rg-app",)
    unreadable: tuple[Unreadable, ...] = ()
    objectives: Objectives = field(default_factory=Objectives)
    now: datetime = NOW

    def expansion(self) -> Expansion:
        scope = Document("Scope", "s", Scope(subscriptions={"prod": PROD}), Source("policies/scope.yaml", 1, 1))
        protection = Document("Protection", "all", Protection(select=Selector(names=("*",)), aspects={}), AT)
        chosen = self.machines if self.selected is None else self.selected
        name = self.schedules[0].name if self.schedules else "nothing"
        assignments = tuple(
            Assignment(vm, "snapshots", Snapshots(schedule=name), protection, AT, self.objectives) for vm in chosen
        )
        live = Live(
            state={one.address: one for one in self.live},
            machines=tuple(self.machines),
            resource_groups=frozenset(self.groups),
            unreadable=self.unreadable,
            disks=tuple(self.disks),
        )
        return Expansion(Declared(scope, tuple(self.schedules)), assignments, live, frozenset(), self.now)

    def outlook(self) -> Outlook:
        found = list(expand_snapshots(self.expansion()))
        resources = [one for one in found if isinstance(one, Resource)]
        by_name = {one.address.name: one for one in resources}
        assert len(by_name) == len(resources), "two resources of one name"
        return Outlook(by_name, [one for one in found if isinstance(one, Finding)])


def gap(kind: str) -> Unreadable:
    """The list of this kind could not be read."""
    return Unreadable((kind,), "prod", f"the list of {kind} could not be read")


def tag_of(one: Document[SnapshotSchedule]) -> str:
    return spell_keep(one.value.keep)
