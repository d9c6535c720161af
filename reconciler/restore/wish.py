"""What a request comes to: the resources to be made, what they are made from, and what speaks against it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from reconciler.kinds.restoration import DISKS
from reconciler.kinds.restored_disk import RestoredDiskSpec
from reconciler.kinds.restored_interface import RestoredInterfaceSpec
from reconciler.model.address import Address
from reconciler.model.arm_id import ArmId
from reconciler.model.counting import count
from reconciler.model.disk import Disk
from reconciler.model.live import Live
from reconciler.model.resource import Ref, Resource
from reconciler.model.restore_request import RestoreRequest
from reconciler.plan.change import Action, Change
from reconciler.plan.finding import Finding, Severity
from reconciler.restore.sets import Part

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?", re.ASCII)
_LARGE = frozenset({"ultrassd_lrs", "premiumv2_lrs"})
"""Disk types with 4096-byte sectors (SN-13)."""
REGIONAL = "none"
"""What is written for no zone, where the source has one."""
FALLBACK_SKU = "StandardSSD_LRS"
"""The type of a disk whose source disk is gone, unless the person names one."""


@dataclass(frozen=True, slots=True)
class Wish:
    """`request` is resolved; `resources` are in the order in which they are made; `sources` are live resources that
    they are made from. An error among the `findings` stops the apply."""

    request: RestoreRequest
    resources: tuple[Resource, ...]
    sources: tuple[Resource, ...]
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Target:
    """Where restored resources go."""

    alias: str
    subscription: str
    group: str

    def address(self, kind: str, name: str) -> Address:
        return Address(kind, f"{self.alias}/{self.group}", name)

    def arm_id(self, provider: str, name: str) -> ArmId:
        """`provider` as `Microsoft.Compute/disks`."""
        return ArmId(f"/subscriptions/{self.subscription}/resourceGroups/{self.group}/providers/{provider}/{name}")

    def check(self, live: Live) -> Iterator[Finding]:
        """The resource group must be there: a restore makes none."""
        unread = any("resource_group" in gap.kinds and gap.scope == self.alias for gap in live.unreadable)
        if not unread and f"{self.alias}/{self.group}".casefold() not in live.resource_groups:
            yield Finding(
                code="resource-group-absent",
                message=f"there is no resource group {self.group} in subscription {self.alias}",
                advice="name one that is there with --resource-group, or create it: az group create",
            )


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the person wants of one disk; "" and 0 leave it to the source. `zone` may be `none`."""

    name: str
    zone: str = ""
    sku: str = ""
    size_gib: int = 0
    machine: str = ""
    """ARM id of the VM that it is for."""


def disk_of(part: Part, wanted: Wanted, target: Target, live: Live) -> Resource:
    """The disk to be made from one part. Its type and zone are those of the source disk where that is still there."""
    source_disk = live.disks_by_id.get(ArmId(part.disk_id)) if part.disk_id else None
    sku = wanted.sku or (source_disk.sku if source_disk else "") or FALLBACK_SKU
    spec = RestoredDiskSpec(
        source=Ref.of(part.source.address),
        source_id=part.source_id,
        source_unique_id=part.unique_id,
        location=part.source.location,
        sku=sku,
        size_gib=wanted.size_gib or part.size_gib or (source_disk.size_gib if source_disk else 0),
        zone=_zone(wanted.zone, sku, source_disk, part.source.location),
        os_type=part.os_type,
        hyper_v_generation=part.hyper_v_generation,
        security_type=part.security_type,
        machine=wanted.machine,
    )
    address = target.address("disk", wanted.name)
    return Resource(address, spec, target.arm_id(DISKS, wanted.name), part.source.location)


def _zone(wanted: str, sku: str, source: Disk | None, region: str) -> str:
    """A regional disk does not fit a VM in a zone; a zone-redundant one is in all of them; zones of two regions have
    nothing in common."""
    if sku.casefold().endswith("_zrs") or wanted.casefold() == REGIONAL:
        return ""
    of_source = source.zones[0] if source and source.zones and source.location == region else ""
    return wanted or of_source


def check_disk(part: Part, wanted: Wanted, live: Live) -> Iterator[Finding]:
    """What speaks against making a disk from this part: it is not usable yet, or what was asked for does not fit."""
    where = str(part.source.address)
    if part.doubt:
        yield Finding(
            code="snapshot-unusable",
            message=f"no disk can be made from it now: {part.doubt}",
            address=where,
            advice="wait until it is complete and run this again, or choose another slot",
        )
    if wanted.size_gib and wanted.size_gib < part.size_gib:
        yield Finding(
            code="disk-too-small",
            message=f"a disk from it has at least {part.size_gib:,} GiB; {wanted.size_gib:,} were asked for",
            address=where,
            advice=f"write --size-gib {part.size_gib} or more: disks never shrink",
        )
    source = live.disks_by_id.get(ArmId(part.disk_id)) if part.disk_id else None
    if source is None and not wanted.sku:
        yield Finding(
            code="disk-type-unknown",
            severity=Severity.INFO,
            message=f"the disk that it is of is gone, and with it its type: {FALLBACK_SKU} is taken",
            address=where,
            advice="name another with --sku, as Premium_LRS",
        )
    if source and wanted.sku and source.sku.casefold() in _LARGE and wanted.sku.casefold() not in _LARGE:
        yield Finding(
            code="SN-13",
            severity=Severity.DOUBT,
            message=f"it is of a {source.sku} disk: where that has sectors of 4096 bytes, as is usual, Azure refuses "
            f"to make a {wanted.sku} of it",
            address=where,
            advice=f"leave --sku out: {source.sku}",
        )
    if wanted.zone not in ("", REGIONAL) and wanted.sku.casefold().endswith("_zrs"):
        yield Finding(
            code="zone-ignored",
            severity=Severity.WARNING,
            message=f"a {wanted.sku} disk is in all zones of its region: --zone does not count for it",
            address=where,
            advice="leave --zone out, or name a type that ends in _LRS",
        )


def check_name(name: str, longest: int, what: str) -> Iterator[Finding]:
    """Names as Azure takes them: letters, digits, `.`, `_` and `-`, not at the ends."""
    if len(name) > longest or not _NAME.fullmatch(name):
        yield Finding(
            code="restore-name",
            message=f"{name!r} cannot be the name of a {what}",
            advice=f"1 to {longest} letters, digits, dots, underscores and hyphens, first a letter or digit",
        )


def check_blocked(changes: Iterable[Change]) -> Iterator[Finding]:
    """All or nothing: the disks of a VM that cannot be made are of no use."""
    blocked = sum(change.action is Action.BLOCKED for change in changes)
    if blocked:
        yield Finding(
            code="restore-blocked",
            message=f"{count(blocked, 'resource')} cannot be made, and the rest is of no use without: nothing is made",
            advice="settle what is blocked, or restore under another name",
        )


def check_found(found: Resource, wanted: Resource | None) -> Iterator[Finding]:
    """A resource that is there, but whose creation failed, is neither the one that was asked for nor a free name. A
    network interface that is just as `wanted` is used: nothing tells whether an earlier restore made it."""
    if isinstance(found.observed, str) and found.observed.casefold() == "failed":
        yield Finding(
            code="half-made",
            message="it is there already, and its creation failed",
            address=str(found.address),
            advice=f"remove it and run this again: az resource delete --ids {found.arm_id}",
        )
    elif wanted and isinstance(wanted.spec, RestoredInterfaceSpec) and found.spec == wanted.spec:
        yield Finding(
            code="interface-there",
            message="it is there already, of no other VM, and equal in all that a restore would give it: it is used",
            severity=Severity.INFO,
            address=str(found.address),
            advice="where it is kept for something else, restore under another name",
        )
