"""The policies of a command as a checkout of git: what is there, what it is held against, what stands in the way."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.desired.git.revision import RevisionError
from reconciler.desired.git.work_tree import find_work_tree
from reconciler.desired.past import Checkout, Policies, mistakes, read_policies_at
from reconciler.kinds.registry import kinds
from reconciler.model.stamp import SHORT
from reconciler.plan.finding import Finding, Severity

if TYPE_CHECKING:
    from reconciler.cli.base import ChosenBase
    from reconciler.desired.git.repository import Repository


@contextmanager
def checkout(here: Policies, paths: Sequence[Path], chosen: ChosenBase | None, today: date) -> Iterator[Checkout]:
    """The checkout around the policies, open as long as this lasts.

    A base that somebody asked for must be had: raises RevisionError where it is not. Without one that is only implied,
    by the pipeline or the Scope, the command goes on and a warning says so.
    """
    with ExitStack() as opened:
        found = Checkout(here)
        try:
            repository = _around(paths)
            if repository:
                opened.enter_context(repository)
                found = Checkout(here, repository, repository.head, repository.dirty())
            if chosen:
                found = _with_base(found, chosen, today)
        except RevisionError as error:
            if chosen and chosen.asked:
                raise
            told = (_without_base(error, chosen),) if chosen else ()
            found = dataclasses.replace(found, findings=told, trouble=None if found.repository else error)
        yield found


def _around(paths: Sequence[Path]) -> Repository | None:
    """The repository, if there is one: its library is imported only then."""
    if find_work_tree(paths) is None:
        return None
    from reconciler.desired.git.repository import Repository

    return Repository.around(paths)


def _with_base(found: Checkout, chosen: ChosenBase, today: date) -> Checkout:
    if found.repository is None:
        raise RevisionError(
            f"there is no base {chosen.ref}: the policies lie in no git repository",
            advice="run it where their repository is checked out, or do without: --base none",
        )
    commit = found.repository.base_of(chosen.ref)
    base, note = read_policies_at(found.repository, commit, today, kinds())
    place = f"{chosen.ref} (commit {commit[:SHORT]})"
    invalid = base.declared is None and bool(base.validation.files)
    findings = []
    if note:
        message = f"at the base {place}: {note}"
        findings.append(Finding(code="base-elsewhere", message=message, severity=Severity.INFO))
    if invalid:
        message = f"the policies at the base {place} are not valid, so changes are not told apart"
        finding = Finding(code="no-base", message=f"{message}: {mistakes(base.validation)}", severity=Severity.WARNING)
        findings.append(finding)
    return dataclasses.replace(
        found,
        ref=chosen.ref,
        commit=commit,
        base=None if invalid else base,
        invalid=invalid,
        findings=tuple(findings),
    )


def _without_base(error: RevisionError, chosen: ChosenBase) -> Finding:
    why = f" ({error.why})" if error.why else ""
    return Finding(
        code="no-base",
        severity=Severity.WARNING,
        message=f"{chosen.by} names {chosen.ref} as the base, and there is none: {error.message}{why}; changes are "
        "told apart by the last apply alone, where that is known",
        advice=error.advice,
    )
