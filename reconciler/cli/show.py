"""`reconciler show FILE`: a saved plan, as `plan` showed it."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.options import COLOUR, VERBOSE, form
from reconciler.cli.report import Look, show_plan
from reconciler.errors import ExitCode


@click.command("show")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@VERBOSE
@COLOUR
@form("markdown", "json")
def command(file: Path, verbose: bool, colour: bool | None, form: str) -> int:
    """Show the plan saved in FILE. Needs neither Azure nor the policies."""
    from reconciler.plan.file import load

    show_plan(load(file), Look(form, colour, verbose))
    return ExitCode.OK
