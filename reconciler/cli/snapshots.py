"""`reconciler snapshots list VM`: what a VM can be restored from."""

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
    from reconciler.model.restorable import Holdings


@click.group("snapshots")
def command() -> None:
    """Snapshots of managed disks and restore points of VMs."""


@command.command("list", short_help="What a VM can be restored from.")
@click.argument("vm")
@POLICIES
@CLOUD
@CA_FILE
@COLOUR
@form("json")
def list_(
    vm: str, policies: tuple[Path, ...], cloud: str, ca_file: Path | None, colour: bool | None, form: str
) -> ExitCode:
    """List every snapshot and restore point of VM: slot, age, disk, size, state, why it is kept, and its copies.

    VM is a name, group/name, alias/group/name, or an ARM id; it may be gone.
    """
    from reconciler.render.holdings import holdings_json, holdings_text

    holdings = asyncio.run(_list(vm, policies, cloud, ca_file))
    if form == "json":
        write(holdings_json(holdings))
    else:
        coloured = wants_colour(colour)
        write(holdings_text(holdings, colour=coloured), colour=coloured)
    return conclude(ExitCode.INCOMPLETE if holdings.unread else ExitCode.OK)


async def _list(vm: str, policies: tuple[Path, ...], cloud: str, ca_file: Path | None) -> Holdings:
    from reconciler.on_request import look_for_snapshots
    from reconciler.restore.listing import list_holdings

    async with connect(cloud, ca_file) as azure:
        _, declared = read_policies(policies, azure.now().date())
        return list_holdings(vm, declared, await look_for_snapshots(azure, declared), azure.now())
