"""`reconciler show FILE`: a saved plan, as `plan` showed it."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.options import COLOUR, form
from reconciler.errors import ExitCode


@click.command("show")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@COLOUR
@form("markdown", "json")
def command(file: Path, colour: bool | None, form: str) -> int:
    """Show the plan saved in FILE. Needs neither Azure nor the policies."""
    from reconciler.cli.plan import show
    from reconciler.plan.file import load

    show(load(file), form, colour)
    return ExitCode.OK
