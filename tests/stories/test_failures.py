"""Azure says no, or not now, or nothing at all."""

from __future__ import annotations

import json

import pytest

from tests.stories.conftest import Story
from tests.stories.small_estate import DAILY, DEVELOPMENT, POLICIES, PRODUCTION, RSV_DEV, RSV_WEU, SCOPE, item, small

pytestmark = pytest.mark.story


def test_one_vm_fails_and_the_others_are_protected(story: Story) -> None:
    story.begin(small(), *POLICIES)
    failing = {"operation": "fails", "code": "UserErrorVMInternalError", "message": "VM agent is not ready"}
    story.azure.add_fault({"method": "PUT", "path": "*;app-02", "count": 1, **failing})
    said = story.run("apply", "--auto-approve", code=4)
    assert "2 done, 1 failed" in said.out
    assert "protect app-02 in vault rsv-weu" in said.told
    assert "VM agent is not ready" in said.told
    story.run("apply", "--auto-approve", code=0)
    assert story.writes() == {"PUT app-01": 1, "PUT app-02": 2, "PUT app-03": 1}
    assert "No changes." in story.run("plan", "--detailed-exitcode", code=0).out


def test_what_depends_on_a_failure_is_skipped_and_says_why(story: Story) -> None:
    """A vault cannot be made: its settings, its policy and its VMs wait; the other vault does not."""
    new = {**RSV_WEU, "name": "rsv-new", "redundancy": "ZoneRedundant"}
    release = {**RSV_DEV, "onRelease": "stopRetain"}
    story.begin(small(), SCOPE, new, release, DAILY, PRODUCTION)
    refused = {"status": 400, "code": "RequestDisallowedByPolicy", "message": "Resource was disallowed by policy."}
    story.azure.add_fault({"method": "PUT", "path": "*/rsv-new", "count": 1, **refused})
    said = story.run("apply", "--auto-approve", "--format", "json", code=4)
    events = [json.loads(line) for line in said.out.splitlines()]
    assert events[0]["type"] == "version"
    skipped = [event for event in events if event["type"] == "apply_skipped"]
    assert len(skipped) == 5
    assert {event["because"] for event in skipped} == {"vault.prod/rg-backup/rsv-new#create"}
    summary = events[-1]
    assert (summary["done"], summary["failed"], summary["skipped"]) == (1, 1, 5)
    assert "RequestDisallowedByPolicy" in said.out
    assert story.writes() == {"PUT dev-01": 1}
    story.run("apply", "--auto-approve", code=0)
    assert "No changes." in story.run("plan", "--detailed-exitcode", code=0).out


def test_nothing_worked_is_an_error(story: Story) -> None:
    story.begin(small(item("app-01"), item("app-02")), *POLICIES)
    story.azure.add_fault({"method": "PUT", "path": "*;app-03", "operation": "fails"})
    assert "1 failed" in story.run("apply", "--auto-approve", code=1).out


def test_throttled_lists_are_read_again_after_the_time_azure_asks_for(story: Story) -> None:
    story.begin(small(item("app-01"), item("app-02"), item("app-03")), *POLICIES)
    story.azure.add_fault({"method": "GET", "path": "*/backup*", "status": 429, "retryAfter": 1, "count": 4})
    assert "No changes." in story.run("plan", "--detailed-exitcode", code=0).out
    assert [entry["status"] for entry in story.azure.requests()].count(429) == 4


def test_a_storm_of_429_delays_writes_and_repeats_none(story: Story) -> None:
    story.begin(small(), *POLICIES)
    story.azure.add_fault({"method": "PUT", "status": 429, "retryAfter": 1, "count": 6})
    story.run("apply", "--auto-approve", code=0)
    assert [entry["status"] for entry in story.azure.requests()].count(429) == 6
    assert story.writes() == {"PUT app-01": 1, "PUT app-02": 1, "PUT app-03": 1}


def test_the_connection_drops_after_the_write_took_effect(story: Story) -> None:
    """Nobody knows whether it was received: Azure is asked, and nothing is started a second time."""
    story.begin(small(item("app-01"), item("app-02")), *POLICIES)
    story.azure.add_fault({"method": "PUT", "path": "*;app-03", "reset": "after", "count": 1})
    story.run("apply", "--auto-approve", code=0)
    assert sum(len(entry.get("operations", ())) for entry in story.azure.requests()) == 1
    assert "No changes." in story.run("plan", "--detailed-exitcode", code=0).out


def test_a_vault_a_day_takes_only_so_many_policies(story: Story) -> None:
    """What goes over the limit of the service is put off to the next run, and said."""
    limited = {**SCOPE, "limits": {"policyWritesPerDay": 1}}
    other = {**DAILY, "name": "other"}
    story.begin(
        small(),
        limited,
        RSV_WEU,
        RSV_DEV,
        {**DAILY, "name": "first"},
        other,
        {**PRODUCTION, "select": {"names": ["app-01", "app-02"]}, "backup": {"policy": "first"}},
        {**PRODUCTION, "name": "rest", "select": {"names": ["app-03"]}, "backup": {"policy": "other"}},
        DEVELOPMENT | {"backup": {"policy": "first"}},
    )
    document = json.loads(story.run("plan", "--format", "json").out)
    deferred = {change["address"] for change in document["deferred"]}
    assert "backup_policy.prod/rg-backup/rsv-weu/other" in deferred
