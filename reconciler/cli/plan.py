"""`reconciler plan`: what apply would change, and why."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.cloud import CA_FILE, CLOUD
from reconciler.cli.console import note, wants_colour, write
from reconciler.cli.journals import JOURNAL
from reconciler.cli.options import ALLOW, COLOUR, DETAILED_EXITCODE, EXCLUDE, POLICIES, TARGET, form
from reconciler.cli.planning import plan_now
from reconciler.errors import ExitCode

if TYPE_CHECKING:
    from reconciler.plan.plan import Plan


@click.command("plan")
@POLICIES
@CLOUD
@CA_FILE
@TARGET
@EXCLUDE
@ALLOW
@DETAILED_EXITCODE
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Save the plan for `apply FILE`.")
@JOURNAL
@COLOUR
@form("markdown", "json")
def command(
    policies: tuple[Path, ...],
    cloud: str,
    ca_file: Path | None,
    target: tuple[str, ...],
    exclude: tuple[str, ...],
    allow: tuple[str, ...],
    detailed_exitcode: bool,
    out: Path | None,
    journal: Path | None,
    colour: bool | None,
    form: str,
) -> int:
    """Read the policies and Azure, and show what apply would change, and why. Writes nothing to Azure."""
    from reconciler.diff.allowances import parse_allowances
    from reconciler.workflow import Wishes

    wishes = Wishes(target, exclude, parse_allowances(allow))
    plan = asyncio.run(plan_now(policies, cloud, ca_file, wishes, journal))
    show(plan, form, colour)
    if out:
        from reconciler.plan.file import save

        save(plan, out)
        note(f"Saved to {out}. Carry it out with: reconciler apply {out}")
    return exit_code(plan, detailed=detailed_exitcode)


def show(plan: Plan, form: str, colour: bool | None = None) -> None:
    """The plan on standard output, in one of the formats."""
    from reconciler.render import json, markdown, text

    if form == "json":
        write(json.render_plan(plan))
    elif form == "markdown":
        write(markdown.render_plan(plan))
    else:
        coloured = wants_colour(colour)
        write(text.render_plan(plan, colour=coloured), colour=coloured)


def exit_code(plan: Plan, *, detailed: bool) -> ExitCode:
    """The table of the README: errors first, then what is missing, then refusals, then changes."""
    if plan.errors:
        return ExitCode.ERROR
    if not plan.complete:
        return ExitCode.INCOMPLETE
    if plan.refusals:
        return ExitCode.REFUSED
    return ExitCode.CHANGES if detailed and not plan.empty else ExitCode.OK
