"""`reconciler drift`: how Azure differs from the policies. Read-only."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.cloud import CA_FILE, CLOUD
from reconciler.cli.console import conclude
from reconciler.cli.journals import JOURNAL
from reconciler.cli.options import COLOUR, EXCLUDE, POLICIES, TARGET, VERBOSE, form
from reconciler.cli.planning import plan_now
from reconciler.cli.report import Look, show_drift
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
@VERBOSE
@COLOUR
@form("markdown", "json")
def command(
    policies: tuple[Path, ...],
    cloud: str,
    ca_file: Path | None,
    target: tuple[str, ...],
    exclude: tuple[str, ...],
    journal: Path | None,
    verbose: bool,
    colour: bool | None,
    form: str,
) -> int:
    """Tell how Azure differs from the policies, and which objectives are missed. Changes nothing.

    Exit 0 in step, 2 drift, 1 error, 4 where something could not be read.
    """
    from reconciler.workflow import Wishes

    plan = asyncio.run(plan_now(policies, cloud, ca_file, Wishes(target, exclude), journal))
    show_drift(plan, Look(form, colour, verbose))
    return conclude(exit_code(plan), "there is drift" if not plan.empty and plan.complete and not plan.errors else "")


def exit_code(plan: Plan) -> ExitCode:
    """Guards are no matter of drift: nothing is written. What is blocked or put off is drift all the same."""
    if plan.errors:
        return ExitCode.ERROR
    if not plan.complete:
        return ExitCode.INCOMPLETE
    return ExitCode.OK if plan.empty else ExitCode.CHANGES
