"""`reconciler publish`: a Markdown report to where people read it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from reconciler.cli.console import note, printable, write
from reconciler.errors import ExitCode, UsageError

F = TypeVar("F", bound=Callable[..., Any])

FILE = click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
TO = click.option(
    "--to",
    type=click.Choice(["auto", "github", "azure-devops", "gitlab"]),
    default="auto",
    show_default=True,
    help="The code host; auto: the one whose pipeline this is.",
)
DRY_RUN = click.option("--dry-run", is_flag=True, help="Print what would be sent, and where to; send nothing.")


@click.group("publish")
def command() -> None:
    """Bring a report (--format markdown) to a pull request or an issue.

    The first line of FILE is a hidden marker, as <!-- reconciler:plan -->: by it the comment or the issue of the run
    before is found, and edited. Tokens and addresses come from the variables of the pipeline.
    """


@command.command("comment")
@FILE
@TO
@click.option(
    "--pull-request",
    "number",
    type=click.IntRange(1),
    metavar="N",
    help="The pull request, where the pipeline does not tell.",
)
@DRY_RUN
def comment(file: Path, to: str, number: int | None, dry_run: bool) -> int:
    """Make the one comment of a pull request, or edit it.

    \b
    GitHub        GITHUB_TOKEN or GH_TOKEN; the job needs `pull-requests: write`
    GitLab        GITLAB_TOKEN, a project or group access token (CI_JOB_TOKEN may not)
    Azure DevOps  SYSTEM_ACCESSTOKEN, set in the step's env

    Exit 0 done, 1 not.
    """
    from reconciler.publish.comment import read_report
    from reconciler.publish.host import host_of

    report = read_report(file)
    host = host_of(to, os.environ, number)
    if dry_run:
        _show(f"Would make or edit the comment {report.marker} on {host.comment_place()}:", report.text)
    else:
        note(_sentence(host.comment(report)))
    return ExitCode.OK


@command.command("issue")
@FILE
@TO
@click.option("--title", required=True, help="Of the issue.")
@click.option("--open", "opens", is_flag=True, help="Open it, or update the one that is open.")
@click.option("--close", "closes", is_flag=True, help="Close it, with a comment; fine where none is open.")
@click.option("--label", default="reconciler-drift", show_default=True, help="By this and the marker it is found.")
@DRY_RUN
def issue(file: Path, to: str, title: str, opens: bool, closes: bool, label: str, dry_run: bool) -> int:
    """Open or update one issue, or close it: GitHub (`issues: write`) and GitLab.

    Its text is always the newest report; a comment is added only when more than times of day changed. A closed issue is
    never opened again: the next drift gets a new one.

    Exit 0 done, 1 not.
    """
    from reconciler.publish.comment import read_report
    from reconciler.publish.host import host_of
    from reconciler.publish.issue import Issue

    if opens == closes:
        raise UsageError(
            "publish issue needs either --open or --close", advice="--open after exit code 2, --close after 0"
        )
    report = read_report(file)
    host, wanted = host_of(to, os.environ), Issue(report, title, label)
    if dry_run:
        verb = "open or update" if opens else "close"
        _show(f"Would {verb} the issue {report.marker} `{title}` among {host.issue_place()}:", report.text)
    else:
        note(_sentence(host.open_issue(wanted) if opens else host.close_issue(wanted)))
    return ExitCode.OK


def _sentence(told: str) -> str:
    return f"{told[0].upper()}{told[1:]}."


def _show(what: str, text: str) -> None:
    note(what)
    write(printable(text))
