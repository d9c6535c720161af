"""A new VM from the snapshots or the restore point of another: its disks, a network interface, the VM."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from reconciler.kinds.restoration import INTERFACES, MACHINES
from reconciler.kinds.restored_disk import RestoredDiskSpec
from reconciler.kinds.restored_interface import RestoredInterfaceSpec
from reconciler.kinds.restored_machine import DataDisk, RestoredMachineSpec, SecurityBody, UefiBody
from reconciler.model.document import Declared
from reconciler.model.live import Live
from reconciler.model.resource import Ref, Resource
from reconciler.model.restore_request import MachineRequest
from reconciler.model.slots import spell_slot
from reconciler.plan.finding import Finding, Severity
from reconciler.restore.choice import Choice
from reconciler.restore.network import Connection, connect
from reconciler.restore.sets import OS, Part
from reconciler.restore.surroundings import Surroundings
from reconciler.restore.wish import REGIONAL, Target, Wanted, Wish, check_disk, check_name, disk_of

_TRUSTED = "TrustedLaunch"


def wish_for_machine(
    request: MachineRequest, choice: Choice, around: Surroundings, declared: Declared, live: Live
) -> Wish:
    """Everything that `request` asks for: data disks on the LUNs that they were on, and what the source VM has of size,
    zone, security type, licence and marketplace plan. Pure."""
    chosen = choice.chosen
    subscription = chosen.machine.subscription
    alias = declared.alias(subscription) or subscription
    target = Target(alias, subscription, request.resource_group or chosen.machine.resource_group)
    zone = _zone(request, choice, around)
    machine = str(target.arm_id(MACHINES, request.name))
    disks = {
        part.place: (part, Wanted(_disk_name(request.name, part.place), zone or REGIONAL, request.sku, machine=machine))
        for part in choice.parts
    }
    connection = connect(request, chosen.region, around)
    made = {place: disk_of(part, wanted, target, live) for place, (part, wanted) in disks.items()}
    findings = [
        *choice.findings,
        *check_name(request.name, 64, "VM"),
        *target.check(live),
        *(finding for part, wanted in disks.values() for finding in check_disk(part, wanted, live)),
        *connection.findings,
        *_check_machine(request, choice, around),
    ]
    resources = tuple(made.values())
    if OS in made and connection.subnet:
        interface = _interface(request, connection, chosen.region, target)
        resources = (*resources, interface, _machine(request, choice, around, made, interface, target, zone))
    resolved = msgspec.structs.replace(
        request, machine=str(chosen.machine), slot=spell_slot(chosen.slot), region=chosen.region
    )
    sources = {part.source.address: part.source for part in choice.parts}
    return Wish(resolved, resources, tuple(sources.values()), tuple(findings))


def _disk_name(machine: str, place: str) -> str:
    return f"{machine}-os" if place == OS else f"{machine}-data-{place}"


def _zone(request: MachineRequest, choice: Choice, around: Surroundings) -> str:
    """That of the source, unless said otherwise; a zone means nothing in another region."""
    if request.zone:
        return "" if request.zone.casefold() == REGIONAL else request.zone
    zones = (around.machine.zones or ()) if around.machine and around.region == choice.chosen.region else ()
    return zones[0] if zones else ""


def _interface(request: MachineRequest, connection: Connection, region: str, target: Target) -> Resource:
    name = f"{request.name}-nic"
    spec = RestoredInterfaceSpec(
        location=region,
        subnet=connection.subnet,
        machine=str(target.arm_id(MACHINES, request.name)),
        security_group=connection.security_group,
    )
    return Resource(target.address("network_interface", name), spec, target.arm_id(INTERFACES, name), region)


def _machine(
    request: MachineRequest,
    choice: Choice,
    around: Surroundings,
    made: dict[str, Resource],
    interface: Resource,
    target: Target,
    zone: str,
) -> Resource:
    source = around.machine
    security = _security_type(choice, around)
    uefi, caching = _uefi(around), _caching(around)
    spec = RestoredMachineSpec(
        location=choice.chosen.region,
        size=_size(request, choice, around),
        zone=zone,
        os_type=_os_type(choice, around),
        os_disk=Ref.of(made[OS].address),
        os_caching=caching.get(OS, ""),
        data_disks=tuple(
            DataDisk(int(place), Ref.of(disk.address), caching.get(place, ""))
            for place, disk in made.items()
            if place.isdecimal()
        ),
        ultra_ssd=any(_is_ultra(disk) for disk in made.values()),
        network_interface=Ref.of(interface.address),
        security_type=_TRUSTED if security == _TRUSTED else "",
        secure_boot=security == _TRUSTED and (uefi is None or bool(uefi.secure_boot_enabled)),
        vtpm=security == _TRUSTED and (uefi is None or bool(uefi.v_tpm_enabled)),
        license_type=(source.properties.license_type or "") if source else "",
        offer=source.plan if source else None,
    )
    address = target.address("virtual_machine", request.name)
    return Resource(address, spec, target.arm_id(MACHINES, request.name), choice.chosen.region)


def _check_machine(request: MachineRequest, choice: Choice, around: Surroundings) -> Iterator[Finding]:
    if not _size(request, choice, around):
        yield Finding(
            code="size-unknown",
            message=f"{choice.chosen.machine.name} is gone, and its snapshots do not tell its size",
            advice="name one with --size, as Standard_D4s_v5",
        )
    if not _os_type(choice, around):
        yield Finding(
            code="os-unknown",
            message="neither the snapshot of the OS disk nor the VM tells whether it is Windows or Linux",
            advice="make the disks with `reconciler restore disk`, and the VM by hand: az vm create --attach-os-disk",
        )
    security = _security_type(choice, around)
    if security not in ("", "Standard", _TRUSTED):
        yield Finding(
            code="security-type",
            message=f"the VM is a {security}: its disks are bound to keys that a new VM does not have",
            advice="restore it with Azure Backup, or make the VM by hand",
        )
    if around.machine is None:
        yield Finding(
            code="source-gone",
            severity=Severity.WARNING,
            message=f"{choice.chosen.machine.name} is gone: its zone, licence, marketplace plan, network security "
            "group and extensions are not known and not carried over",
            advice="set what is missing after the restore",
        )


def _size(request: MachineRequest, choice: Choice, around: Surroundings) -> str:
    of_source = around.machine.properties.hardware_profile.vm_size if around.machine else ""
    return request.size or of_source or choice.chosen.size


def _os_type(choice: Choice, around: Surroundings) -> str:
    part = _os_part(choice)
    of_source = around.machine.properties.storage_profile.os_disk.os_type if around.machine else ""
    return (part.os_type if part else "") or of_source or ""


def _security_type(choice: Choice, around: Surroundings) -> str:
    part = _os_part(choice)
    of_disk = part.security_type if part else ""
    profile = around.machine.properties.security_profile if around.machine else None
    return (profile or SecurityBody()).security_type or of_disk or ""


def _uefi(around: Surroundings) -> UefiBody | None:
    """None where it is not known: then both are on, as Azure has it for new VMs."""
    profile = around.machine.properties.security_profile if around.machine else None
    return profile.uefi_settings if profile else None


def _caching(around: Surroundings) -> dict[str, str]:
    """By place, as the source has it; of a VM that is gone nothing: Azure's defaults."""
    if around.machine is None:
        return {}
    storage = around.machine.properties.storage_profile
    known = {str(disk.lun): disk.caching or "" for disk in storage.data_disks or ()}
    return {OS: storage.os_disk.caching or "", **known}


def _is_ultra(disk: Resource) -> bool:
    return isinstance(disk.spec, RestoredDiskSpec) and disk.spec.sku.casefold() == "ultrassd_lrs"


def _os_part(choice: Choice) -> Part | None:
    return next((part for part in choice.chosen.parts if part.place == OS), None)
