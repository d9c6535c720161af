"""Which base a plan has: what was asked for, else the target of the pull request, else the Scope's."""

from __future__ import annotations

from collections.abc import Mapping

import click
import pytest
from click.testing import CliRunner

from reconciler.cli.base import BASE, BASE_OF_APPLY, ChosenBase, choose_base
from reconciler.errors import UsageError

GITHUB = {"GITHUB_BASE_REF": "main", "GITHUB_HEAD_REF": "edit", "GITHUB_REF": "refs/pull/7/merge"}
AZURE = {"SYSTEM_PULLREQUEST_TARGETBRANCH": "refs/heads/release/1.0", "SYSTEM_PULLREQUEST_TARGETBRANCHNAME": "1.0"}
GITLAB = {"CI_MERGE_REQUEST_DIFF_BASE_SHA": "c" * 40, "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main"}
SHA = "CI_MERGE_REQUEST_TARGET_BRANCH_SHA"


@pytest.mark.parametrize(
    ("environ", "ref", "by"),
    [
        (GITHUB, "origin/main", "GITHUB_BASE_REF"),
        (AZURE, "origin/release/1.0", "SYSTEM_PULLREQUEST_TARGETBRANCH"),
        ({"SYSTEM_PULLREQUEST_TARGETBRANCH": "main"}, "origin/main", "SYSTEM_PULLREQUEST_TARGETBRANCH"),
        ({"SYSTEM_PULLREQUEST_TARGETBRANCHNAME": "main"}, "origin/main", "SYSTEM_PULLREQUEST_TARGETBRANCHNAME"),
        (GITLAB, "c" * 40, "CI_MERGE_REQUEST_DIFF_BASE_SHA"),
        (GITLAB | {SHA: ""}, "c" * 40, "CI_MERGE_REQUEST_DIFF_BASE_SHA"),
        (GITLAB | {SHA: "d" * 40}, "d" * 40, SHA),
        ({"CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main"}, "origin/main", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME"),
    ],
)
def test_a_pipeline_implies_the_target_of_its_pull_request(environ: Mapping[str, str], ref: str, by: str) -> None:
    assert choose_base(None, environ, "origin/trunk") == ChosenBase(ref, asked=False, by=by)
    assert choose_base("v1", environ, "origin/trunk") == ChosenBase("v1", asked=True, by="--base")
    assert choose_base("none", environ, "origin/trunk") is None


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"GITHUB_BASE_REF": "", "GITHUB_REF": "refs/heads/main"},
        {"GITHUB_BASE_REF": "  "},
        {"SYSTEM_PULLREQUEST_TARGETBRANCH": "$(System.PullRequest.TargetBranch)"},
        {"CI_COMMIT_BRANCH": "main", "BUILD_SOURCEBRANCH": "refs/heads/main"},
    ],
)
def test_where_there_is_no_pull_request_the_scope_says(environ: Mapping[str, str]) -> None:
    assert choose_base(None, environ, "origin/main") == ChosenBase("origin/main", asked=False, by="Scope.base")
    assert choose_base(None, environ, None) is None
    assert choose_base("None", environ, "origin/main") is None


@pytest.mark.parametrize("empty", ["", " "])
def test_an_empty_base_is_a_variable_that_is_not_set(empty: str) -> None:
    with pytest.raises(UsageError) as caught:
        choose_base(empty, GITHUB, None)
    assert caught.value.message == "--base is empty"
    assert "--base none" in caught.value.advice


@pytest.mark.parametrize(
    ("arguments", "variable", "seen"),
    [
        ([], None, None),
        ([], "", None),
        ([], "origin/main", "origin/main"),
        (["--base", "v1"], "origin/main", "v1"),
        (["--base", ""], "origin/main", ""),
    ],
)
def test_the_option_goes_before_the_variable(arguments: list[str], variable: str | None, seen: str | None) -> None:
    @click.command
    @BASE
    def command(base: str | None) -> None:
        click.echo(repr(base))

    found = CliRunner().invoke(command, arguments, env={"RECONCILER_BASE": variable})
    assert found.output.strip() == repr(seen)


def test_an_apply_is_held_against_the_last_apply_unless_it_is_asked_otherwise() -> None:
    """After a merge HEAD and its target are one commit: by a base that a pipeline implies nothing would be mine."""

    @click.command
    @BASE_OF_APPLY
    def command(base: str | None) -> None:
        click.echo(repr(base))

    environ = {**GITHUB, "RECONCILER_BASE": "origin/main"}
    assert CliRunner().invoke(command, [], env=environ).output.strip() == "None"
    assert CliRunner().invoke(command, ["--base", "v1"], env=environ).output.strip() == "'v1'"
