"""`reconciler drift`: how Azure differs from the policies. Read-only."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.cloud import CA_FILE, CLOUD
from reconciler.cli.console import conclude, note
from reconciler.cli.failure_report import reports_failures
from reconciler.cli.journals import JOURNAL
from reconciler.cli.notify import Watch, rings
from reconciler.cli.options import ACTIVITY_LOG, COLOUR, EXCLUDE, POLICIES, TARGET, VERBOSE, form
from reconciler.cli.planning import drift_now
from reconciler.cli.report import FORMATS, Look, Report, explain_all, save_reports, show
from reconciler.cli.report_file import ReportFile, reports
from reconciler.errors import ExitCode
from reconciler.plan.finding import Finding

if TYPE_CHECKING:
    from reconciler.plan.plan import Plan

FAIL_ON: Mapping[str, Callable[[Finding], bool]] = {
    "objectives": lambda finding: finding.topic == "objectives",
    "uncovered": lambda finding: finding.code == "uncovered",
    "unmanaged": lambda finding: finding.topic == "unmanaged",
}
"""What `--fail-on` can name, and the findings that it means."""


@click.command("drift")
@POLICIES
@CLOUD
@CA_FILE
@TARGET
@EXCLUDE
@click.option(
    "--fail-on",
    multiple=True,
    type=click.Choice(list(FAIL_ON)),
    help="Count these as drift, too: missed objectives, uncovered VMs, unmanaged resources; may be repeated.",
)
@ACTIVITY_LOG
@JOURNAL
@VERBOSE
@COLOUR
@form(*FORMATS)
@reports(*FORMATS)
@reports_failures("drift")
@rings
def command(
    *,
    watch: Watch,
    policies: tuple[Path, ...],
    cloud: str,
    ca_file: Path | None,
    target: tuple[str, ...],
    exclude: tuple[str, ...],
    fail_on: tuple[str, ...],
    activity_log: bool,
    journal: Path | None,
    verbose: bool,
    colour: bool | None,
    form: str,
    reports: tuple[ReportFile, ...],
) -> int:
    """Tell how Azure differs from the policies that were last applied, and which objectives are missed. Read-only.

    An apply from a git repository leaves a stamp on the vaults, which names the commit; without one, the policies here
    are what Azure is held against.

    Exit 0 in step, 2 drift, 1 error, 4 where something could not be read. What is only due, as the snapshots of this
    hour, is told and is no drift. Missed objectives and VMs that no policy covers are always told; with --fail-on they
    exit 2 as well.
    """
    from reconciler.workflow import Wishes

    planned = asyncio.run(
        drift_now(policies, cloud, ca_file, Wishes(target, exclude), journal, activity_log=activity_log)
    )
    plan = planned.plan
    report = Report(
        plan,
        drift=True,
        explanations=lambda: explain_all(plan, planned.picture),
        scope=planned.picture.declared.scope.source,
        counts=lambda finding: any(FAIL_ON[name](finding) for name in fail_on),
    )
    code = exit_code(plan, fail_on)
    watch.saw(plan, code)
    show(report, Look(form, colour, verbose))
    if code is ExitCode.CHANGES and not plan.drift:
        note(f"Counted as drift, as --fail-on asks: {', '.join(found_of(plan, fail_on))}.")
    save_reports(report, reports)
    return conclude(code, "there is drift" if code is ExitCode.CHANGES else "")


def exit_code(plan: Plan, fail_on: Collection[str] = ()) -> ExitCode:
    """Guards are no matter of drift: nothing is written. What is blocked or put off is drift all the same; what is due
    is not: snapshots to take and to let go come with the clock."""
    if plan.errors:
        return ExitCode.ERROR
    if not plan.complete:
        return ExitCode.INCOMPLETE
    return ExitCode.CHANGES if found_of(plan, fail_on) or plan.drift else ExitCode.OK


def found_of(plan: Plan, fail_on: Collection[str]) -> list[str]:
    """Those names of `--fail-on` of which there is something to tell."""
    return [name for name in fail_on if any(FAIL_ON[name](finding) for finding in plan.findings)]
