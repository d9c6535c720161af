"""Snapshots as Azure lists them, and what of it counts.

The traps (site-recovery-and-snapshots.md §9): `sourceResourceId` of a disk is its name, `sourceUniqueId` its identity;
on a copy both mean the snapshot copied. `completionPercent` is there only where data is copied in the background.
`diskAccessId` comes back with its resource group in upper case; `timeCreated` has seven decimals.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec

from reconciler.kinds.snapshot.names import tells_slot
from reconciler.kinds.snapshot.spec import PRIVATE, SnapshotSpec
from reconciler.kinds.snapshot.tags import Mark, read_mark
from reconciler.model.arm_id import ArmId
from reconciler.model.casing import fold
from reconciler.model.location import normalise_location
from reconciler.model.observed import SnapshotFacts

API_VERSION = "2025-01-02"
_ALWAYS_COMPLETE = 100.0
_COPY_START = "copystart"


class CreationBody(msgspec.Struct, frozen=True, rename="camel"):
    """`creationData`."""

    create_option: str | None = None
    source_resource_id: str | None = None
    source_unique_id: str | None = None

    @property
    def of_snapshot(self) -> bool:
        """Whether it copies another snapshot."""
        return "/snapshots/" in (self.source_resource_id or "").lower()


class CopyErrorBody(msgspec.Struct, frozen=True, rename="camel"):
    """`copyCompletionError`."""

    error_code: str | None = None
    error_message: str | None = None


class SecurityBody(msgspec.Struct, frozen=True, rename="camel"):
    """`securityProfile`."""

    security_type: str | None = None


class SkuBody(msgspec.Struct, frozen=True):
    """`sku`."""

    name: str = ""


class SnapshotProperties(msgspec.Struct, frozen=True, rename="camel"):
    """What we look at of a snapshot; much of it is absent while it is being made."""

    creation_data: CreationBody = CreationBody()
    incremental: bool = False
    size_gib: int = msgspec.field(name="diskSizeGB", default=0)
    unique_id: str = ""
    time_created: str | None = None
    provisioning_state: str = "Succeeded"
    disk_state: str = ""
    completion_percent: float | None = None
    copy_completion_error: CopyErrorBody | None = None
    network_access_policy: str | None = None
    disk_access_id: str | None = None
    public_network_access: str | None = None
    os_type: str | None = None
    hyper_v_generation: str | None = msgspec.field(name="hyperVGeneration", default=None)
    security_profile: SecurityBody | None = None

    @property
    def copy_error(self) -> str:
        """Why copying in the background failed, or ""."""
        error = self.copy_completion_error
        return f"{error.error_code or 'Failed'}: {error.error_message or ''}".rstrip(": ") if error else ""

    @property
    def completion(self) -> float:
        """0 to 100. A copy that does not tell yet has not begun."""
        if self.completion_percent is not None:
            return self.completion_percent
        return 0.0 if (self.creation_data.create_option or "").lower() == _COPY_START else _ALWAYS_COMPLETE

    @property
    def failed(self) -> bool:
        return self.provisioning_state == "Failed" or self.copy_completion_error is not None


class SnapshotBody(msgspec.Struct, frozen=True):
    """One snapshot of the list, or of a GET."""

    id: str
    name: str
    location: str = ""
    tags: dict[str, str | None] | None = None
    sku: SkuBody | None = None
    properties: SnapshotProperties = SnapshotProperties()


def spec_from(body: SnapshotBody) -> SnapshotSpec:
    """What we manage of a live one. Its tags are history, and told by its facts."""
    properties = body.properties
    private = properties.network_access_policy == PRIVATE
    return SnapshotSpec(
        state="failed" if properties.failed else "present",
        network_access_policy=properties.network_access_policy,
        disk_access=str(ArmId(properties.disk_access_id)) if private and properties.disk_access_id else "",
        public_network_access=properties.public_network_access,
        location=normalise_location(body.location),
        incremental=properties.incremental,
        sku=body.sku.name if body.sku else "",
    )


def mark_from(body: SnapshotBody, subscription_id: str) -> Mark | None:
    """What our tags say of it; None for one that is not ours."""
    mark = read_mark(body.tags, subscription_id)
    return None if mark is None or dispute(body, mark) else mark


def dispute(body: SnapshotBody, mark: Mark) -> str:
    """What speaks against its tags, "" where nothing does. People edit tags, and tools carry them over to what they
    make of a snapshot: such a one would go by a slot, or stand in for a disk, that is not its own. We copy to other
    regions only, and note what was copied. The schedule may be changed by hand: who renames one takes its snapshots
    along so.
    """
    creation = body.properties.creation_data
    made_of = fold(creation.source_unique_id or "")  # Azure does not tell while it is being made
    if not tells_slot(body.name, mark.slot):
        return "its name is not of the slot that they say"
    if creation.of_snapshot:
        if (creation.create_option or "").lower() != _COPY_START:
            return "it is a copy that somebody made"
        if made_of and mark.source and made_of != fold(mark.source):
            return "it is a copy of another snapshot"
    elif made_of and made_of != fold(mark.disk):
        return "it was taken of another disk"
    return ""


def facts_from(body: SnapshotBody, subscription_id: str, origins: Mapping[str, CreationBody]) -> SnapshotFacts:
    """Everything we look at and do not manage. `origins` maps the uniqueId of each snapshot of the list to what it was
    made from: the disk behind a copy is found by walking it."""
    properties, creation = body.properties, body.properties.creation_data
    mark = read_mark(body.tags, subscription_id)
    disputed = dispute(body, mark) if mark else ""
    if disputed:
        mark = None
    root = _root(creation, origins)
    return SnapshotFacts(
        arm_id=ArmId(body.id),
        created=moment(properties.time_created),
        size_gib=properties.size_gib,
        incremental=properties.incremental,
        sku=body.sku.name if body.sku else "",
        unique_id=properties.unique_id,
        schedule=mark.schedule if mark else "",
        slot=mark.slot if mark else None,
        keep=mark.keep if mark else "",
        disk_id=root.source_resource_id or "",
        disk_unique_id=mark.disk if mark else root.source_unique_id or "",
        place=mark.place if mark else "",
        machine_id=mark.machine if mark else None,
        copy_of=ArmId(creation.source_resource_id or "") if creation.of_snapshot else None,
        state=properties.provisioning_state,
        completion=properties.completion,
        copy_error=properties.copy_error,
        disk_state=properties.disk_state,
        os_type=properties.os_type or "",
        hyper_v_generation=properties.hyper_v_generation or "",
        security_type=(properties.security_profile.security_type or "") if properties.security_profile else "",
        disputed=disputed,
    )


def _root(creation: CreationBody, origins: Mapping[str, CreationBody]) -> CreationBody:
    """What the chain of copies begins with; nothing where a link of it is gone."""
    seen: set[str] = set()
    while creation.of_snapshot:
        parent = (creation.source_unique_id or "").lower()
        found = None if parent in seen else origins.get(parent)
        if found is None:
            return CreationBody()
        seen.add(parent)
        creation = found
    return creation


_UNKNOWN = datetime(1, 1, 1, tzinfo=UTC)


def moment(text: str | None) -> datetime:
    """Aware UTC; the year 1 for a snapshot that is still being made and does not tell."""
    if not text:
        return _UNKNOWN
    found = datetime.fromisoformat(text)
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
