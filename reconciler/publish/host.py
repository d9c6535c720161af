"""What every code host can do for a report, and which one this pipeline runs on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from reconciler.errors import PublishError
from reconciler.publish.comment import Report
from reconciler.publish.http import Patience
from reconciler.publish.issue import Issue


class Host(Protocol):
    """A code host, in the pipeline that we run in. Every method raises PublishError, and tells what it did."""

    def comment_place(self) -> str:
        """Where the comment goes, in words; asks nobody."""

    def issue_place(self) -> str:
        """Where the issue goes, in words; asks nobody."""

    def comment(self, report: Report) -> str:
        """Make the comment of the report's marker, or edit it."""

    def open_issue(self, issue: Issue) -> str:
        """Open the issue of the report's marker, or update the one that is open; a comment tells of what is new."""

    def close_issue(self, issue: Issue) -> str:
        """Close that issue with a comment; fine where none is open."""


_SIGNS = {
    "github": "GITHUB_ACTIONS",
    "azure-devops": "TF_BUILD",
    "gitlab": "GITLAB_CI",
}
"""Host → the variable that its pipelines set."""
HOSTS = tuple(_SIGNS)


def detect(environment: Mapping[str, str]) -> str:
    """Which host's pipeline this is. Azure Pipelines also build what lies on GitHub: the comment goes where the pull
    request is. Raises PublishError outside of all of them."""
    if environment.get("TF_BUILD") and environment.get("BUILD_REPOSITORY_PROVIDER", "").startswith("GitHub"):
        return "github"
    for name, sign in _SIGNS.items():
        if environment.get(sign):
            return name
    raise PublishError(
        "this is no pipeline of a host that is known",
        why=f"none of {', '.join(_SIGNS.values())} is set",
        advice=f"name the host with --to ({', '.join(HOSTS)}) and set the variables that it asks for then",
    )


def host_of(
    name: str, environment: Mapping[str, str], number: int | None = None, patience: Patience | None = None
) -> Host:
    """The host by name, or `auto`. `number` is the pull request, where the pipeline does not tell."""
    from reconciler.publish import azure_devops, github, gitlab

    made: Mapping[str, type[github.GitHub | azure_devops.AzureDevOps | gitlab.GitLab]] = {
        "github": github.GitHub,
        "azure-devops": azure_devops.AzureDevOps,
        "gitlab": gitlab.GitLab,
    }
    chosen = detect(environment) if name == "auto" else name
    return made[chosen](environment, number, patience or Patience())
