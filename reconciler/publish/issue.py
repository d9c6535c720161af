"""The one issue that a night of drift opens, keeps up to date and closes."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.publish.comment import Report

LABEL = "reconciler-drift"
"""The label of the issue that a drift opens, unless another is asked for."""


@dataclass(frozen=True, slots=True)
class Issue:
    """`label` marks the issues among which the one with the report's marker is looked for."""

    report: Report
    title: str
    label: str = LABEL
