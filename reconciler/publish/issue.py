"""The one issue that a night of drift opens, keeps up to date and closes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from reconciler.publish.comment import Report, same

LABEL = "reconciler-drift"
"""The label of the issue that a drift opens, unless another is asked for."""


@dataclass(frozen=True, slots=True)
class Issue:
    """`label` marks the issues among which the one with the report's marker is looked for."""

    report: Report
    title: str
    label: str = LABEL


@dataclass(frozen=True, slots=True)
class Filed:
    """An open issue that carries our label and marker; `number` is the one that people see."""

    number: int
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Issues:
    """Those of one project, called `place`. `ours` reads them; `create` answers the number; the others write."""

    place: str
    ours: Callable[[], list[Filed]]
    create: Callable[[str], int]
    edit: Callable[[int, str], object]
    note: Callable[[int, str], object]
    close: Callable[[int], object]


def keep_open(issues: Issues, issue: Issue, body: str) -> str:
    """The issue is open and says `body`; a comment tells where more than times of day has changed. Raises
    PublishError."""
    there = next(iter(issues.ours()), None)
    if there is None:
        return f"opened issue {issues.create(body)} of {issues.place}"
    if there.text != body.strip() or there.title != issue.title:
        issues.edit(there.number, body)
    if same(there.text, body):
        return f"issue {there.number} of {issues.place} is open and tells the same"
    issues.note(there.number, f"What is reported above has changed: {issue.report.verdict}")
    return f"updated issue {there.number} of {issues.place}"


def close_all(issues: Issues, issue: Issue) -> str:
    """None of ours is open any longer; each says why. Raises PublishError."""
    there = issues.ours()
    for item in there:
        issues.note(item.number, f"Closed: {issue.report.verdict}")
        issues.close(item.number)
    if not there:
        return f"no such issue is open in {issues.place}: nothing to close"
    return f"closed issue {', '.join(str(item.number) for item in there)} of {issues.place}"
