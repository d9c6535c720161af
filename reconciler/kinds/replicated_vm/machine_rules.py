"""Rules that need the VM and its disks: ASR-16 and ASR-30 to ASR-40. Told once for all VMs of a Protection."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from reconciler.kinds.remarks import Remark
from reconciler.kinds.replicated_vm.rules import MOST_DATA_DISKS
from reconciler.kinds.replicated_vm.wish import Wish
from reconciler.model.casing import fold
from reconciler.model.disk import Disk
from reconciler.model.location import normalise_location
from reconciler.model.machine import OsType
from reconciler.plan.finding import Severity

LARGEST_OS_DISK, LARGEST_DATA_DISK = 4095, 32 * 1024
"""GiB."""
LARGEST_GROUP = 16
_ARM64 = re.compile(r"standard_[a-z]+\d+(-\d+)?[a-z]*p[a-z]*(_|$)", re.IGNORECASE)
"""The letter p after the number of cores stands for an ARM processor (Azure's naming of VM sizes)."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One VM that is to be replicated, with those of its disks that were seen: the OS disk and the others."""

    wish: Wish
    os_disk: Disk | None
    data_disks: tuple[Disk, ...]

    @property
    def zone_to_zone(self) -> bool:
        return self.wish.route.zone_to_zone


@dataclass(frozen=True, slots=True)
class MachineRule:
    """`breach` says what is wrong with one VM, or None; `path` is what is to be changed in its Protection."""

    id: str
    severity: Severity
    source: str
    breach: Callable[[Candidate], str | None]
    advice: str
    path: tuple[str, ...] = ()


def _not_managed(candidate: Candidate) -> str | None:
    machine = candidate.wish.machine
    places = {disk.lun for disk in machine.disks}
    if None not in places:
        return "its OS disk is not a managed one, or is ephemeral"
    missing = sorted(set(machine.data_disks) - places - candidate.wish.left_out)
    return f"data disk {', '.join(map(str, missing))} is not managed" if missing else None


def _arm_processor(candidate: Candidate) -> str | None:
    size = candidate.wish.machine.size
    return f"size {size} has an ARM64 processor" if _ARM64.match(size) else None


def _too_large(candidate: Candidate) -> str | None:
    if candidate.os_disk and candidate.os_disk.size_gib > LARGEST_OS_DISK:
        return f"its OS disk has {candidate.os_disk.size_gib} GiB; Azure replicates {LARGEST_OS_DISK} at most"
    large = max((disk.size_gib for disk in candidate.data_disks), default=0)
    if large > LARGEST_DATA_DISK:
        return f"a data disk has {large} GiB; Azure replicates {LARGEST_DATA_DISK} at most"
    return None


def _too_many(candidate: Candidate) -> str | None:
    count = len(candidate.wish.machine.data_disks)
    return f"{count} data disks; Azure replicates {MOST_DATA_DISKS} at most" if count > MOST_DATA_DISKS else None


def _zones(candidate: Candidate) -> str | None:
    if not candidate.zone_to_zone:
        return None
    machine, zone = candidate.wish.machine, candidate.wish.route.leg.end.zone
    if not machine.zones:
        return "it is in no zone, and a route within a region leads from one zone to another"
    return f"it is in zone {zone} already, where the route leads" if zone in machine.zones else None


def _zonal_disks(candidate: Candidate) -> str | None:
    if not candidate.zone_to_zone:
        return None
    disks = (candidate.os_disk, *candidate.data_disks)
    found = sorted({disk.sku for disk in disks if disk and (disk.sku.endswith("_ZRS") or disk.sku == "UltraSSD_LRS")})
    return f"{', '.join(found)} disks cannot be replicated from zone to zone" if found else None


def _ultra_disks(candidate: Candidate) -> str | None:
    found = any(disk.sku == "UltraSSD_LRS" for disk in candidate.data_disks)
    return "whether Ultra disks can be replicated is not documented" if found and not candidate.zone_to_zone else None


def _trusted_linux(candidate: Candidate) -> str | None:
    machine = candidate.wish.machine
    if machine.security_type == "TrustedLaunch" and machine.os_type is OsType.LINUX:
        return "an Azure page of 2024 has Trusted Launch for Windows only"
    return None


def _missing_luns(candidate: Candidate) -> str | None:
    missing = sorted(candidate.wish.left_out.difference(candidate.wish.machine.data_disks))
    return f"no data disk with LUN {', '.join(map(str, missing))} to leave out" if missing else None


MACHINE_RULES = (
    MachineRule("ASR-16", Severity.ERROR, "z2z, a2a", _zones, "use a route to another zone or region"),
    MachineRule("ASR-16", Severity.ERROR, "z2z, a2a", _zonal_disks, "leave them out, or replicate to another region"),
    MachineRule("ASR-30", Severity.DOUBT, "sdk-sr", _ultra_disks, "try one VM first, or leave them out: excludeDisks"),
    MachineRule("ASR-31", Severity.ERROR, "a2a", _too_large, "leave the disk out: excludeDisks; or exempt the VM"),
    MachineRule("ASR-31", Severity.ERROR, "a2a", _too_many, "exempt them, or detach disks"),
    MachineRule("ASR-32", Severity.ERROR, "a2a", _not_managed, "convert it to a managed disk, or exempt the VM"),
    MachineRule("ASR-32", Severity.ERROR, "a2a", _arm_processor, "exempt them: Site Recovery cannot replicate them"),
    MachineRule("ASR-36", Severity.DOUBT, "tl, a2a", _trusted_linux, "try one VM first"),
    MachineRule(
        "ASR-37",
        Severity.ERROR,
        "a2a",
        _missing_luns,
        "select only VMs that have it, or say it in overrides",
        ("excludeDisks",),
    ),
)


def remarks_on(candidate: Candidate) -> Iterator[Remark]:
    """What Azure would refuse of this VM, as far as the lists tell."""
    item = candidate.wish.assignment
    for rule in MACHINE_RULES:
        message = rule.breach(candidate)
        if message:
            yield Remark(
                code=rule.id,
                subject=f"Protection {item.protection.name}",
                message=message,
                advice=rule.advice,
                severity=rule.severity,
                source=item.protection.at("replication", *rule.path),
                rule_source=rule.source,
            )


def remarks_on_groups(wishes: Iterable[Wish]) -> Iterator[tuple[Remark, Wish]]:
    """ASR-40: 16 VMs of a multi-VM group at most, all of one subscription and region."""
    groups: dict[tuple[str, str], list[Wish]] = defaultdict(list)
    for wish in wishes:
        if wish.multi_vm_group:
            groups[wish.route.scope.casefold(), fold(wish.multi_vm_group)].append(wish)
    for members in groups.values():
        name = members[0].multi_vm_group
        places = {(one.machine.subscription, normalise_location(one.machine.location)) for one in members}
        message = ""
        if len(members) > LARGEST_GROUP:
            message = f"multi-VM group {name} would have {len(members)} VMs; {LARGEST_GROUP} at most fail over as one"
        elif len(places) > 1:
            message = f"multi-VM group {name} has VMs of several subscriptions or regions"
        for wish in members if message else ():
            yield _group_remark(wish, message), wish


def _group_remark(wish: Wish, message: str) -> Remark:
    item = wish.assignment
    return Remark(
        code="ASR-40",
        subject=f"Protection {item.protection.name}",
        message=message,
        advice="make several groups",
        severity=Severity.ERROR,
        source=item.protection.at("replication", "multiVmGroup"),
        rule_source="a2aq, er",
    )
