"""`reconciler restore`: disks, VMs and files back, from snapshots or from a vault, as a plan first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from reconciler.cli import restore_files, restore_vault
from reconciler.cli.restore_run import GROUP, ZONE, Run, common, refuse, restore
from reconciler.cli.restore_vault import CONFIRM, REGION, VAULT, request_from_vault
from reconciler.errors import ExitCode

if TYPE_CHECKING:
    from reconciler.model.restore_request import MachineRequest

SKU = click.option("--sku", default="", help="Type of the disks, as Premium_LRS  [default: that of the source disk].")
_SNAPSHOTS_ONLY = {"size": "--size", "sku": "--sku", "partial": "--partial"}
_VAULT_ONLY = {
    "staging_account": "--staging-account",
    "disk_access": "--disk-access",
    "encryption_set": "--disk-encryption-set",
    "again": "--again",
    "replace": "--replace-existing",
    "confirm": "--confirm",
}


@click.group("restore")
def command() -> None:
    """Bring back VMs, disks and files, from snapshots, restore points, or the recovery points of a vault.

    \b
    disk    one managed disk   from a snapshot or a restore point
    vm      a whole VM         from snapshots, a restore point, or a vault; or other disks for it, from a vault
    disks   disks of a VM      from a vault
    files   single files       from a vault

    The plan is shown first; nothing is made before it is approved. What there is: `reconciler snapshots list VM` and
    `reconciler recovery-points list VM`.
    """


command.add_command(restore_vault.disks)
command.add_command(restore_files.files)


@command.command("disk", short_help="A managed disk from a snapshot.")
@click.argument("snapshot")
@click.option("--name", required=True, help="Name of the disk; it must be free.")
@click.option("--disk", "place", default="", metavar="os|LUN", help="Which disk of a restore point.")
@GROUP
@ZONE
@SKU
@click.option("--size-gib", type=click.IntRange(1, 65_536), metavar="GIB", help="Larger than the snapshot.")
@common
def disk(
    snapshot: str, name: str, place: str, resource_group: str, zone: str, sku: str, size_gib: int | None, **common: Any
) -> ExitCode:
    """Make a managed disk from SNAPSHOT, in the region where that lies.

    SNAPSHOT is a name, group/name, alias/group/name, or an ARM id; it need not be one of ours. A restore point
    will do, too: --disk says which of its disks.
    """
    from reconciler.model.restore_request import DiskRequest

    request = DiskRequest(
        snapshot=snapshot,
        name=name,
        disk=place,
        resource_group=resource_group,
        zone=zone,
        sku=sku,
        size_gib=size_gib or 0,
    )
    return restore(request, Run(**common))


@command.command("vm", short_help="A VM, from snapshots or from a vault.")
@click.argument("vm", required=False, default="")
@click.option("--from-snapshots", "source", default="", metavar="VM@SLOT", help="As web-01@latest.")
@click.option(
    "--recovery-point", "point", default="", metavar="POINT", help="Of VM in its vault: latest, a time, an id."
)
@click.option("--name", default="", help="Name of the new VM; it must be free.")
@click.option("--replace-existing", "replace", is_flag=True, help="From a vault: no new VM, other disks for VM itself.")
@click.option("--subnet", default="", help="vnet/subnet or ARM id  [default: that of the source VM].")
@GROUP
@REGION
@ZONE
@click.option("--size", default="", help="From snapshots: VM size, as Standard_D4s_v5  [default: that of the source].")
@SKU
@click.option("--partial", is_flag=True, help="From snapshots: go on where a data disk has no usable one in that slot.")
@VAULT
@CONFIRM
@common
def machine(vm: str, source: str, point: str, **given: Any) -> ExitCode:
    """Make a new VM beside its source: from snapshots with --from-snapshots VM@SLOT, from its vault with VM
    --recovery-point POINT. Or put other disks into VM itself, from its vault: --replace-existing.

    VM is a name, group/name, alias/group/name, or an ARM id; it may be gone. SLOT is as in `reconciler snapshots
    list`, POINT as in `reconciler recovery-points list`: whole, its beginning, or latest.
    """
    refuse(
        "say what to restore from: --from-snapshots VM@SLOT, or VM --recovery-point POINT"
        if not source and not point
        else "",
        "--from-snapshots and --recovery-point are two sources: leave one of them out" if source and point else "",
        "--from-snapshots names the VM itself: leave VM out" if source and vm else "",
        "say which VM the recovery point is of" if point and not vm else "",
        *_misplaced(given, _VAULT_ONLY if source else {}, "from a vault"),
        *_misplaced(given, _SNAPSHOTS_ONLY if point else {}, "from snapshots"),
        "name the new VM with --name" if not given["name"] and not given["replace"] else "",
    )
    own = {name: given.pop(name) for name in (*_SNAPSHOTS_ONLY, *_VAULT_ONLY, *_PLACES)}
    if source:
        return restore(_from_snapshots(source, own), Run(**given))
    return restore_vault.restore_machine(request_from_vault(vm, point, own), own["confirm"], Run(**given))


_PLACES = ("name", "subnet", "resource_group", "region", "zone")


def _misplaced(given: dict[str, Any], options: dict[str, str], where: str) -> tuple[str, ...]:
    return tuple(f"{option} is for restores {where}" for name, option in options.items() if given[name])


def _from_snapshots(source: str, own: dict[str, Any]) -> MachineRequest:
    from reconciler.model.restore_request import MachineRequest
    from reconciler.restore.search import split_slot

    machine, slot = split_slot(source)
    return MachineRequest(
        machine=machine,
        slot=slot,
        name=own["name"],
        subnet=own["subnet"],
        resource_group=own["resource_group"],
        size=own["size"],
        region=own["region"],
        zone=own["zone"],
        sku=own["sku"],
        partial=own["partial"],
    )
