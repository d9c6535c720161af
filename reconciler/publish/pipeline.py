"""The run of a pipeline that we are in, as its variables tell it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from reconciler.errors import PublishError


@dataclass(frozen=True, slots=True)
class Pipeline:
    """`run` is the page of this run, `commit` the full id of what is checked out; each "" where nothing tells."""

    repository: str = ""
    commit: str = ""
    run: str = ""


def pipeline_of(environment: Mapping[str, str]) -> Pipeline:
    """Of GitHub Actions, Azure Pipelines or GitLab CI; empty elsewhere."""
    told = environment.get
    if told("GITHUB_ACTIONS"):
        server, name, number = told("GITHUB_SERVER_URL", ""), told("GITHUB_REPOSITORY", ""), told("GITHUB_RUN_ID", "")
        run = f"{server}/{name}/actions/runs/{number}" if server and name and number else ""
        return Pipeline(name, told("GITHUB_SHA", ""), run)
    if told("TF_BUILD"):
        collection, project = told("SYSTEM_COLLECTIONURI", "").rstrip("/"), told("SYSTEM_TEAMPROJECT", "")
        number = told("BUILD_BUILDID", "")
        run = f"{collection}/{quote(project)}/_build/results?buildId={number}" if collection and number else ""
        return Pipeline(told("BUILD_REPOSITORY_NAME", ""), told("BUILD_SOURCEVERSION", ""), run)
    if told("GITLAB_CI"):
        run = told("CI_JOB_URL", "") or told("CI_PIPELINE_URL", "")
        return Pipeline(told("CI_PROJECT_PATH", ""), told("CI_COMMIT_SHA", ""), run)
    return Pipeline()


def needed(environment: Mapping[str, str], host: str, *names: str, advice: str = "") -> str:
    """The first of these variables that has a value. Raises PublishError that names them."""
    for name in names:
        if environment.get(name):
            return environment[name]
    raise PublishError(f"{host}: {' or '.join(names)} is not set", advice=advice or "its pipelines set it")
