"""Reports on standard output, in the form, the colours and the width of whoever reads them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.cli.console import columns, note, wants_colour, write

if TYPE_CHECKING:
    from reconciler.plan.plan import Plan


@dataclass(frozen=True, slots=True)
class Look:
    """How a report was asked for: text, markdown or json; `colour` None leaves that to the terminal."""

    form: str = "text"
    colour: bool | None = None
    verbose: bool = False


def show_plan(plan: Plan, look: Look) -> None:
    """What apply would do."""
    from reconciler.render import json, markdown, text

    if look.form == "json":
        write(json.render_plan(plan))
    elif look.form == "markdown":
        write(markdown.render_plan(plan))
    else:
        coloured = wants_colour(look.colour)
        shown = text.render_plan(plan, colour=coloured, width=columns(), verbose=look.verbose)
        write(shown, colour=coloured)


def save_plan(plan: Plan, out: Path) -> None:
    """Into a file, also one that cannot be carried out: somebody may want to look at it."""
    from reconciler.plan.file import save

    save(plan, out)
    if plan.errors or plan.refusals:
        note(f"Saved to {out}, to look at (reconciler show {out}): it cannot be carried out as it is.")
    else:
        note(f"Saved to {out}. Carry it out with: reconciler apply {out}")


def show_drift(plan: Plan, look: Look) -> None:
    """How Azure differs from the policies."""
    from reconciler.render import json, markdown, text

    if look.form == "json":
        write(json.render_drift(plan))
    elif look.form == "markdown":
        write(markdown.render_drift(plan))
    else:
        coloured = wants_colour(look.colour)
        shown = text.render_drift(plan, colour=coloured, width=columns(), verbose=look.verbose)
        write(shown, colour=coloured)
