"""`reconciler validate`: the policies, checked without Azure."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from reconciler.cli.console import wants_colour, write
from reconciler.cli.options import COLOUR, form
from reconciler.desired.validate import Validation, validate
from reconciler.errors import ExitCode
from reconciler.kinds.registry import kinds
from reconciler.plan.finding import Severity
from reconciler.render.findings import validation_json, validation_text


@click.command("validate")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), envvar="RECONCILER_POLICIES")
@click.option("--strict", is_flag=True, help="Warnings count as errors.")
@COLOUR
@form("json")
def command(paths: tuple[Path, ...], strict: bool, colour: bool | None, form: str) -> int:
    """Check the policies in PATHS (default: RECONCILER_POLICIES, or else policies): shape and meaning, every error at
    once, no network.

    Exit 0 where they are valid, 1 where not.
    """
    checked = paths or (Path("policies"),)
    validation = validate(checked, datetime.now(UTC).date(), kinds())
    valid = validation.valid and not (strict and _warned(validation))
    if form == "json":
        write(validation_json(validation.findings, len(validation.files), valid=valid))
    else:
        coloured = wants_colour(colour)
        write(validation_text(validation.findings, len(validation.files), colour=coloured), colour=coloured)
    return ExitCode.OK if valid else ExitCode.ERROR


def _warned(validation: Validation) -> bool:
    return any(finding.severity in (Severity.WARNING, Severity.DOUBT) for finding in validation.findings)
