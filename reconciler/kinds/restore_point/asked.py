"""What a schedule asks for one VM: which points, of which disks, in which collection."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from reconciler.kinds.base import Assignment, Expansion
from reconciler.kinds.owned_collections import collection_id, collection_name
from reconciler.model.arm_id import ArmId
from reconciler.model.casing import fold
from reconciler.model.disk import Attachment
from reconciler.model.document import Document
from reconciler.model.machine import Machine
from reconciler.model.slots import Cadence
from reconciler.model.snapshot_schedule import DOCUMENT, SnapshotDisks, Snapshots, SnapshotSchedule
from reconciler.plan.finding import Finding, Severity


@dataclass(frozen=True, slots=True)
class Asked:
    """One VM and the schedule that takes restore points of it."""

    machine: Machine
    document: Document[SnapshotSchedule]
    cadence: Cadence
    assignment: Assignment

    @property
    def schedule(self) -> SnapshotSchedule:
        return self.document.value

    @property
    def name(self) -> str:
        """Of the schedule, as it is declared."""
        return self.document.name

    @property
    def subject(self) -> str:
        """What remarks speak of."""
        return f"{DOCUMENT} {self.name}"

    @property
    def mode(self) -> str:
        """The consistency that is asked for: Azure's default is the better one."""
        return self.schedule.restore_point_mode or "ApplicationConsistent"

    @property
    def scope(self) -> str:
        """The address scope of its points: `alias/rg/collection`."""
        group = self.schedule.resource_group or self.machine.resource_group
        return f"{self.machine.subscription}/{group}/{collection_name(self.name, self.machine.arm_id)}"

    @property
    def collection_id(self) -> ArmId:
        """Where the collection is, or will be."""
        _, group, name = self.scope.split("/")
        return collection_id(self.machine.arm_id.subscription, group, name)

    def excluded(self) -> tuple[Attachment, ...]:
        """The data disks that the schedule leaves out; the OS disk is always held."""
        return tuple(disk for disk in self.machine.disks if not self.schedule.takes(disk.lun))

    def held(self) -> tuple[Attachment, ...]:
        """The disks that a point of the VM holds."""
        return tuple(disk for disk in self.machine.disks if self.schedule.takes(disk.lun))


def idle_luns(asked: Iterable[Asked]) -> Iterator[Finding]:
    """LUNs that a schedule names and none of its VMs has: most often a slip of the pen."""
    there: dict[str, set[int]] = defaultdict(set)
    documents = {}
    for one in asked:
        documents[one.name] = one.document
        there[one.name].update(one.machine.data_disks)
    for name, document in documents.items():
        disks = document.value.disks
        if not isinstance(disks, SnapshotDisks):
            continue
        for key, luns in (("only", disks.only), ("except", disks.except_)):
            if idle := sorted(set(luns or ()) - there[name]):
                yield Finding(
                    code="snapshot-no-lun",
                    message=f"SnapshotSchedule {name} disks.{key}: none of its VMs has a data disk with LUN "
                    + ", ".join(map(str, idle)),
                    severity=Severity.WARNING,
                    advice="correct the LUN, or leave it out",
                    source=document.at("disks", key),
                )


def asked_of(expansion: Expansion) -> Iterator[Asked]:
    """Every VM whose schedule takes restore points. Unknown schedules are the loader's business."""
    documents = {fold(name): one for name, one in expansion.declared.of(DOCUMENT, SnapshotSchedule).items()}
    cadences = {name: Cadence.of(one.value) for name, one in documents.items()}
    for assignment in expansion.assignments:
        aspect: Snapshots = assignment.value
        document = documents.get(fold(aspect.schedule))
        if document is not None and document.value.restore_points:
            yield Asked(assignment.machine, document, cadences[fold(document.name)], assignment)
