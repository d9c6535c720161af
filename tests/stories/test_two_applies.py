"""Two applies at once, from two machines: with the lock one waits its turn; without one nothing comes about twice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.azurite.running import Azurite
from tests.stories.conftest import Story
from tests.stories.small_estate import POLICIES, PRODUCTION, VAULT, small

pytestmark = pytest.mark.story
SCHEDULE: dict[str, Any] = {"kind": "SnapshotSchedule", "name": "six-hourly", "every": "6h", "keep": {"count": 4}}
SNAPPED: dict[str, Any] = {**PRODUCTION, "snapshots": {"schedule": "six-hourly"}}
WANTED = (*POLICIES[:4], SCHEDULE, SNAPPED, POLICIES[5])
MACHINES = ["app-01", "app-02", "app-03"]
APPLY = ("apply", "--auto-approve")


class Machine(Story):
    """Another machine with the same policies: its own home, journals and locks."""

    def __init__(self, first: Story, folder: Path) -> None:
        folder.mkdir()
        super().__init__(first.azure, folder)
        self.environment["RECONCILER_POLICIES"] = str(first.policies)


@pytest.fixture
def other(story: Story, tmp_path: Path) -> Iterator[Machine]:
    """Every VM is to be protected, and its first snapshots to be taken."""
    story.begin(small(), *WANTED)
    yield Machine(story, tmp_path / "other")
    story.azure.clear_faults()
    story.go_on()


def names(story: Story, path: str) -> list[str]:
    """The names in a list of Azure's."""
    listed = json.loads(story.arm("GET", path).text)["value"]
    return sorted(item["name"].rpartition(";")[2].lower() for item in listed)


def in_step(story: Story) -> None:
    """Each VM is protected once, each disk has one snapshot, there is no second policy, and nothing is left to do."""
    api = "api-version=2025-08-01"
    items = names(story, f"{VAULT}/backupProtectedItems?{api}")
    assert items == MACHINES
    assert names(story, f"{VAULT}/backupPolicies?{api}").count("daily") == 1
    subscription = VAULT.partition("/resourceGroups")[0]
    snapshots = names(story, f"{subscription}/providers/Microsoft.Compute/snapshots?api-version=2025-01-02")
    assert len(snapshots) == len(set(snapshots)) == 2 * len(MACHINES)
    assert "No changes." in story.run("plan", "--detailed-exitcode", code=0).out


INTERLEAVINGS: dict[str, dict[str, Any]] = {
    "slow writes": {"sort": "write", "delay": 0.3},
    "the first write is slow": {"sort": "write", "delay": 2.0, "count": 1},
    "the second snapshot is slow": {"sort": "write", "path": "*/snapshots/*", "delay": 2.0, "count": 1, "skip": 1},
}


@pytest.mark.parametrize("fault", INTERLEAVINGS.values(), ids=INTERLEAVINGS.keys())
def test_without_a_lock_nothing_comes_about_twice(story: Story, other: Machine, fault: dict[str, Any]) -> None:
    """Names are deterministic and writes say all of a resource: the second write of one changes nothing, or Azure
    refuses it. Whoever loses says that it is to be run again."""
    story.azure.add_fault(fault)
    running = [(machine, machine.start(*APPLY)) for machine in (story, other)]
    ended = [(machine, one.end()) for machine, one in running]
    story.azure.clear_faults()
    for machine, said in ended:
        assert said.code in (0, 4), said.told
        assert "Traceback" not in said.told
        if said.code == 4:
            assert "run apply again" in said.err
            machine.run(*APPLY, code=0)
    in_step(story)


def test_both_have_planned_before_either_writes(story: Story, other: Machine) -> None:
    """Azure works on the protections of the first for as long as it takes the second to ask for the same."""
    story.stand_still()
    first = story.start(*APPLY)
    story.until(lambda: story.writes()["PUT app-01"] == 1)
    second = other.start(*APPLY)
    story.until(lambda: sum(story.sent("PUT", name) for name in MACHINES) == 2 * len(MACHINES))
    story.go_on()
    first.end()
    assert second.end().code in (0, 4)
    other.run(*APPLY, code=0)
    in_step(story)


def test_two_saved_plans_of_the_same_estate(story: Story, other: Machine) -> None:
    """The second finds another estate than it was made for, or what it wants done already."""
    for planning in [machine.start("plan", "--out", "plan.json") for machine in (story, other)]:
        assert planning.end().code == 0
    story.run("apply", "plan.json", code=0)
    said = other.run("apply", "plan.json", code=3)
    assert "the saved plan no longer fits" in said.err
    in_step(story)


@pytest.fixture
def lock(azurite: Azurite, story: Story, other: Machine) -> str:
    """The lock of both, of this test alone."""
    address = azurite.blob(f"two-{datetime.now(UTC):%H%M%S%f}")
    for machine in (story, other):
        machine.environment |= {
            "RECONCILER_LOCK": address,
            "AZURE_STORAGE_CONNECTION_STRING": azurite.connection_string,
            "GITHUB_ACTIONS": "true",
            "GITHUB_SERVER_URL": "https://github.example",
            "GITHUB_REPOSITORY": "shop/policies",
            "GITHUB_RUN_ID": "42",
        }
    return address


def test_with_the_lock_the_second_is_told_who_and_waits_its_turn(story: Story, other: Machine, lock: str) -> None:
    story.stand_still()
    first = story.start(*APPLY)
    story.until(lambda: story.writes()["PUT app-01"] == 1)
    refusing, looking = other.start(*APPLY), other.start("status")
    waiting = other.start(*APPLY, "--lock-timeout", "50s")
    refused, told = refusing.end(), looking.end()
    assert (refused.code, told.code) == (1, 0), refused.told + told.told
    assert "another apply holds the lock" in refused.err
    assert f"holds {lock}" in refused.err
    assert "apply by " in refused.err
    assert "since 2026-03-02 08:" in refused.err
    assert "https://github.example/shop/policies/actions/runs/42" in refused.err
    assert "The lock is held: apply by " in told.out
    waiting.line("Waiting for the lock")
    story.go_on()
    assert first.end().code == 0
    assert waiting.end().code == 0
    assert set(story.writes().values()) == {1}, "the second found nothing left to do"
    looking = other.start("status")
    in_step(story)
    assert "The lock is held" not in looking.end().out


def test_without_its_container_or_its_account_nothing_is_applied(story: Story, other: Machine, lock: str) -> None:
    missing = lock.replace("/locks/", "/nowhere/")
    said = story.run(*APPLY, "--lock", missing, code=1)
    assert "az storage container create" in said.err
    assert "--name nowhere" in said.err
    secret = "sig=c2VjcmV0"
    said = story.run(*APPLY, RECONCILER_LOCK=f"{lock}?sv=2025-01-05&{secret}", code=1)
    assert "--no-lock" in said.err
    assert "c2VjcmV0" not in said.told
    assert story.writes() == {}
    assert "contradict" in story.run(*APPLY, "--lock", lock, "--no-lock", code=1).err
    other.run(*APPLY, "--no-lock", code=0)
    assert set(story.writes().values()) == {1}
