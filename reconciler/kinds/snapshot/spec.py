"""What we manage of a snapshot: that it is there or gone, and who may export it."""

from __future__ import annotations

from typing import Literal

import msgspec

from reconciler.model.address import Address
from reconciler.model.arm_id import ArmId
from reconciler.model.document import Declared
from reconciler.model.resource import Ref, Spec
from reconciler.model.snapshot_schedule import SnapshotSchedule

NAME = "snapshot"
TYPE = "Microsoft.Compute/snapshots"
PRIVATE = "AllowPrivate"


class SnapshotSpec(Spec, frozen=True, kw_only=True):
    """`state` is `present` or `expired` where it is desired, `present` or `failed` where it is live.

    The three fields about export are None or "" where they are left to Azure; `disk_access` is an ARM id. The rest is
    what a snapshot is made with, and cannot be changed: `disk` is the ARM id of the disk it is taken of, `source` the
    snapshot that it copies. `waits_for` orders: a copy waits for the one before it, an expired snapshot for the one
    that is taken in its place.
    """

    state: Literal["present", "expired", "failed"] = "present"
    network_access_policy: str | None = None
    disk_access: str = ""
    public_network_access: str | None = None
    location: str = ""
    incremental: bool = True
    sku: str = ""
    tags: dict[str, str] = msgspec.field(default_factory=dict)
    disk: str = ""
    source: Ref | None = None
    waits_for: Ref | None = None


def exported_as(spec: SnapshotSpec, schedule: SnapshotSchedule) -> SnapshotSpec:
    """The spec with what the schedule says of export laid over it; the same object where that changes nothing."""
    policy = schedule.network_access_policy or spec.network_access_policy
    access = spec.disk_access
    if schedule.network_access_policy is not None:
        access = (schedule.disk_access or "") if policy == PRIVATE else ""
    if access and spec.disk_access and ArmId(access) == ArmId(spec.disk_access):
        access = spec.disk_access  # Azure answers with the resource group in upper case
    public = schedule.public_network_access or spec.public_network_access
    if (policy, access, public) == (spec.network_access_policy, spec.disk_access, spec.public_network_access):
        return spec
    return msgspec.structs.replace(spec, network_access_policy=policy, disk_access=access, public_network_access=public)


def snapshot_id(address: Address, declared: Declared) -> ArmId:
    """Where the snapshot with this address lies. Its subscription is one of the Scope's."""
    alias, _, group = address.scope.partition("/")
    subscription = next(known for name, known in declared.subscriptions.items() if name.casefold() == alias.casefold())
    return ArmId(f"/subscriptions/{subscription}/resourceGroups/{group}/providers/{TYPE}/{address.name}")
