"""`reconciler restore disks`, and the part of `restore vm` that restores from a vault."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.options import together
from reconciler.cli.restore_run import GROUP, ZONE, Run, common, refuse, restore
from reconciler.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from reconciler.model.restore_request import BackupRequest

SECONDARY = "secondary"
POINT = click.option(
    "--recovery-point", "point", required=True, metavar="POINT", help="As it is listed: latest, a time, an id."
)
REGION = click.option(
    "--region",
    default="",
    help="The region of the copies of snapshots; of a vault, secondary  [default: the source's].",
)
CONFIRM = click.option(
    "--confirm", default="", metavar="VM", help="With --replace-existing --auto-approve: VM once more."
)
VAULT = together(
    click.option("--staging-account", default="", help="From a vault: storage account in the region of the restore."),
    click.option(
        "--disk-access", default="", help="From a vault, of private disks: same, public, or a disk access id."
    ),
    click.option("--disk-encryption-set", "encryption_set", default="", help="From a vault: ARM id of the set."),
    click.option("--again", is_flag=True, help="From a vault: once more, although a job has done the same."),
)
"""The options of all restores from a vault."""


@click.command("disks", short_help="Disks of a VM, from its vault.")
@click.argument("vm")
@POINT
@click.option("--disk", "places", multiple=True, metavar="os|LUN", help="Only these, and the OS disk; may be repeated.")
@GROUP
@click.option("--region", default="", help="secondary: from the copies in the other region of the vault.")
@ZONE
@VAULT
@common
def disks(vm: str, point: str, places: tuple[str, ...], **given: Any) -> ExitCode:
    """Make managed disks of a recovery point, attached to nothing. Azure Backup names them after VM and time.

    VM is a name, group/name, alias/group/name, or an ARM id; it may be gone. POINT is as in `reconciler
    recovery-points list`: whole, its beginning, or latest.
    """
    wrong = [place for place in places if place != "os" and not place.isdecimal()]
    refuse(f"{', '.join(map(repr, wrong))}: a disk is os or a LUN, as 0" if wrong else "")
    names = ("resource_group", "region", "zone", "staging_account", "disk_access", "encryption_set", "again")
    own = {name: given.pop(name) for name in names}
    request = request_from_vault(vm, point, {**own, "places": tuple(dict.fromkeys(places)), "into": "disks"})
    return restore(request, Run(**given))


def request_from_vault(vm: str, point: str, own: dict[str, Any]) -> BackupRequest:
    """What was asked of a vault. Raises UsageError, with all that is wrong, where options do not go together."""
    from reconciler.model.restore_request import BackupRequest

    into = own.get("into") or ("replace" if own.get("replace") else "vm")
    nowhere = ("name", "subnet", "resource_group", "zone") if into == "replace" else ()
    refuse(
        *(
            f"--{name.replace('_', '-')} has no meaning with --replace-existing: the VM stays what and where it is"
            for name in nowhere
            if own[name]
        ),
        "a recovery point is in the region of its vault, and its copy in the secondary one: write --region secondary"
        if own["region"] not in ("", SECONDARY)
        else "",
        "--confirm is for --replace-existing" if own.get("confirm") and into != "replace" else "",
    )
    return BackupRequest(
        machine=vm,
        point=point,
        into=into,
        name=own.get("name", ""),
        subnet=own.get("subnet", ""),
        resource_group=own["resource_group"],
        staging_account=own["staging_account"],
        zone=own["zone"],
        disks=own.get("places", ()),
        secondary=own["region"] == SECONDARY,
        disk_access=own["disk_access"],
        encryption_set=own["encryption_set"],
        again="yes" if own["again"] else "",
    )


def restore_machine(request: BackupRequest, confirm: str, run: Run) -> ExitCode:
    """As any other, but that the name of the VM must be typed before its disks are replaced: `yes` comes too easily."""
    if request.into != "replace":
        return restore(request, run)
    word = request.machine.rstrip("/").rpartition("/")[2]
    if run.auto_approve and confirm != word:
        raise UsageError(
            f"--auto-approve does not replace the disks of {word} by itself",
            why="what was written to them since the recovery point is on the VM no longer",
            advice=f"add --confirm {word}, or review a plan (--out) and apply that file",
        )
    return restore(request, dataclasses.replace(run, word=word))
