"""Laws of the pipelines that people copy: valid, bounded, least-privileged, and no text from outside becomes code."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.pipelines import azure_devops, gitlab
from tests.pipelines.expressions import Expression, expressions
from tests.pipelines.github import WORKFLOWS, load
from tests.stories.conftest import REPOSITORY

NAMES = ("preview.yml", "apply.yml", "drift.yml")
PIPELINES = REPOSITORY / "pipelines"
SCHEMAS = {
    "github-workflows": [WORKFLOWS / name for name in NAMES],
    "github-actions": [REPOSITORY / "action.yml"],
    "gitlab-ci": [gitlab.FILE],
    "azure-pipelines": sorted((PIPELINES / "azure-devops").glob("*.yml")),
}
GRANTED = {
    ("preview.yml", "validate"): {"actions": "read", "contents": "read", "security-events": "write"},
    ("preview.yml", "plan"): {
        "actions": "read",
        "contents": "read",
        "id-token": "write",
        "pull-requests": "write",
        "security-events": "write",
    },
    ("apply.yml", "plan"): {"contents": "read", "id-token": "write"},
    ("apply.yml", "apply"): {"contents": "read", "id-token": "write"},
    ("drift.yml", "drift"): {"contents": "read", "id-token": "write", "issues": "write"},
}
"""All rights that a job of a GitHub workflow has. A line more here is a decision."""


@pytest.mark.parametrize("schema", SCHEMAS)
def test_the_host_takes_the_file(schema: str) -> None:
    """Against the schemas that come with check-jsonschema: no network."""
    options = {
        "gitlab-ci": ["--data-transform", "gitlab-ci"],
        "azure-pipelines": ["--data-transform", "azure-pipelines", "--regex-variant", "nonunicode"],
    }
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}"]
    files = [str(path) for path in SCHEMAS[schema]]
    done = subprocess.run([*command, *options.get(schema, []), *files], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_every_pipeline_is_looked_at() -> None:
    known = {path for files in SCHEMAS.values() for path in files}
    assert set(PIPELINES.rglob("*.yml")) == known - {REPOSITORY / "action.yml"}


def jobs() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for name in NAMES:
        for job, told in load(WORKFLOWS / name)["jobs"].items():
            yield name, job, told


def steps() -> Iterator[tuple[str, dict[str, Any]]]:
    for name, job, told in jobs():
        for step in told["steps"]:
            yield f"{name} {job}", step
    for step in load(REPOSITORY / "action.yml")["runs"]["steps"]:
        yield "action.yml", step


def test_jobs_have_the_rights_they_need_and_no_more() -> None:
    assert all(load(WORKFLOWS / name)["permissions"] == {} for name in NAMES)
    assert {(name, job): told["permissions"] for name, job, told in jobs()} == GRANTED


@pytest.mark.parametrize("name", NAMES)
def test_one_run_at_a_time(name: str) -> None:
    workflow = load(WORKFLOWS / name)
    group = workflow["concurrency"]
    assert group["cancel-in-progress"] is (name == "preview.yml"), "an apply or a night is never cut off by the next"
    assert ("github.ref" in group["group"]) is (name == "preview.yml")
    assert "pull_request_target" not in workflow["on"], "a fork would run with our rights"


def test_every_job_ends() -> None:
    for _, _, told in jobs():
        assert 0 < told["timeout-minutes"] <= 120


def test_no_expression_becomes_part_of_a_script() -> None:
    """What a title, a branch or an input says reaches a script as a variable, never as its text."""
    scripts = [(place, step["run"]) for place, step in steps() if "run" in step]
    assert len(scripts) >= 5
    for place, script in scripts:
        assert expressions(script) == [], f"{place}: {script}"


def test_nothing_of_the_event_but_the_fork_is_read() -> None:
    texts = "".join((WORKFLOWS / name).read_text(encoding="utf-8") for name in NAMES)
    assert set(re.findall(r"github\.event\.[\w.]+", texts)) == {"github.event.pull_request.head.repo.full_name"}


def test_secrets_and_tokens_go_to_the_one_step_that_needs_them() -> None:
    for name, job, told in jobs():
        outside = {key: value for key, value in told.items() if key != "steps"}
        assert not re.search(r"secrets\.|github\.token", str(outside)), f"{name} {job}"
    published = [step for _, step in steps() if "github.token" in str(step)]
    assert [re.findall(r"reconciler (\w+ \w+)", step["run"]) for step in published] == [
        ["publish comment"],
        ["publish issue"],
    ]
    ringing = [step["with"]["command"] for _, step in steps() if "secrets." in str(step)]
    assert ringing == ["drift"]


@pytest.mark.parametrize(
    ("head", "runs"),
    [("acme/estate", True), ("ACME/estate", True), ("stranger/estate", False), ("", False), (None, False)],
)
def test_a_plan_is_made_for_our_own_branches_only(head: str | None, runs: bool) -> None:
    names = {
        "github": {
            "event": {"pull_request": {"head": {"repo": head and {"full_name": head}}}},
            "repository": "acme/estate",
        }
    }
    condition = load(WORKFLOWS / "preview.yml")["jobs"]["plan"]["if"]
    assert Expression(condition, names, {}).value() is runs


def test_checkouts_leave_no_token_and_bring_the_history_that_a_base_needs() -> None:
    for name, job, told in jobs():
        [checkout] = [step["with"] for step in told["steps"] if step.get("uses", "").startswith("actions/checkout@")]
        assert checkout["persist-credentials"] is False
        assert checkout.get("fetch-depth", 1) == (1 if job == "validate" else 0), f"{name} {job}"


def test_a_job_signs_in_only_where_it_may_and_as_itself() -> None:
    for name, job, told in jobs():
        signs_in = any(step.get("uses", "").startswith("azure/login@") for step in told["steps"])
        assert signs_in is ("id-token" in told["permissions"])
        environment = {**load(WORKFLOWS / name).get("env", {}), **told.get("env", {})}
        assert (environment.get("AZURE_TOKEN_CREDENTIALS") == "AzureCliCredential") is signs_in, f"{name} {job}"


def test_only_apply_waits_for_approval_and_has_the_identity_that_writes() -> None:
    for name, job, told in jobs():
        assert ("environment" in told) is (job == "apply"), f"{name} {job}"
        assert ("AZURE_APPLY_CLIENT_ID" in str(told)) is (job == "apply")


def test_gitlab_jobs_end_and_only_signed_in_ones_get_a_token() -> None:
    for name, job in gitlab.jobs_of(gitlab.load()).items():
        assert re.fullmatch(r"(10|30) minutes|2 hours", job["timeout"])
        assert ("id_tokens" in job) is (name != "validate")
        assert (job["variables"]["GIT_DEPTH"] == "0") is (name != "validate")
        assert ("resource_group" in job) is (name in ("apply", "drift"))
        assert job.get("interruptible") is (name in ("validate", "preview"))


def test_azure_scripts_have_no_macros_and_jobs_end() -> None:
    for name in NAMES:
        told = azure_devops.load(name)
        for stage in told.get("stages", [told]):
            for job in stage["jobs"]:
                assert 0 < int(job["timeoutInMinutes"]) <= 120
                assert ("environment" in job) is ("deployment" in job)
    for path in SCHEMAS["azure-pipelines"]:
        text = path.read_text(encoding="utf-8")
        macros = set(re.findall(r"\$\(([\w.]+)\)", text))
        assert macros <= {
            "Build.ArtifactStagingDirectory",
            "Build.SourcesDirectory",
            "System.JobAttempt",
            "System.AccessToken",
            "RECONCILER_NOTIFY",
            "digest",
        }
        mapped = re.findall(r"^ +(\w+): \$\((?:System\.AccessToken|RECONCILER_NOTIFY)\)", text, re.MULTILINE)
        assert text.count("$(System.AccessToken)") + text.count("$(RECONCILER_NOTIFY)") == len(mapped)


def test_every_file_says_on_top_what_to_set() -> None:
    for path in (path for files in SCHEMAS.values() for path in files):
        comment = path.read_text(encoding="utf-8").partition("\n\n")[0]
        assert comment.startswith("# "), path
        if path.name in NAMES or path == gitlab.FILE:
            assert "To set, once" in comment or "identity of preview" in comment or "connection" in comment, path


def test_what_runs_is_pinned_as_it_is_tested() -> None:
    """requirements-run.txt is the part of requirements.txt that the program needs, and what builds it."""
    whole, part = (_pins(REPOSITORY / name) for name in ("requirements.txt", "requirements-run.txt"))
    assert part.items() <= whole.items()
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = {_name(spelled) for spelled in project["dependencies"]}
    assert wanted | {"hatchling"} <= part.keys()
    tools = {_name(spelled) for spelled in project["optional-dependencies"]["dev"]} - {"hatchling"}
    assert not tools & part.keys()


def _pins(path: Path) -> dict[str, tuple[str, frozenset[str]]]:
    blocks = re.split(r"^(?=[a-z0-9])", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    return {
        block.partition("==")[0]: (block.split()[0], frozenset(re.findall(r"sha256:\w+", block))) for block in blocks
    }


def _name(requirement: str) -> str:
    return re.split(r"[<>=!\[]", requirement)[0]
