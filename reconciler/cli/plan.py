"""`reconciler plan`: what apply would change, and why."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.base import BASE
from reconciler.cli.cloud import CA_FILE, CLOUD
from reconciler.cli.console import conclude
from reconciler.cli.failure_report import reports_failures
from reconciler.cli.journals import JOURNAL
from reconciler.cli.options import (
    ACTIVITY_LOG,
    ALL,
    ALLOW,
    COLOUR,
    DETAILED_EXITCODE,
    EXCLUDE,
    ONLY,
    OUT,
    POLICIES,
    TARGET,
    VERBOSE,
    form,
)
from reconciler.cli.planning import plan_now
from reconciler.cli.report import FORMATS, Look, Report, explain_all, save_plan, save_reports, show
from reconciler.cli.report_file import ReportFile, reports
from reconciler.errors import ExitCode

if TYPE_CHECKING:
    from reconciler.plan.plan import Plan


@click.command("plan")
@POLICIES
@CLOUD
@CA_FILE
@TARGET
@EXCLUDE
@BASE
@ONLY
@ALLOW
@DETAILED_EXITCODE
@OUT
@ACTIVITY_LOG
@JOURNAL
@VERBOSE
@COLOUR
@form(*FORMATS)
@reports(*FORMATS)
@reports_failures("plan")
def command(
    policies: tuple[Path, ...],
    cloud: str,
    ca_file: Path | None,
    target: tuple[str, ...],
    exclude: tuple[str, ...],
    base: str | None,
    only: str,
    allow: tuple[str, ...],
    detailed_exitcode: bool,
    out: Path | None,
    activity_log: bool,
    journal: Path | None,
    verbose: bool,
    colour: bool | None,
    form: str,
    reports: tuple[ReportFile, ...],
) -> int:
    """Read the policies and Azure, and show what apply would change, and why. Writes nothing to Azure."""
    from reconciler.diff.allowances import parse_allowances
    from reconciler.workflow import Wishes

    wishes = Wishes(target, exclude, parse_allowances(allow), "" if only == ALL else only)
    planned = asyncio.run(plan_now(policies, cloud, ca_file, wishes, journal, base, activity_log=activity_log))
    plan = planned.plan
    scope = planned.picture.declared.scope.source
    report = Report(plan, explanations=lambda: explain_all(plan, planned.picture), scope=scope)
    show(report, Look(form, colour, verbose))
    if out:
        save_plan(plan, out)
    save_reports(report, reports)
    return conclude(exit_code(plan, detailed=detailed_exitcode))


def exit_code(plan: Plan, *, detailed: bool) -> ExitCode:
    """The table of the README: errors first, then what is missing, then refusals, then changes."""
    if plan.errors:
        return ExitCode.ERROR
    if not plan.complete:
        return ExitCode.INCOMPLETE
    if plan.refusals:
        return ExitCode.REFUSED
    return ExitCode.CHANGES if detailed and not plan.empty else ExitCode.OK
