"""The comment of a pull request, made of one reading of Azure: yours, drift and pending, each in its own section."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from reconciler.emulator.estate import read
from tests.desired.history import History
from tests.stories.conftest import REPOSITORY, Story
from tests.stories.small_estate import DAILY, DEVELOPMENT, PRODUCTION
from tests.stories.three_way import MERGED, Team

pytestmark = pytest.mark.story
SHORTER = {"backup.yaml": [{**DAILY, "retention": {"daily": {"days": 14}}}, PRODUCTION, DEVELOPMENT]}
DEMO = REPOSITORY / "demo" / "pull-requests"
GOLDEN = REPOSITORY / "tests" / "golden" / "pull-request.md"
GROUPS = "/subscriptions/5c8e2b74-1d93-4f06-9a57-3e6d0b8f0301/resourceGroups"
DB_01 = "iaasvmcontainerv2;rg-shop;db-01"
ITEM = (
    f"{GROUPS}/rg-backup/providers/Microsoft.RecoveryServices/vaults/rsv-team/backupFabrics/Azure"
    f"/protectionContainers/iaasvmcontainer;{DB_01}/protectedItems/vm;{DB_01}"
)
STOPPED = {
    "protectedItemType": "Microsoft.Compute/virtualMachines",
    "sourceResourceId": f"{GROUPS}/rg-shop/providers/Microsoft.Compute/virtualMachines/db-01",
    "policyId": "",
    "protectionState": "ProtectionStopped",
}


def test_the_comment_says_whose_each_change_is(story: Story) -> None:
    team = Team(story)
    team.apply()
    merged = team.commit(MERGED)
    team.stop_protection("app-01")
    head = team.branch("shorter", merged, SHORTER)

    asked = [part for form in ("markdown", "html", "json", "text") for part in ("--report", f"{form}=plan.{form}")]
    reading = story.run("plan", "--base", "main", code=3).err
    said = story.run("plan", "--base", "main", *asked, code=3, RECONCILER_COMMENT="prod")
    assert requests(said.err) == requests(reading), "four reports cost no request more"

    comment = (story.folder / "plan.markdown").read_text(encoding="utf-8")
    first, verdict, *_ = comment.split("\n")
    assert first == "<!-- reconciler:plan:prod -->"
    assert verdict.startswith("## Refused by G104: apply does not start. Your change updates 2 backup policies")
    assert verdict.endswith(" and prunes up to 48 recovery points; 1 more change is drift, 1 is pending.")
    parts = sections(comment)
    titles = list(parts)
    yours, drift, pending = (
        next(title for title in titles if title.startswith(word)) for word in ("Yours", "Drift", "Pending")
    )
    assert titles[0] == "Read these first"
    assert titles.index(yours) < titles.index(drift) < titles.index(pending)
    assert yours == f"Yours: this branch against main ({merged[:7]}) (2)"
    assert drift.startswith(f"Drift: changed in Azure since {team.first[:7]} was applied on ")
    assert f"this branch ({head[:7]})" in comment
    assert re.search(r"\(yours\): \*\*prunes up to \d+ recovery points", comment)
    assert "/daily" in parts[yours]
    assert "app-01" in parts[drift]
    assert "rsv-dev" in parts[pending]
    assert verdict[3:] in said.out.replace("\n", " ")
    assert (story.folder / "plan.html").stat().st_size > 0


def test_the_comment_of_the_demo_as_people_read_it(story: Story) -> None:
    """What `make demo` tells: Bob has merged, Carol shortens a retention, Alice was in the portal. The README, too."""
    story.begin(read(DEMO / "estate.yaml"))
    root = story.folder / "infra"
    history = History(root)
    story.environment["RECONCILER_POLICIES"] = "infra/policies"
    story.run("adopt", "--subscription", f"{GROUPS.split('/')[2]}=prod", "--out", "adopted", code=0)
    adopted = {f"policies/{path.relative_to(story.folder / 'adopted')}": path.read_text() for path in written(story)}
    applied = history.commit({**adopted, "policies/snapshots.yaml": (DEMO / "snapshots.yaml").read_text()})
    story.run("apply", "--auto-approve", code=0)
    main = history.commit({"policies/build.yaml": (DEMO / "build.yaml").read_text()})
    history.switch("fewer-days", main)
    policies = adopted["policies/backup-policies.yaml"].replace("days: 30", "days: 14")
    head = history.commit({"policies/backup-policies.yaml": policies})
    story.arm("PUT", ITEM, STOPPED, caller="alice@example.com")
    said = story.run("plan", "--base", "main", "--format", "markdown", code=3)

    comment = settled(said.out, {applied: "18da54b", main: "d1c575e", head: "4bce117"})
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.write_text(comment, encoding="utf-8")
    assert comment == GOLDEN.read_text(encoding="utf-8"), "it is not as it was: make golden, and look"
    parts = sections(comment)
    assert [title.split(":")[0] for title in parts] == [
        "Read these first", "Refused by a guard (1)", "Yours", "Drift", "Pending",
    ]  # fmt: skip
    yours, drift, pending = list(parts.values())[2:]
    assert ("/servers" in yours, "db-01" in yours, "build-01" in yours) == (True, False, False)
    assert ("by alice@example.com" in drift, "servers" in drift, "build-01" in drift) == (True, False, False)
    assert ("build-01, build-02" in pending, "db-01" in pending) == (True, False)


def written(story: Story) -> list[Path]:
    return sorted((story.folder / "adopted").rglob("*.yaml"))


def sections(comment: str) -> dict[str, str]:
    """Title → what stands below it."""
    _, *parts = re.split(r"^### (.*)$", comment, flags=re.MULTILINE)
    return dict(zip(parts[::2], parts[1::2], strict=True))


def settled(comment: str, commits: dict[str, str]) -> str:
    """The comment with the times, ids and commits of one day, whenever it is made."""
    for commit, name in commits.items():
        comment = comment.replace(commit[:7], name)
    for found, settled in (
        (r"(2026-11-26)[ T]20:\d\d(:\d\d)?", r"\1 20:05"),
        (r"\d+ h \d+ (min|s) old", "21 h 5 min old"),
        (r"plan [0-9a-f]{12}", "plan addeec013661"),
        (r"correlation [0-9a-f-]{36}", "correlation 5d3bd97e-b9c4-41db-ab37-29a8c2d53734"),
    ):
        comment = re.sub(found, settled, comment)
    return comment


def requests(told: str) -> list[str]:
    return re.findall(r"[\d,]+ requests?", told)
