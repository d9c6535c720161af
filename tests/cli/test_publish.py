"""`reconciler publish`: arguments, the dry run, and what it says outside of a pipeline."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.cli.main import run
from reconciler.errors import ExitCode
from tests.publish.conftest import TOKEN, FakeGitHub, serve

VARIABLES = ("GITHUB_ACTIONS", "TF_BUILD", "GITLAB_CI", "GITHUB_REPOSITORY", "GITHUB_EVENT_PATH", "GITHUB_REF")


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    file = tmp_path / "plan.md"
    file.write_text("<!-- reconciler:plan -->\n## Two changes\n\nby \u202eevil\x1b[31m\n", encoding="utf-8")
    return file


def test_outside_of_a_pipeline_the_variables_are_named(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["publish", "comment", str(file)]) == ExitCode.ERROR
    told = capsys.readouterr().err
    assert "GITHUB_ACTIONS, TF_BUILD, GITLAB_CI" in told
    assert "--to" in told
    assert run(["publish", "comment", str(file), "--to", "github"]) == ExitCode.ERROR
    assert "GITHUB_REPOSITORY is not set" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            ["comment", "--pull-request", "7"],
            "Would make or edit the comment <!-- reconciler:plan --> on pull request 7",
        ),
        (
            ["issue", "--title", "Drift", "--open"],
            "Would open or update the issue <!-- reconciler:plan --> `Drift` among",
        ),
        (["issue", "--title", "Drift", "--close"], "Would close the issue <!-- reconciler:plan --> `Drift` among"),
    ],
)
def test_a_dry_run_needs_no_token_and_shows_what_would_be_sent(
    file: Path,
    arguments: list[str],
    told: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_REPOSITORY", "acme/estate")
    monkeypatch.setenv("GITHUB_API_URL", "http://127.0.0.1:9")
    verb, *options = arguments
    assert run(["publish", verb, str(file), *options, "--dry-run"]) == ExitCode.OK
    shown = capsys.readouterr()
    assert told in shown.err
    assert "## Two changes" in shown.out
    assert "\x1b" not in shown.out
    assert "\u202e" not in shown.out


@pytest.mark.parametrize("flags", [[], ["--open", "--close"]])
def test_an_issue_is_either_opened_or_closed(file: Path, flags: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["publish", "issue", str(file), "--title", "Drift", *flags]) == ExitCode.ERROR
    assert "either --open or --close" in capsys.readouterr().err


def test_the_comment_and_the_issue_of_a_pipeline(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fake = FakeGitHub()
    with serve(fake) as served:
        fake.base = served.base
        for name, value in {
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
            "GITHUB_ACTIONS": "true",
            "GITHUB_API_URL": served.base,
            "GITHUB_REPOSITORY": "acme/estate",
            "GITHUB_REF": "refs/pull/7/merge",
            "GITHUB_TOKEN": TOKEN,
        }.items():
            monkeypatch.setenv(name, value)
        assert run(["publish", "comment", str(file)]) == ExitCode.OK
        assert capsys.readouterr().err == "Commented on pull request 7 of acme/estate on GitHub.\n"
        assert run(["publish", "comment", str(file)]) == ExitCode.OK
        assert run(["publish", "issue", str(file), "--title", "Drift", "--open"]) == ExitCode.OK
        assert run(["publish", "issue", str(file), "--title", "Drift", "--close"]) == ExitCode.OK
        assert capsys.readouterr().err.endswith("Opened issue 11 of acme/estate.\nClosed issue 11 of acme/estate.\n")
        monkeypatch.setenv("GITHUB_TOKEN", "ghs_other")
        assert run(["publish", "comment", str(file)]) == ExitCode.ERROR
    told = capsys.readouterr().err
    assert "127.0.0.1 answered 401 to GET /user" in told
    assert "ghs_other" not in told
    assert len(fake.comments) == 1
