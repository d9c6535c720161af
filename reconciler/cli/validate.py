"""`reconciler validate`: the policies, checked without Azure."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.console import wants_colour, write
from reconciler.cli.options import COLOUR, form
from reconciler.cli.places import find_places
from reconciler.cli.report import COMMENT
from reconciler.cli.report_file import ReportFile, reports, write_reports
from reconciler.desired.locate import display
from reconciler.desired.validate import Validation, validate
from reconciler.errors import ExitCode
from reconciler.kinds.registry import kinds
from reconciler.plan.finding import Severity
from reconciler.render.findings import validation_json, validation_text

if TYPE_CHECKING:
    from reconciler.render.places import Places


@dataclass(frozen=True, slots=True)
class Checking:
    """What was found, and whether warnings count."""

    validation: Validation
    strict: bool

    @property
    def valid(self) -> bool:
        return self.validation.valid and not (self.strict and _warned(self.validation))

    @property
    def places(self) -> Places:
        declared = self.validation.declared
        return find_places(declared.scope.source if declared else None)


def _text(checking: Checking, *, colour: bool = False) -> str:
    return validation_text(checking.validation.findings, len(checking.validation.files), colour=colour)


def _json(checking: Checking) -> str:
    return validation_json(checking.validation.findings, len(checking.validation.files), valid=checking.valid)


def _junit(checking: Checking) -> str:
    from reconciler.render import junit

    files = [display(file) for file in checking.validation.files]
    return junit.render_validation(checking.validation.findings, files, checking.places, strict=checking.strict)


def _sarif(checking: Checking) -> str:
    from reconciler.render import sarif

    return sarif.render_validation(checking.validation.findings, checking.places, os.environ.get(COMMENT, ""))


_RENDERERS: Mapping[str, Callable[[Checking], str]] = {"text": _text, "json": _json, "junit": _junit, "sarif": _sarif}
FORMATS = tuple(_RENDERERS)
"""What `--format` and `--report` take where policies are checked."""


@click.command("validate")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), envvar="RECONCILER_POLICIES")
@click.option("--strict", is_flag=True, help="Warnings count as errors.")
@COLOUR
@form(*FORMATS)
@reports(*FORMATS)
def command(
    paths: tuple[Path, ...], strict: bool, colour: bool | None, form: str, reports: tuple[ReportFile, ...]
) -> int:
    """Check the policies in PATHS (default: RECONCILER_POLICIES, or else policies): shape and meaning, every error at
    once, no network.

    sarif and junit name files from the root of the git repository. Exit 0 where they are valid, 1 where not.
    """
    checked = paths or (Path("policies"),)
    checking = Checking(validate(checked, datetime.now(UTC).date(), kinds()), strict)
    if form == "text":
        coloured = wants_colour(colour)
        write(_text(checking, colour=coloured), colour=coloured)
    else:
        write(_RENDERERS[form](checking))
    write_reports(reports, lambda asked: _RENDERERS[asked](checking))
    return ExitCode.OK if checking.valid else ExitCode.ERROR


def _warned(validation: Validation) -> bool:
    return any(finding.severity in (Severity.WARNING, Severity.DOUBT) for finding in validation.findings)
