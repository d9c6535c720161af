"""One edit that reaches thousands of VMs: the comment fits, and says all that there is to decide upon.

It takes some fifteen seconds: 5,500 VMs are served about as quickly as they are compared.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

import pytest
import yaml

from reconciler.emulator.generate import Generation, generate, subscription_ids, vault_names
from reconciler.emulator.generate_policies import write_policies
from tests.desired.history import History
from tests.stories.conftest import Story
from tests.stories.test_pull_request_comment import sections

pytestmark = pytest.mark.story
FLEET = Generation(vms=5_500, seed=5, protected=1.0)
MOST = 60_000
"""Characters that a comment may have; GitHub takes 65,536."""
NEW = {
    "prod-web": ({"tags": {"env": "prod", "tier": "web"}}, 7),
    "prod-app": ({"tags": {"env": "prod", "tier": "app"}}, 21),
    "prod-api": ({"tags": {"env": "prod", "tier": "api"}}, 35),
    "prod-batch": ({"tags": {"env": "prod", "tier": "batch"}}, 90),
    "prod-db": ({"tags": {"env": "prod", "tier": ["db", "pg"]}}, 60),
    "test": ({"tags": {"env": "test"}}, 10),
    "dev": ({"all": [{"tags": {"env": "dev"}}, {"not": {"tags": {"tier": "web"}}}]}, 30),
}
"""Name of a policy → who gets it, and for how many days it keeps backups."""
HOURLY = {"frequency": "Hourly", "windowStart": "08:00", "intervalHours": 4, "durationHours": 12}
STAY: dict[str, Any] = {
    "apiVersion": "reconciler/v1",
    "kind": "Protection",
    "name": "all-daily-14d",
    "select": {"tags": {"env": "dev", "tier": "web"}},
    "backup": {"policy": "daily-14d"},
}
STOPPED = 6


def test_five_thousand_vms_in_one_comment(story: Story) -> None:
    """All but a few VMs get another policy, of those few somebody has stopped six, and a merge is not applied."""
    story.begin(generate(FLEET))
    story.environment["RECONCILER_POLICIES"] = "infra/policies"
    write_policies(story.folder / "generated", FLEET)
    files = {path.name: path.read_text(encoding="utf-8") for path in (story.folder / "generated").iterdir()}
    history = History(story.folder / "infra")
    history.commit({f"policies/{name}": text for name, text in files.items()})
    story.run("apply", "--auto-approve", code=0)
    for item in items(story)[:STOPPED]:
        stop(story, item)
    longer = files["backup-policies.yaml"].replace("days: 14", "days: 16")
    main = history.commit({"policies/backup-policies.yaml": longer})
    history.switch("everywhere", main)
    history.commit({"policies/protections.yaml": everywhere()})
    story.run("plan", "--base", "main", "--report", "json=plan.json", "--report", "markdown=comment.md", code=3)

    comment = (story.folder / "comment.md").read_text(encoding="utf-8")
    plan = json.loads((story.folder / "plan.json").read_text(encoding="utf-8"))
    assert len(comment) <= MOST
    changed = plan["resource_changes"]

    _, verdict, _, *table = comment.partition("\n### ")[0].splitlines()
    assert verdict.startswith("## Refused by G101, G104: apply does not start. Your change creates")
    assert verdict.endswith(f"{STOPPED} more changes are drift, {counted(changed, 'pending')} are pending.")
    assert [line.split("|")[1].strip() for line in table[2:]] == ["yours", "drift", "pending"]

    parts = sections(comment)
    first, refused, yours, drift, pending = (parts[title] for title in list(parts)[:5])
    lost = re.findall(r"daily retention (\d+) d → (\d+) d", first)
    assert sorted(lost) == [("14", "10"), ("30", "21"), ("30", "7")], "what prunes is told above all lists"
    assert "G101" in refused
    assert "G104" in refused
    going = moves(changed)
    assert going.total() > 5_000
    assert {heading.split()[-1] for heading in going} == NEW.keys()
    for heading, number in going.items():
        assert f"{heading} on {number:,} VMs" in yours
        assert f"backup policies {heading.split()[-1]} will be created" in yours
    assert f"{STOPPED} VMs will be updated: backups were stopped" in drift
    assert "16 days" in pending


def items(story: Story) -> list[dict[str, Any]]:
    """Web servers of development, as a vault lists them."""
    alias, subscription = next(iter(subscription_ids(FLEET).items()))
    vault = vault_names(FLEET)[alias, "westeurope"][0]
    path = f"/subscriptions/{subscription}/resourceGroups/rg-backup/providers/Microsoft.RecoveryServices/vaults/{vault}"
    listed = json.loads(story.arm("GET", f"{path}/backupProtectedItems").text)["value"]
    return [
        item
        for item in listed
        if "/d-" in item["properties"]["sourceResourceId"] and "-web-" in item["properties"]["sourceResourceId"]
    ]


def stop(story: Story, item: dict[str, Any]) -> None:
    """In the portal."""
    kept = {name: item["properties"][name] for name in ("protectedItemType", "sourceResourceId")}
    story.arm("PUT", item["id"], {**kept, "policyId": "", "protectionState": "ProtectionStopped"})


def everywhere() -> str:
    """New policies for all VMs but the web servers of development."""
    documents = [STAY]
    for name, (select, days) in NEW.items():
        policy: dict[str, Any] = {"tier": "Standard", "schedule": {"frequency": "Daily", "time": "22:00"}}
        if name == "prod-db":  # from an Enhanced policy there is no way back to a Standard one
            policy = {"tier": "Enhanced", "schedule": HOURLY}
        policy |= {"retention": {"daily": {"days": days}, "weekly": {"weeks": 16, "weekdays": ["Sunday"]}}}
        protection = {"select": select, "backup": {"policy": name}}
        for kind, fields in (("BackupPolicy", policy), ("Protection", protection)):
            documents.append({"apiVersion": "reconciler/v1", "kind": kind, "name": name, **fields})
    return yaml.safe_dump_all(documents, sort_keys=False)


def moves(changed: list[dict[str, Any]]) -> Counter[str]:
    """How many VMs go from which policy to which."""
    return Counter(
        f"policy {detail['before']} → {detail['after']}"
        for entry in changed
        if entry["type"] == "protected_vm" and entry["provenance"]["origin"] == "mine"
        for detail in entry["details"]
        if detail["name"] == "policy"
    )


def counted(changed: list[dict[str, Any]], origin: str) -> int:
    return sum(entry["provenance"]["origin"] == origin for entry in changed)
