"""Policies in a git repository, and an Azure that others change: what the stories about pull requests begin with."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import yaml

from tests.desired.history import History
from tests.stories.conftest import Said, Story
from tests.stories.small_estate import (
    DAILY,
    DEV,
    DEVELOPMENT,
    PRODUCTION,
    RSV_DEV,
    RSV_WEU,
    SCOPE,
    VAULT,
    item,
    item_path,
    protection,
    small,
)

VAULT_DEV = f"/subscriptions/{DEV}/resourceGroups/rg-backup-dev/providers/Microsoft.RecoveryServices/vaults/rsv-dev"
SHORT: dict[str, Any] = {**DAILY, "name": "short", "retention": {"daily": {"days": 7}}}
IN_STEP = tuple(item(f"app-0{number}") for number in (1, 2, 3))
FIRST: dict[str, list[dict[str, Any]]] = {
    "scope.yaml": [SCOPE],
    "vaults.yaml": [RSV_WEU, RSV_DEV],
    "backup.yaml": [DAILY, PRODUCTION, DEVELOPMENT],
}
"""The first commit: Azure is as it says."""
KEPT_LONGER: dict[str, Any] = {**DAILY, "retention": {"daily": {"days": 40}}}
MERGED = {"vaults.yaml": [RSV_WEU, {**RSV_DEV, "tags": {"owner": "dev-team"}}]}
"""The second: a tag on the vault of development."""
EDIT = {"vaults.yaml": [{**RSV_WEU, "tags": {"owner": "platform"}}, {**RSV_DEV, "tags": {"owner": "dev-team"}}]}
"""A branch: a tag on the vault of production."""
EDIT_OF_DRIFT = {"backup.yaml": [KEPT_LONGER, PRODUCTION, DEVELOPMENT]}
"""Another branch: daily keeps 40 days instead of 30."""


class Team:
    """People who work on one repository, and the pipeline that runs for them."""

    def __init__(self, story: Story, **estate: Any) -> None:
        story.begin(small(*IN_STEP, **estate))
        self.story = story
        self.root = story.folder / "infra"
        self.history = History(self.root)
        story.environment["RECONCILER_POLICIES"] = str(self.root / "policies")
        self.first = self.commit(FIRST)

    def commit(self, files: dict[str, list[dict[str, Any]]], *others: str, onto: str | None = None) -> str:
        """A commit with these policy files, checked out; answers its id."""
        return self.history.commit(
            {f"policies/{name}": spell(documents) for name, documents in files.items()}, *others, onto=onto
        )

    def branch(self, name: str, onto: str, files: dict[str, list[dict[str, Any]]]) -> str:
        """A branch with one commit, checked out."""
        self.history.switch(name, onto)
        return self.commit(files)

    def apply(self, *arguments: str, code: int = 0) -> Said:
        return self.story.run("apply", "--auto-approve", *arguments, code=code)

    def plan(self, *arguments: str, code: int = 0, **environment: str) -> dict[str, Any]:
        """The plan as JSON."""
        found: dict[str, Any] = json.loads(
            self.story.run("plan", "--format", "json", *arguments, code=code, **environment).out
        )
        return found

    def origins(self, *arguments: str, code: int = 0, **environment: str) -> dict[str, str]:
        """Address → origin of every change of the plan."""
        plan = self.plan(*arguments, code=code, **environment)
        return {entry["address"]: entry["provenance"]["origin"] for entry in plan["resource_changes"]}

    def stamps(self) -> dict[str, dict[str, str]]:
        """Our tags on both vaults, as Azure has them."""
        found = {}
        for path in (VAULT, VAULT_DEV):
            tags = json.loads(self.story.arm("GET", path).text).get("tags") or {}
            found[path.rpartition("/")[2]] = {
                name.removeprefix("reconciler-"): value
                for name, value in tags.items()
                if name.startswith("reconciler-")
            }
        return found

    def stop_protection(self, name: str) -> None:
        """Somebody's hand, in the portal."""
        stopped = protection(name, protectionState="ProtectionStopped", policyId="")
        self.story.arm("PUT", item_path(name), stopped)

    def keep(self, days: int) -> None:
        """Somebody sets how long `daily` keeps backups in the vault of production."""
        path = f"{VAULT}/backupPolicies/daily"
        properties = json.loads(self.story.arm("GET", path).text)["properties"]
        properties["retentionPolicy"]["dailySchedule"]["retentionDuration"]["count"] = days
        self.story.arm("PUT", path, properties)


def spell(documents: list[dict[str, Any]]) -> str:
    return yaml.safe_dump_all([{"apiVersion": "reconciler/v1", **one} for one in documents], sort_keys=False)


def findings(plan: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """By code."""
    return {finding["code"]: finding for finding in plan["findings"]}


def copy_of(root: Path, target: Path) -> Path:
    """What somebody has who has no git: an archive of the files."""
    shutil.copytree(root, target, ignore=shutil.ignore_patterns(".git"))
    return target
