"""Reading the policies for a command, and saying what is wrong with them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.cli.console import note
from reconciler.desired.validate import Validation, validate
from reconciler.errors import PolicyError
from reconciler.kinds.registry import kinds
from reconciler.model.document import Declared

if TYPE_CHECKING:
    from reconciler.plan.finding import Finding


def read_policies(paths: Sequence[Path], today: date) -> tuple[Validation, Declared]:
    """The policies below `paths`. Raises PolicyError, after telling every mistake, where they say nothing usable."""
    validation = validate(paths, today, kinds())
    if validation.declared is None:
        mistakes = _told(validation.findings)
        note(mistakes)
        raise PolicyError(
            "the policies are not valid, so nothing was compared",
            advice="mend what is listed above; `reconciler validate` checks without Azure",
            mistakes=mistakes,
        )
    return validation, validation.declared


def tell(findings: Sequence[Finding]) -> None:
    """The findings, for the person at the terminal, but for the notes."""
    note(_told(findings))


def _told(findings: Sequence[Finding]) -> str:
    from reconciler.plan.finding import Severity
    from reconciler.render.findings import render_text

    return render_text([item for item in findings if item.severity is not Severity.INFO])
