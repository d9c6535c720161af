"""`reconciler recovery-points list VM`: what a VM can be restored from in its vault."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.cloud import CA_FILE, CLOUD, connect
from reconciler.cli.console import conclude, wants_colour, write
from reconciler.cli.options import COLOUR, POLICIES, form
from reconciler.cli.policies import read_policies
from reconciler.errors import ExitCode

if TYPE_CHECKING:
    from reconciler.model.vault_point import VaultPoints


@click.group("recovery-points")
def command() -> None:
    """Recovery points of VMs in Recovery Services vaults."""


@command.command("list", short_help="What a VM can be restored from in its vault.")
@click.argument("vm")
@click.option("--region", type=click.Choice(["secondary"]), help="What has arrived in the other region of the vault.")
@POLICIES
@CLOUD
@CA_FILE
@COLOUR
@form("json")
def list_(
    vm: str,
    region: str | None,
    policies: tuple[Path, ...],
    cloud: str,
    ca_file: Path | None,
    colour: bool | None,
    form: str,
) -> ExitCode:
    """List the recovery points of VM: when taken, age, consistency, tiers, disks, and whether they can be restored.

    VM is a name, group/name, alias/group/name, or an ARM id; it may be gone.
    """
    from reconciler.render.vault_points import points_json, points_text

    found = asyncio.run(_list(vm, bool(region), policies, cloud, ca_file))
    if form == "json":
        write(points_json(found))
    else:
        coloured = wants_colour(colour)
        write(points_text(found, colour=coloured), colour=coloured)
    return conclude(ExitCode.INCOMPLETE if found.unread else ExitCode.OK)


async def _list(vm: str, secondary: bool, policies: tuple[Path, ...], cloud: str, ca_file: Path | None) -> VaultPoints:
    from reconciler.on_request import look_for_backups
    from reconciler.restore.vault_points import list_points

    async with connect(cloud, ca_file) as azure:
        _, declared = read_policies(policies, azure.now().date())
        return await list_points(azure, vm, await look_for_backups(azure, declared), secondary=secondary)
