"""`reconciler restore disk|vm`: disks and VMs from snapshots, as a plan first."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from reconciler.cli.apply import Asked, carry_out, mode_of, refuse_unasked
from reconciler.cli.cloud import CA_FILE, CLOUD, connect
from reconciler.cli.console import conclude, hint, note, wants_colour
from reconciler.cli.journals import JOURNAL, journal_folder
from reconciler.cli.options import COLOUR, POLICIES, form
from reconciler.cli.plan import exit_code
from reconciler.cli.policies import read_policies
from reconciler.cli.report import Look, show_plan
from reconciler.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from reconciler.model.restore_request import RestoreRequest
    from reconciler.plan.plan import Plan

F = TypeVar("F", bound=Callable[..., Any])
NAME = click.option("--name", required=True, help="Name of what is made; it must be free.")
GROUP = click.option("--resource-group", default="", help="Where it is made  [default: that of the source].")
ZONE = click.option("--zone", default="", help="Availability zone, as 1, or none  [default: that of the source].")
SKU = click.option("--sku", default="", help="Type of the disks, as Premium_LRS  [default: that of the source disk].")
_COMMON = (
    POLICIES,
    CLOUD,
    CA_FILE,
    click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Save the plan for `apply FILE`."),
    click.option("--auto-approve", is_flag=True, help="Do not ask. For pipelines."),
    click.option("--parallelism", type=click.IntRange(1, 64), default=16, show_default=True, help="Steps at once."),
    JOURNAL,
    COLOUR,
    form("json"),
)


def _common(command: F) -> F:
    """The options that both commands have."""
    for option in reversed(_COMMON):
        command = option(command)
    return command


@dataclass(frozen=True, slots=True)
class Run:
    """The common options, as they were given."""

    policies: tuple[Path, ...]
    cloud: str
    ca_file: Path | None
    out: Path | None
    auto_approve: bool
    parallelism: int
    journal: Path | None
    colour: bool | None
    form: str


@click.group("restore")
def command() -> None:
    """Make a disk or a VM from snapshots or restore points. Nothing that exists is changed.

    The plan is shown first; nothing is made before it is approved.
    """


@command.command("disk", short_help="A managed disk from a snapshot.")
@click.argument("snapshot")
@NAME
@click.option("--disk", "place", default="", metavar="os|LUN", help="Which disk of a restore point.")
@GROUP
@ZONE
@SKU
@click.option("--size-gib", type=click.IntRange(1, 65_536), metavar="GIB", help="Larger than the snapshot.")
@_common
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
    return _restore(request, Run(**common))


@command.command("vm", short_help="A new VM from the snapshots of another.")
@click.option("--from-snapshots", "source", required=True, metavar="VM@SLOT", help="As web-01@latest.")
@NAME
@click.option("--subnet", default="", help="vnet/subnet or ARM id  [default: that of the source VM].")
@GROUP
@click.option("--size", default="", help="VM size, as Standard_D4s_v5  [default: that of the source VM].")
@click.option("--region", default="", help="Restore from the copies in that region  [default: that of the source].")
@ZONE
@SKU
@click.option("--partial", is_flag=True, help="Go on where a data disk has no usable snapshot in that slot.")
@_common
def machine(
    source: str,
    name: str,
    subnet: str,
    resource_group: str,
    size: str,
    region: str,
    zone: str,
    sku: str,
    partial: bool,
    **common: Any,
) -> ExitCode:
    """Make a new VM beside the one that the snapshots are of, with its size, its data disks on their LUNs, and a
    network interface of its own.

    VM is a name, group/name, alias/group/name, or an ARM id; it may be gone. SLOT is as in `reconciler snapshots
    list`, 2026-11-22T06:00Z, or its beginning, or latest.
    """
    from reconciler.model.restore_request import MachineRequest
    from reconciler.restore.search import split_slot

    vm, slot = split_slot(source)
    request = MachineRequest(
        machine=vm,
        slot=slot,
        name=name,
        subnet=subnet,
        resource_group=resource_group,
        size=size,
        region=region,
        zone=zone,
        sku=sku,
        partial=partial,
    )
    return _restore(request, Run(**common))


def _restore(request: RestoreRequest, run: Run) -> ExitCode:
    if run.out and run.auto_approve:
        raise UsageError(
            "--out saves the plan for later, --auto-approve carries it out now", advice="leave one of them out"
        )
    if not run.out:
        refuse_unasked(run.form, auto_approve=run.auto_approve)
    return asyncio.run(_carry_out(request, run))


async def _carry_out(request: RestoreRequest, run: Run) -> ExitCode:
    from reconciler.workflow import Wishes, plan_restore

    async with connect(run.cloud, run.ca_file) as azure:
        _, declared = read_policies(run.policies, azure.now().date())
        hint(f"Reading the snapshots of Azure ({azure.cloud.name}) ...")

        def planning() -> Awaitable[Plan]:
            return plan_restore(azure, declared, request)

        if run.out:
            return _save(await planning(), run, run.out)
        asked = Asked(
            policies=run.policies,
            wishes=Wishes(),
            saved=None,
            auto_approve=run.auto_approve,
            mode=mode_of(run.form),
            colour=wants_colour(run.colour),
            journal=journal_folder(run.journal),
            parallelism=run.parallelism,
        )
        return await carry_out(asked, azure, planning)


def _save(plan: Plan, run: Run, out: Path) -> ExitCode:
    from reconciler.plan.file import save

    show_plan(plan, Look(run.form, run.colour))
    save(plan, out)
    note(f"Saved to {out}. Carry it out with: reconciler apply {out}")
    return conclude(exit_code(plan, detailed=False))
