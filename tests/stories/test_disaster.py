"""Drills, a failover and the way home: as a person does it, command by command."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.operate.estate import MACHINES, account, estate, policies
from tests.stories.conftest import Story
from tests.stories.test_least_privilege import given

pytestmark = pytest.mark.story
TESTS = sorted(f"{name}-test" for name in MACHINES)


def begin(story: Story, of_estate: dict[str, Any] | None = None, **of_plan: Any) -> None:
    """Azure is as the policies want it, unless people are at work on it."""
    story.begin(of_estate or estate(), *policies(**of_plan))
    if of_estate is None:
        story.run("apply", "--auto-approve", code=0)


def posted(story: Story) -> list[str]:
    """What Azure accepted, in order: `rp-shop/testFailover`."""
    return [
        "/".join(entry["path"].split("/")[-2:])
        for entry in story.azure.requests()
        if entry["method"] == "POST" and entry["status"] == 202
    ]


def record(story: Story) -> dict[str, Any]:
    """The newest record."""
    newest: Path = max((story.folder / "journals" / "records").glob("*.json"), key=lambda path: path.stat().st_mtime_ns)
    found: dict[str, Any] = json.loads(newest.read_text(encoding="utf-8"))
    return found


def test_a_plan_is_drilled_checked_and_cleaned_up(story: Story) -> None:
    begin(story)
    asked = ("drill", "rp-shop", "--check", 'echo "$RECONCILER_VM at $RECONCILER_TEST_ADDRESS" >> seen')
    refused = story.run(*asked, code=1)
    assert "--confirm rp-shop" in refused.err
    assert posted(story) == []
    done = story.run(*asked, "--confirm", "rp-shop", code=0)
    assert "recovery_plan.prod/rg-dr/rsv-dr/rp-shop will be tested in northeurope" in done.out
    assert "network: rg-dr/vnet-test" in done.out
    assert "Apply complete: 8 done" in done.told
    assert posted(story) == ["rp-shop/testFailover", "rp-shop/testFailoverCleanup"]
    seen = (story.folder / "seen").read_text().splitlines()
    assert sorted(line.partition(" at 10.3.0.")[0] for line in seen) == sorted(MACHINES)
    kept = record(story)
    assert (kept["operation"], kept["outcome"], kept["asked"]["target"]) == ("drill", "succeeded", "rp-shop")
    assert kept["rpo_seconds"] > 0
    assert kept["rto_seconds"] > 0
    assert set(kept["checks"].values()) == {"done"}
    assert len(kept["machines"]) == 3
    assert "No drift" in story.run("drift", code=0).out


def test_a_check_that_fails_is_told_and_nothing_is_left(story: Story) -> None:
    begin(story)
    said = story.run("drill", "web-01", "--check", "echo no answer; exit 7", "--confirm", "web-01", code=4)
    assert "exit code 7" in said.told
    assert "no answer" in said.told
    assert posted(story) == ["web-01/testFailover", "web-01/testFailoverCleanup"]
    kept = record(story)
    assert kept["outcome"] == "incomplete"
    assert sorted(kept["checks"].values()) == ["done", "failed"]


def test_what_is_not_to_be_drilled_is_refused(story: Story) -> None:
    manual = {"name": "ask", "manual": "Is the database up?"}
    begin(story, failover={"after": [manual]})
    said = story.run("drill", "rp-shop", "--confirm", "rp-shop", code=1)
    assert "ASR-64" in said.told
    assert "--with-manual" in said.told
    production = estate()["networks"][1]["name"]
    network = next(one for one in policies() if one["kind"] == "ReplicationRoute")["networks"][0]["to"]
    said = story.run("drill", "web-01", "--network", network, "--confirm", "web-01", code=1)
    assert f"{production} is a production network" in said.told
    assert "did you mean" not in said.told
    assert "no declared recovery plan" in story.run("drill", "nobody", "--confirm", "nobody", code=1).err
    assert "is not what" in story.run("failover", "rp-shop", "--to", "northeurope", "--confirm", "yes", code=1).err
    assert posted(story) == []


def test_killed_in_a_drill_the_next_run_cleans_up(story: Story) -> None:
    begin(story)
    story.stand_still()
    drill = story.start("drill", "rp-shop", "--confirm", "rp-shop")
    story.until(lambda: posted(story) == ["rp-shop/testFailover"])
    told = story.run("status", code=0).out
    assert "test failover of recovery plan rp-shop" in told
    assert "owed, and still to be done" in told
    assert "task 1 of" in told
    drill.kill()
    assert drill.process.returncode == -signal.SIGKILL
    assert record(story)["outcome"] == "unfinished"
    story.go_on()
    said = story.run("apply", "--auto-approve", code=0)
    assert "clean up the test failover of recovery plan rp-shop" in said.out
    assert posted(story) == ["rp-shop/testFailover", "rp-shop/testFailoverCleanup"]
    assert "0 steps of ours open" in story.run("status", code=0).out


def test_killed_while_a_drill_waits_for_a_person(story: Story) -> None:
    """The next run does not wait for that person: it cancels the job, and cleans up."""
    begin(story, failover={"after": [{"name": "ask", "manual": "Is the database up?"}]})
    drill = story.start("drill", "rp-shop", "--with-manual", "--confirm", "rp-shop")
    drill.line("waits for manual action 'ask': Is the database up?")
    drill.kill()
    assert "waits for manual action" in story.run("status", code=0).out
    story.run("apply", "--auto-approve", code=0)
    assert posted(story)[0] == "rp-shop/testFailover"
    assert posted(story)[-1] == "rp-shop/testFailoverCleanup"
    assert "No drift" in story.run("drift", code=0).out


def test_ctrl_c_in_a_drill_cleans_up_before_it_ends(story: Story) -> None:
    begin(story)
    story.stand_still()
    drill = story.start("drill", "web-01", "--confirm", "web-01")
    story.until(lambda: posted(story) == ["web-01/testFailover"])
    drill.process.send_signal(signal.SIGINT)
    drill.line("Stopping")
    story.go_on()
    said = drill.end()
    assert said.code == 4, said.told
    assert posted(story) == ["web-01/testFailover", "web-01/testFailoverCleanup"]


def test_what_somebody_else_left_is_cleaned_up(story: Story) -> None:
    begin(story, estate("TestFailover"))
    refused = story.run("drill", "web-01", "--confirm", "web-01", code=1)
    assert "reconciler drill --cleanup web-01" in refused.told
    story.run("drill", "--cleanup", "web-01", "--confirm", "web-01", code=0)
    assert posted(story) == ["web-01/testFailoverCleanup"]
    assert "No changes" in story.run("drill", "--cleanup", "web-01", "--confirm", "web-01", code=0).out


def test_a_disaster_and_the_way_home(story: Story) -> None:
    """Nothing that is failed over is touched on the way, and the last plan is empty."""
    begin(story)
    confirm = ("--confirm", "rp-shop")
    wrong = story.run("failover", "rp-shop", "--to", "westus", *confirm, code=1)
    assert "it is replicated to northeurope" in wrong.told
    assert "does not allow Commit of rp-shop" in story.run("commit", "rp-shop", *confirm, code=1).told
    done = story.run("failover", "rp-shop", "--to", "northeurope", "--shutdown-source", *confirm, code=0)
    assert "reconciler commit rp-shop" in done.err
    kept = record(story)
    assert kept["rto_seconds"] > 60
    assert "failed-over" in story.run("drift", code=0).out
    early = story.run("reprotect", "rp-shop", *confirm, code=1)
    assert "is not committed" in early.told
    story.run("commit", "rp-shop", *confirm, code=0)
    missing = story.run("reprotect", "rp-shop", *confirm, code=1)
    assert "--cache-account" in missing.told
    story.run("reprotect", "rp-shop", "--cache-account", account("cacheneu", "rg-dr"), *confirm, code=0)
    assert "reconciler failback" in story.run("drift", code=0).out
    story.run("failback", "rp-shop", *confirm, code=0)
    story.run("commit", "rp-shop", *confirm, code=0)
    story.run("reprotect", "rp-shop", *confirm, code=0)
    story.run("apply", "--auto-approve", code=0)  # Azure forgets the network for drills when it turns round
    assert "No changes" in story.run("plan", code=0).out


def test_a_reprotection_is_left_and_taken_up_again(story: Story) -> None:
    begin(story, estate("Committed"))
    asked = ("reprotect", "web-01", "--cache-account", account("cacheneu", "rg-dr"), "--confirm", "web-01")
    story.stand_still()
    said = story.run(*asked, "--no-wait", code=0)
    assert "goes on in Azure" in said.err
    assert "reconciler failback" not in said.err, "it is not there yet"
    assert "replicate web-01 back to westeurope" in story.run("status", code=0).out
    story.go_on()
    story.run("apply", "--auto-approve", code=0)
    assert "0 steps of ours open" in story.run("status", code=0).out


def test_the_role_to_operate_operates_and_no_more(story: Story) -> None:
    """From drill to status; it cannot apply."""
    begin(story, given("operate", estate()))
    story.run("drill", "rp-shop", "--confirm", "rp-shop", code=0)
    one = ("--confirm", "web-01")
    story.run("drill", "web-01", *one, "--check", "true", code=0)
    story.run("failover", "web-01", "--to", "northeurope", "--recovery-point", "latest-processed", *one, code=0)
    story.run("commit", "web-01", *one, code=0)
    story.run("reprotect", "web-01", "--cache-account", account("cacheneu", "rg-dr"), *one, code=0)
    story.run("status", code=0)
    denied = [entry for entry in story.azure.requests() if entry["status"] == 403]
    assert [(entry["method"], entry["path"]) for entry in denied] == []
    assert story.run("apply", "--auto-approve").code != 0


def test_an_apply_that_does_not_wait_leaves_what_is_long(story: Story) -> None:
    """The next apply goes on with it; enabling is sent once."""
    bare = estate()
    bare["siteRecovery"] = []
    story.begin(bare, *policies())
    story.environment["RECONCILER_JOURNAL"] = str(story.folder / "journals")
    left = story.run("apply", "--auto-approve", "--no-wait", code=0)
    assert "`reconciler status` tells how far" in left.err
    assert "web-01" in story.run("status", code=0).out
    while story.run("apply", "--auto-approve").code == 4:
        pass
    story.run("plan", "--detailed-exitcode", code=0)
    assert story.repeated() == {}
