"""`reconciler drift`: how Azure differs from the policies. Read-only."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.cloud import CA_FILE, CLOUD, connect
from reconciler.cli.console import wants_colour, write
from reconciler.cli.options import COLOUR, EXCLUDE, POLICIES, TARGET, form
from reconciler.cli.policies import read_policies
from reconciler.errors import ExitCode

if TYPE_CHECKING:
    from reconciler.plan.plan import Plan
    from reconciler.workflow import Wishes


@click.command("drift")
@POLICIES
@CLOUD
@CA_FILE
@TARGET
@EXCLUDE
@COLOUR
@form("markdown", "json")
def command(
    policies: tuple[Path, ...],
    cloud: str,
    ca_file: Path | None,
    target: tuple[str, ...],
    exclude: tuple[str, ...],
    colour: bool | None,
    form: str,
) -> int:
    """Tell how Azure differs from the policies, and which objectives are missed. Changes nothing.

    Exit 0 in step, 2 drift, 1 error, 4 where something could not be read.
    """
    from reconciler.workflow import Wishes

    plan = asyncio.run(_compare(policies, cloud, ca_file, Wishes(target, exclude)))
    from reconciler.render import json, markdown, text

    if form == "json":
        write(json.render_drift(plan))
    elif form == "markdown":
        write(markdown.render_drift(plan))
    else:
        coloured = wants_colour(colour)
        write(text.render_drift(plan, colour=coloured), colour=coloured)
    return exit_code(plan)


async def _compare(policies: tuple[Path, ...], cloud: str, ca_file: Path | None, wishes: Wishes) -> Plan:
    from reconciler.workflow import make_plan

    async with connect(cloud, ca_file) as azure:
        validation, declared = read_policies(policies, azure.now().date())
        return await make_plan(azure, validation, declared, wishes)


def exit_code(plan: Plan) -> ExitCode:
    """Guards are no matter of drift: nothing is written. What is blocked or put off is drift all the same."""
    if plan.errors:
        return ExitCode.ERROR
    if not plan.complete:
        return ExitCode.INCOMPLETE
    return ExitCode.OK if plan.empty else ExitCode.CHANGES
