"""Reports on standard output and in files, in the form, the colours and the width of whoever reads them."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.cli.console import columns, leave_output, note, wants_colour, write
from reconciler.cli.places import find_places
from reconciler.cli.report_file import ReportFile, write_reports

if TYPE_CHECKING:
    from reconciler.model.explanation import Explanation
    from reconciler.model.source import Source
    from reconciler.plan.finding import Finding
    from reconciler.plan.plan import Plan
    from reconciler.workflow import Picture


COMMENT = "RECONCILER_COMMENT"
"""Environment variable that tells several comments of one pull request, and analyses of one commit, apart (`prod`)."""


@dataclass(frozen=True, slots=True)
class Look:
    """How a report was asked for: one of FORMATS; `colour` None leaves that to the terminal."""

    form: str = "text"
    colour: bool | None = None
    verbose: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """What there is to tell, whatever the form. `drift` tells it as how Azure differs, else as what apply would do;
    `explanations` are asked for only by a form that shows why each VM is protected the way it is. `scope` is where the
    Scope is declared, for what has no place of its own; `counts` tells which findings count as drift (`--fail-on`)."""

    plan: Plan
    drift: bool = False
    explanations: Callable[[], Sequence[Explanation]] = tuple
    scope: Source | None = None
    counts: Callable[[Finding], bool] = lambda _: False


def _text(report: Report) -> str:
    from reconciler.render import text

    return text.render_drift(report.plan) if report.drift else text.render_plan(report.plan)


def _markdown(report: Report) -> str:
    from reconciler.render import markdown

    render = markdown.render_drift if report.drift else markdown.render_plan
    return render(report.plan, os.environ.get(COMMENT, ""))


def _json(report: Report) -> str:
    from reconciler.render import json

    return json.render_drift(report.plan) if report.drift else json.render_plan(report.plan)


def _html(report: Report) -> str:
    from reconciler.render import html

    render = html.render_drift if report.drift else html.render_plan
    return render(report.plan, report.explanations())


def _junit(report: Report) -> str:
    from reconciler.render import junit

    places = find_places(report.scope)
    if report.drift:
        return junit.render_drift(report.plan, places, report.counts)
    return junit.render_plan(report.plan, places)


def _sarif(report: Report) -> str:
    from reconciler.render import sarif

    render = sarif.render_drift if report.drift else sarif.render_plan
    return render(report.plan, find_places(report.scope), os.environ.get(COMMENT, ""))


RENDERERS: Mapping[str, Callable[[Report], str]] = {
    "text": _text,
    "markdown": _markdown,
    "json": _json,
    "html": _html,
    "junit": _junit,
    "sarif": _sarif,
}
FORMATS = tuple(RENDERERS)
"""What `--format` and `--report` take where there is a plan to show."""


def show(report: Report, look: Look) -> None:
    """On standard output: text as wide and as colourful as the terminal, every other form as in a file. A reader that
    goes away (`| head`) keeps no report from being written, and nobody from being notified."""
    try:
        _show(report, look)
    except BrokenPipeError:
        leave_output()


def _show(report: Report, look: Look) -> None:
    if look.form != "text":
        write(RENDERERS[look.form](report))
        return
    from reconciler.render import text

    render = text.render_drift if report.drift else text.render_plan
    coloured = wants_colour(look.colour)
    write(render(report.plan, colour=coloured, width=columns(), verbose=look.verbose), colour=coloured)


def show_plan(plan: Plan, look: Look) -> None:
    """What apply would do."""
    show(Report(plan), look)


def explain_all(plan: Plan, picture: Picture) -> tuple[Explanation, ...]:
    """Why each VM is protected the way it is; of a large estate, of those that there is something to tell of."""
    from reconciler.desired.explain import explain_all
    from reconciler.kinds.registry import kinds
    from reconciler.render.page.machines import worth_explaining

    situation = picture.situation
    machines = worth_explaining(plan, situation.live.machines)
    return tuple(explain_all(machines, picture.declared, picture.desired, kinds(), situation.now, situation.live))


def save_reports(report: Report, files: Sequence[ReportFile]) -> None:
    """Each of `--report`, from the one reading of Azure. Raises ReportError for those that could not be written, after
    the others were: the last thing that a command does."""
    write_reports(files, lambda form: RENDERERS[form](report))


def save_plan(plan: Plan, out: Path) -> None:
    """Into a file, also one that cannot be carried out: somebody may want to look at it."""
    from reconciler.plan.file import save

    digest = save(plan, out)
    if plan.errors or plan.refusals:
        note(f"Saved to {out}, to look at (reconciler show {out}): it cannot be carried out as it is.")
    else:
        note(f"Saved to {out}. Carry it out with: reconciler apply {out}\nIts SHA-256, for --digest: {digest}")
