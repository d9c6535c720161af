"""`reconciler explain VM`: why a VM is protected the way it is."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.cloud import CA_FILE, CLOUD, connect
from reconciler.cli.console import wants_colour, write
from reconciler.cli.options import COLOUR, POLICIES, form
from reconciler.cli.policies import read_policies
from reconciler.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from reconciler.model.explanation import Explanation
    from reconciler.model.live import Live


@click.command("explain")
@click.argument("vm")
@POLICIES
@CLOUD
@CA_FILE
@COLOUR
@form("json")
def command(
    vm: str, policies: tuple[Path, ...], cloud: str, ca_file: Path | None, colour: bool | None, form: str
) -> int:
    """Tell why VM gets what it gets: which selectors match or not, who decides, and the line of each value.

    VM is a name, group/name, alias/group/name, or an ARM id.
    """
    from reconciler.render.explain import explanation_json, explanation_text

    found = asyncio.run(_explain(vm, policies, cloud, ca_file))
    if form == "json":
        write(explanation_json(found))
    else:
        coloured = wants_colour(colour)
        for explanation in found:
            write(explanation_text(explanation, colour=coloured), colour=coloured)
    return ExitCode.OK


async def _explain(vm: str, policies: tuple[Path, ...], cloud: str, ca_file: Path | None) -> tuple[Explanation, ...]:
    from reconciler.desired.explain import explain, find_machines
    from reconciler.kinds.registry import kinds
    from reconciler.workflow import look

    async with connect(cloud, ca_file) as azure:
        _, declared = read_policies(policies, azure.now().date())
        picture = await look(azure, declared)
    live = picture.situation.live
    machines = find_machines(live.machines, vm)
    if not machines:
        raise _unknown_vm(vm, live)
    return tuple(explain(item, declared, picture.desired, kinds(), picture.situation.now, live) for item in machines)


def _unknown_vm(vm: str, live: Live) -> UsageError:
    import difflib

    names = {machine.name.casefold(): machine for machine in live.machines}
    close = difflib.get_close_matches(vm.casefold().rpartition("/")[2], names, n=3)
    hint = ", ".join(f"{names[name].scope}/{names[name].name}" for name in close)
    why = "part of Azure could not be read; it may be there" if live.unreadable else ""
    return UsageError(
        f"no VM of the Scope's subscriptions is called {vm!r}",
        why=why,
        advice=f"did you mean {hint}?" if hint else "write its name, group/name, alias/group/name or its ARM id",
    )
