"""`reconciler drift`: how Azure differs from the policies. Read-only."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.cloud import CA_FILE, CLOUD
from reconciler.cli.console import wants_colour, write
from reconciler.cli.journals import JOURNAL
from reconciler.cli.options import COLOUR, EXCLUDE, POLICIES, TARGET, form
from reconciler.cli.planning import plan_now
from reconciler.errors import ExitCode

if TYPE_CHECKING:
    from reconciler.plan.plan import Plan


@click.command("drift")
@POLICIES
@CLOUD
@CA_FILE
@TARGET
@EXCLUDE
@JOURNAL
@COLOUR
@form("markdown", "json")
def command(
    policies: tuple[Path, ...],
    cloud: str,
    ca_file: Path | None,
    target: tuple[str, ...],
    exclude: tuple[str, ...],
    journal: Path | None,
    colour: bool | None,
    form: str,
) -> int:
    """Tell how Azure differs from the policies, and which objectives are missed. Changes nothing.

    Exit 0 in step, 2 drift, 1 error, 4 where something could not be read.
    """
    from reconciler.workflow import Wishes

    plan = asyncio.run(plan_now(policies, cloud, ca_file, Wishes(target, exclude), journal))
    from reconciler.render import json, markdown, text

    if form == "json":
        write(json.render_drift(plan))
    elif form == "markdown":
        write(markdown.render_drift(plan))
    else:
        coloured = wants_colour(colour)
        write(text.render_drift(plan, colour=coloured), colour=coloured)
    return exit_code(plan)


def exit_code(plan: Plan) -> ExitCode:
    """Guards are no matter of drift: nothing is written. What is blocked or put off is drift all the same."""
    if plan.errors:
        return ExitCode.ERROR
    if not plan.complete:
        return ExitCode.INCOMPLETE
    return ExitCode.OK if plan.empty else ExitCode.CHANGES
