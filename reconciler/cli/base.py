"""Which commit a plan is compared with: asked for, implied by the pipeline, or written in the Scope."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import click

from reconciler.errors import UsageError

NONE = "none"
_BRANCH = "refs/heads/"
_REMOTE = "origin/"
_PIPELINES = (
    ("GITHUB_BASE_REF", _REMOTE),
    ("SYSTEM_PULLREQUEST_TARGETBRANCH", _REMOTE),
    ("SYSTEM_PULLREQUEST_TARGETBRANCHNAME", _REMOTE),
    ("CI_MERGE_REQUEST_TARGET_BRANCH_SHA", ""),
    ("CI_MERGE_REQUEST_DIFF_BASE_SHA", ""),
    ("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", _REMOTE),
)
"""What names the target of a pull request, and what a branch name lacks to be a ref in the pipeline's clone.

GitHub sets GITHUB_BASE_REF for pull requests only. Azure DevOps cuts some of its branch names at the last slash, so the
full ref goes first. GitLab's TARGET_BRANCH_SHA is there for merged results only, and is a parent of the commit that is
checked out then: DIFF_BASE_SHA may be older, and what others have merged since would look like part of the request.
"""

BASE = click.option(
    "--base",
    envvar="RECONCILER_BASE",
    metavar="REF",
    help="Tell your changes from drift by the policies where HEAD left REF (a branch, tag or commit); `none`: do not. "
    "By default the target of the pull request, or Scope.base [env: RECONCILER_BASE].",
)
BASE_OF_APPLY = click.option(
    "--base",
    metavar="REF",
    help="Tell your changes from drift by the policies where HEAD left REF. By default by those that were last "
    "applied, whatever the pipeline, RECONCILER_BASE or Scope.base name: after a merge nothing is yours by these.",
)


@dataclass(frozen=True, slots=True)
class ChosenBase:
    """`asked` for by a person, it must be had; implied, a plan goes on without it and says so. `by` names what chose
    it, for that message."""

    ref: str
    asked: bool
    by: str


def choose_base(option: str | None, environ: Mapping[str, str], scope_base: str | None) -> ChosenBase | None:
    """The base that was asked for, else the target of the pull request that this run is for, else Scope.base; None
    where there is none, or `none` was asked for. Raises UsageError for an empty one.

    `option` is --base or RECONCILER_BASE. Sources: "Default environment variables" of GitHub Actions, "Predefined
    variables" of Azure Pipelines, "Predefined CI/CD variables" of GitLab.
    """
    if option is not None:
        ref = option.strip()
        if not ref:
            raise UsageError(
                "--base is empty",
                why="a variable that is not set looks like this",
                advice="name a branch, a tag or a commit, as --base origin/main, or write --base none",
            )
        return None if ref.casefold() == NONE else ChosenBase(ref, asked=True, by="--base")
    for name, prefix in _PIPELINES:
        value = environ.get(name, "").strip().removeprefix(_BRANCH)
        if value and not value.startswith("$("):
            return ChosenBase(prefix + value, asked=False, by=name)
    return ChosenBase(scope_base, asked=False, by="Scope.base") if scope_base else None
