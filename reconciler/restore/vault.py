"""A VM, its disks, or other disks for it, from a recovery point of a vault."""

from __future__ import annotations

import msgspec

from reconciler.azure.clients import Azure
from reconciler.errors import UsageError
from reconciler.kinds.restoration import MACHINES
from reconciler.kinds.vault_restore.jobs import find_job
from reconciler.kinds.vault_restore.spec import DISKS, MACHINE, NAME, NO_ZONE, REPLACE, VaultRestoreSpec
from reconciler.model.address import Address
from reconciler.model.arm_id import ArmId
from reconciler.model.document import Declared
from reconciler.model.live import Live
from reconciler.model.location import normalise_location
from reconciler.model.resource import Resource
from reconciler.model.restore_request import BackupRequest
from reconciler.model.vault_point import VaultPoint
from reconciler.restore.network import Connection, connect
from reconciler.restore.sets import OS
from reconciler.restore.surroundings import read_surroundings
from reconciler.restore.vault_points import choose_point, read_point, read_points
from reconciler.restore.vault_rules import Ask, check_restore
from reconciler.restore.vault_source import facts_of, find_item
from reconciler.restore.vault_surroundings import VaultSurroundings, read_vault_surroundings
from reconciler.restore.wish import REGIONAL, Target, Wish, check_name

_FIRST, _NEVER = "yes", "never"
"""`again` as it was asked for, and once it is resolved where no job has done the same."""


async def wish_from_vault(azure: Azure, request: BackupRequest, declared: Declared, live: Live) -> Wish:
    """Everything that `request` asks for, and all that speaks against it. Raises UsageError where VM or recovery point
    are not found, and what the reads raise."""
    item = find_item(request.machine, live)
    facts = facts_of(item)
    around = await read_vault_surroundings(azure, facts.vault_id, facts.machine_id, request.staging_account)
    point = await _point(azure, request, facts.item_id, facts.machine_id)
    ask = _ask(request, facts.machine_id, point, around, declared, live)
    connection = Connection()
    if request.into == MACHINE and ask.region:
        surroundings = await read_surroundings(azure, facts.machine_id, request.subnet)
        connection = connect(request, ask.region, surroundings)
    spec = spec_of(ask, facts.item_id, connection)
    resolved = msgspec.structs.replace(request, machine=str(facts.machine_id), point=point.name)
    if request.again == _FIRST:
        job = await find_job(azure, spec)
        start = job.properties.start_time if job and job.completed else None
        resolved = msgspec.structs.replace(resolved, again=start.isoformat() if start else _NEVER)
    spec = msgspec.structs.replace(spec, after=resolved.again if resolved.again != _NEVER else "")
    findings = (
        *(check_name(request.name, 64, "VM") if request.into == MACHINE else ()),
        *(ask.target.check(live) if request.into != REPLACE else ()),
        *check_restore(ask),
        *(finding for finding in connection.findings if finding.code != "security-group-left"),
    )
    return Wish(resolved, (resource_of(ask, spec),), (), findings)


async def _point(azure: Azure, request: BackupRequest, item: ArmId, machine: ArmId) -> VaultPoint:
    """The disks of a recovery point are read only where it matters which it has."""
    points = await read_points(azure, item, secondary=request.secondary)
    point = choose_point(request.point, points, machine.name)
    if not request.disks or request.secondary:
        return point
    return await read_point(azure, item, point.name)


def _ask(
    request: BackupRequest,
    machine: ArmId,
    point: VaultPoint,
    around: VaultSurroundings,
    declared: Declared,
    live: Live,
) -> Ask:
    return Ask(
        request=request,
        machine_id=machine,
        machine=live.machines_by_id.get(machine),
        point=point,
        around=around,
        target=_target(request, machine, declared),
        region=around.secondary if request.secondary else around.location,
        staging=_staging(request.staging_account, around),
    )


def _target(request: BackupRequest, machine: ArmId, declared: Declared) -> Target:
    """`group`, or `alias/group` for another subscription of the Scope; the group of the VM where nothing is said."""
    alias, slash, group = request.resource_group.rpartition("/")
    if slash:
        if alias not in declared.subscriptions:
            known = ", ".join(sorted(declared.subscriptions))
            raise UsageError(f"there is no subscription {alias!r} in the Scope", advice=f"write one of {known}")
        return Target(alias, declared.subscriptions[alias], group)
    own = declared.alias(machine.subscription) or machine.subscription
    return Target(own, machine.subscription, group or machine.resource_group)


def _staging(text: str, around: VaultSurroundings) -> tuple[ArmId, str] | None:
    """By ARM id or by name: names of storage accounts are unique in all of Azure."""
    if text.startswith("/"):
        return next((known for known in around.accounts if known[0] == ArmId(text)), None)
    return next((known for known in around.accounts if known[0].name.casefold() == text.casefold()), None)


def spec_of(ask: Ask, item: ArmId, connection: Connection) -> VaultRestoreSpec:
    """What is sent, without what is not asked of this kind of restore. Pure."""
    request = ask.request
    replaces, makes = ask.replaces, request.into == MACHINE
    zone = {REGIONAL: NO_ZONE}.get(request.zone.casefold(), request.zone)
    names = {disk.place: ArmId(disk.disk).name for disk in ask.machine.disks} if ask.machine else {}
    disks = tuple(sorted({OS, *request.disks}, key=_by_place)) if request.into == DISKS and request.disks else ()
    return VaultRestoreSpec(
        into=request.into,
        machine=str(ask.machine_id),
        item=str(item),
        point=ask.point.name,
        taken=ask.point.taken.isoformat(),
        tier=ask.point.tier,
        region=normalise_location(ask.region),
        staging=str(ask.staging[0]) if ask.staging else "",
        group="" if replaces else _group(ask.target),
        target=str(ask.target.arm_id(MACHINES, request.name)) if makes else "",
        subnet=connection.subnet if makes else "",
        zone="" if replaces else zone,
        disks=disks,
        disk_names=tuple(names[place] for place in disks) if all(place in names for place in disks) else (),
        secondary=request.secondary,
        disk_access=request.disk_access,
        encryption_set=request.encryption_set,
    )


def resource_of(ask: Ask, spec: VaultRestoreSpec) -> Resource:
    """Under the name of the new VM, or of the VM whose disks they are. Pure."""
    if spec.into == MACHINE:
        return Resource(ask.target.address(NAME, ask.request.name), spec, ArmId(spec.target), spec.region)
    if spec.into == DISKS:
        return Resource(ask.target.address(NAME, ask.machine_id.name), spec, ArmId(spec.group), spec.region)
    scope = f"{ask.target.alias}/{ask.machine_id.resource_group}"
    return Resource(Address(NAME, scope, ask.machine_id.name), spec, ask.machine_id, spec.region)


def _group(target: Target) -> str:
    return f"/subscriptions/{target.subscription}/resourceGroups/{target.group}"


def _by_place(place: str) -> tuple[bool, int]:
    return place != OS, int(place) if place.isdecimal() else 0
