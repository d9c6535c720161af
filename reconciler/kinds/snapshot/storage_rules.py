"""Where snapshots are stored, what they carry, where they are copied to, and who may export them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from reconciler.kinds.document_rule import Breach, rule_of
from reconciler.kinds.regions import REGIONS, closest_region
from reconciler.kinds.snapshot.spec import PRIVATE
from reconciler.kinds.snapshot.tags import OURS
from reconciler.kinds.snapshot.timetable import copy_of
from reconciler.kinds.tag_room import LONGEST_NAME, LONGEST_VALUE, MOST
from reconciler.model.casing import fold
from reconciler.model.snapshot_schedule import CopyTo, SnapshotSchedule
from reconciler.plan.finding import Severity

_REGION = re.compile(r"[a-z0-9]+")
_GROUP = re.compile(r"[-\w.()]{0,89}[-\w()]")
_FORBIDDEN = "<>%&\\?/"
_OWN = "reconciler-"
_DISK_ACCESS = re.compile(
    r"/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.Compute/diskAccesses/[^/]+/?", re.IGNORECASE
)


def _tags(schedule: SnapshotSchedule) -> Iterator[Breach]:
    tags = schedule.tags or {}
    seen: dict[str, str] = {}
    if len(tags) > MOST - OURS:
        message = f"{len(tags)} tags; Azure allows {MOST}, and {OURS} are ours"
        yield Breach(("tags",), message, f"leave {len(tags) - MOST + OURS} out")
    for name, value in tags.items():
        path = ("tags", name)
        if not 1 <= len(name) <= LONGEST_NAME or set(name) & set(_FORBIDDEN):
            advice = f"write 1 to {LONGEST_NAME} characters, none of {_FORBIDDEN}"
            yield Breach(path, f"a tag cannot be named {name[:40]!r}", advice)
        if fold(name).startswith(_OWN):
            yield Breach(path, f"tags that begin with {_OWN} say which snapshots are ours", "name it otherwise")
        if len(value) > LONGEST_VALUE:
            yield Breach(path, f"its value has {len(value)} characters; Azure allows {LONGEST_VALUE}", "shorten it")
        other = seen.setdefault(fold(name), name)
        if other != name:
            message = f"the tags {other!r} and {name!r} are one: Azure does not tell them apart by casing"
            yield Breach(path, message, "keep one of them")


def _premium(schedule: SnapshotSchedule) -> Iterator[Breach]:
    if schedule.incremental and schedule.sku == "Premium_LRS":
        message = "incremental snapshots are always stored on Standard storage"
        yield Breach(("sku",), message, "write Standard_ZRS or Standard_LRS, or leave sku out")


def _copy_incremental(schedule: SnapshotSchedule) -> Iterator[Breach]:
    if schedule.copy_to is not None and not schedule.incremental:
        message = "Azure copies only incremental snapshots to another region"
        yield Breach(("copyTo",), message, "write incremental: true, or leave copyTo out")


def _copy_region(schedule: SnapshotSchedule) -> Iterator[Breach]:
    copy = copy_of(schedule)
    if copy is not None and not _REGION.fullmatch(copy.region):
        close = closest_region(re.sub(r"[^a-z0-9]", "", copy.region))
        yield Breach(
            _region_path(schedule), f"{copy.region!r} is not a region", f"write {close or 'one as northeurope'}"
        )


def _copy_region_unknown(schedule: SnapshotSchedule) -> Iterator[Breach]:
    copy = copy_of(schedule)
    if copy is not None and _REGION.fullmatch(copy.region) and copy.region not in REGIONS:
        close = closest_region(copy.region)
        advice = f"write {close}" if close else "check the spelling: az account list-locations"
        yield Breach(_region_path(schedule), f"this version knows no region {copy.region!r}", advice)


def _region_path(schedule: SnapshotSchedule) -> tuple[str, ...]:
    return ("copyTo", "region") if isinstance(schedule.copy_to, CopyTo) else ("copyTo",)


def _groups(schedule: SnapshotSchedule) -> Iterator[Breach]:
    copied = schedule.copy_to.resource_group if isinstance(schedule.copy_to, CopyTo) else None
    written = {("resourceGroup",): schedule.resource_group, ("copyTo", "resourceGroup"): copied}
    for path, name in written.items():
        if name is not None and not _GROUP.fullmatch(name):
            advice = "write at most 90 letters, digits and _ - . ( ), without a dot at the end"
            yield Breach(path, f"a resource group cannot be named {name!r}", advice)


def _disk_access(schedule: SnapshotSchedule) -> Iterator[Breach]:
    private = schedule.network_access_policy == PRIVATE
    if schedule.disk_access is not None and not private:
        message = f"a disk access belongs to networkAccessPolicy: {PRIVATE}"
        yield Breach(("diskAccess",), message, f"write networkAccessPolicy: {PRIVATE}, or leave diskAccess out")
    if private and schedule.disk_access is None:
        message = f"{PRIVATE} needs the disk access through which snapshots may be exported"
        yield Breach(("networkAccessPolicy",), message, "add diskAccess with its ARM id, or write DenyAll")
    if schedule.disk_access is not None and not _DISK_ACCESS.fullmatch(schedule.disk_access):
        yield Breach(("diskAccess",), "not the ARM id of a disk access", "write /subscriptions/…/diskAccesses/NAME")


STORAGE_RULES = (
    rule_of("SN-01", Severity.ERROR, "tf-snap, tf-tag", _tags),
    rule_of("SN-02", Severity.ERROR, "isn, snp", _premium),
    rule_of("SN-12", Severity.ERROR, "xrg", _copy_incremental),
    rule_of("SN-12", Severity.ERROR, "xrg", _copy_region),
    rule_of("location", Severity.DOUBT, "our own", _copy_region_unknown),
    rule_of("resource-group-name", Severity.ERROR, "Azure naming rules", _groups),
    rule_of("disk-access", Severity.ERROR, "Azure Compute, networkAccessPolicy", _disk_access),
)
