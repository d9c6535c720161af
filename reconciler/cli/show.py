"""`reconciler show FILE`: a saved plan, as `plan` showed it."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.options import COLOUR, VERBOSE, form
from reconciler.cli.report import FORMATS, Look, Report, save_reports, show
from reconciler.cli.report_file import ReportFile, reports
from reconciler.errors import ExitCode


@click.command("show")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@VERBOSE
@COLOUR
@form(*FORMATS)
@reports(*FORMATS)
def command(file: Path, verbose: bool, colour: bool | None, form: str, reports: tuple[ReportFile, ...]) -> int:
    """Show the plan saved in FILE. Needs neither Azure nor the policies."""
    from reconciler.plan.file import load

    report = Report(load(file))
    show(report, Look(form, colour, verbose))
    save_reports(report, reports)
    return ExitCode.OK
