"""VMs, disks and files back from a vault: as a person does it, command by command."""

from __future__ import annotations

import json
import re
import signal
from typing import Any

import pytest

from tests.emulator.backup.restorer import GROUP, RESTORE_ESTATE, SUBSCRIPTION, TARGET
from tests.stories.conftest import Story
from tests.stories.terminal import at_terminal
from tests.stories.test_least_privilege import given

pytestmark = pytest.mark.story
SCOPE: dict[str, Any] = {"kind": "Scope", "name": "company", "subscriptions": {"prod": SUBSCRIPTION}}
TO = ("--resource-group", "rg-target", "--staging-account", "ststaging")
NEW = ("restore", "vm", "web-01", "--recovery-point", "latest", "--name", "back", "--subnet", "vnet-weu/default", *TO)
DISKS = ("restore", "disks", "web-01", "--recovery-point", "latest", *TO)
REPLACE = (
    "restore",
    "vm",
    "off-01",
    "--recovery-point",
    "latest",
    "--replace-existing",
    "--staging-account",
    "ststaging",
)


def begin(story: Story) -> None:
    story.begin(RESTORE_ESTATE, SCOPE)


def restores(story: Story) -> int:
    """How many restores Azure took."""
    return story.sent("POST", "restore", 202) + story.sent("POST", "backupCrossRegionRestore", 202)


def names_of(story: Story, group: str = TARGET) -> list[str]:
    answer = story.arm("GET", f"{group}/providers/Microsoft.Compute/disks?api-version=2025-01-02")
    return sorted(disk["name"] for disk in json.loads(answer.text)["value"])


def test_a_vm_comes_back_and_the_same_command_restores_nothing_twice(story: Story) -> None:
    begin(story)
    listed = story.run("recovery-points", "list", "web-01", code=0).out
    assert "30 recovery points in rg-App/rsv-app, westeurope" in listed
    done = story.run(*NEW, "--auto-approve", code=0)
    assert "vault_restore.prod/rg-target/back will be created" in done.out
    assert "done     restore web-01 as new VM back" in done.out
    assert "az vm show --show-details" in done.err
    again = story.run(*NEW, "--auto-approve", code=0)
    assert "Nothing to do: what was to be made is there already" in again.out
    assert restores(story) == 1


def test_disks_are_planned_reviewed_and_made_later(story: Story) -> None:
    begin(story)
    story.run(*DISKS, "--disk", "0", "--out", "p.json", code=0)
    assert restores(story) == 0
    applied = story.run("apply", "p.json", code=0)
    assert "az disk list" in applied.err
    assert len(names_of(story)) == 2, "the OS disk comes along"
    assert "Nothing to do" in story.run("apply", "p.json", code=0).out
    assert restores(story) == 1
    story.run(*DISKS, "--disk", "0", "--again", "--auto-approve", code=0)
    assert restores(story) == 2


def test_everything_that_speaks_against_it_is_told_at_once(story: Story) -> None:
    begin(story)
    said = story.run(*NEW[:6], "ba?d", "--subnet", "vnet-weu/nope", "--zone", "2", "--auto-approve", code=1).told
    for told in ("BP-100", "BP-103", "restore-name", "subnet-unknown", "--staging-account, as ststaging"):
        assert told in said, told
    assert restores(story) == 0
    mixed = story.run("restore", "vm", "web-01", "--recovery-point", "latest", "--size", "S", "--auto-approve", code=1)
    assert "--size is for restores from snapshots" in mixed.err
    assert "name the new VM with --name" in mixed.err


def test_the_disks_of_a_vm_are_replaced_after_its_name_was_typed(story: Story) -> None:
    begin(story)
    refused = story.run(*REPLACE, "--auto-approve", code=1)
    assert "add --confirm off-01" in refused.err
    for typed in ("yes", "web-01"):
        said = at_terminal(story, *REPLACE, typed=f"{typed}\n")
        assert "Only 'off-01' goes on." in said.out
        assert "Nothing was changed." in said.out
        assert said.code == 1  # what follows behind && does not run
    assert restores(story) == 0
    said = at_terminal(story, *REPLACE, typed="off-01\n")
    assert said.code == 0, said.out
    assert "az vm start" in said.out
    assert "left unattached in its resource group" in said.out
    assert restores(story) == 1
    assert "Nothing to do" in story.run(*REPLACE, "--auto-approve", "--confirm", "off-01", code=0).out


def test_a_vm_that_runs_keeps_its_disks(story: Story) -> None:
    begin(story)
    said = story.run(*REPLACE[:2], "web-01", *REPLACE[3:], "--auto-approve", "--confirm", "web-01", code=1)
    assert "BP-101" in said.told
    assert f"az vm deallocate --ids {GROUP}" in said.told
    assert restores(story) == 0


def test_a_vm_comes_back_in_the_secondary_region(story: Story) -> None:
    begin(story)
    listing = ("recovery-points", "list", "web-01", "--region", "secondary", "--format", "json")
    listed = json.loads(story.run(*listing, code=0).out)
    point = listed["recovery_points"][0]
    assert listed["region"] == "northeurope"
    assert point["tiers"] == ["vault"]
    abroad = [
        "restore", "vm", "web-01", "--region", "secondary", "--recovery-point", point["id"],
        "--name", "back", "--subnet", "vnet-neu/default", *TO[:2], "--staging-account", "stnorth",
    ]  # fmt: skip
    story.run(*abroad, "--auto-approve", code=0)
    made = json.loads(
        story.arm("GET", f"{TARGET}/providers/Microsoft.Compute/virtualMachines/back?api-version=2025-04-01").text
    )
    assert made["location"] == "northeurope"
    assert "Nothing to do" in story.run(*abroad, "--auto-approve", code=0).out
    assert restores(story) == 1


def test_killed_while_azure_restores(story: Story) -> None:
    """What Azure had accepted is waited for by the same command, not sent again."""
    begin(story)
    story.stand_still()
    command = story.start(*NEW, "--auto-approve")
    story.until(lambda: restores(story) == 1)
    command.kill()
    assert command.process.returncode == -signal.SIGKILL
    story.go_on()
    assert "(resumed)" in story.run(*NEW, "--auto-approve", code=0).out
    assert "Nothing to do" in story.run(*NEW, "--auto-approve", code=0).out
    assert restores(story) == 1


def test_without_the_journal_a_restore_that_runs_is_waited_for(story: Story) -> None:
    begin(story)
    story.stand_still()
    command = story.start(*DISKS, "--auto-approve")
    story.until(lambda: restores(story) == 1)
    command.kill()
    story.go_on()
    story.environment["RECONCILER_JOURNAL"] = str(story.folder / "elsewhere")
    story.run(*DISKS, "--auto-approve", code=0)
    assert restores(story) == 1


@pytest.mark.parametrize(("chosen", "disks"), [((), 3), (("--disk", "0"), 2)], ids=["all", "some"])
def test_an_answer_that_never_came_restores_nothing_twice(story: Story, chosen: tuple[str, ...], disks: int) -> None:
    begin(story)
    story.azure.add_fault({"method": "POST", "path": "*/restore", "reset": "after", "count": 1})
    story.run(*DISKS, *chosen, "--auto-approve", code=0)
    assert story.sent("POST", "restore") == 1
    assert len(names_of(story)) == disks


def test_a_restore_that_fails_says_why_and_what_azure_recommends(story: Story) -> None:
    begin(story)
    story.azure.add_fault({"method": "RESTORE", "path": "*;web-01", "operation": "fails", "count": 1})
    said = story.run(*DISKS, "--auto-approve").told
    assert "RestoreOperationFailed: Restore failed with an internal error." in said
    assert "Please retry the operation in a few minutes." in said
    story.run(*DISKS, "--auto-approve", code=0)
    assert restores(story) == 2, "what failed is not taken for done"


def test_files_are_opened_and_closed_and_the_password_is_kept_nowhere(story: Story) -> None:
    begin(story)
    files = ("restore", "files", "web-01")
    assert "on a terminal only" in story.run(*files, "--recovery-point", "latest", "--auto-approve", code=1).err
    declined = at_terminal(story, *files, "--recovery-point", "latest", typed="no\n")
    assert ("Nothing was changed" in declined.out, declined.code) == (True, 1)
    opened = at_terminal(story, *files, "--recovery-point", "latest", typed="yes\n")
    assert opened.code == 0, opened.out
    password = re.findall(r"Password: +([0-9a-f]{15}) ", opened.out)[0]
    script = next(story.folder.glob("web-01_*.py"))
    assert 'TargetPassword="UserInput012345"' in script.read_text(encoding="utf-8")
    assert script.stat().st_mode & 0o077 == 0
    kept = [
        path for path in story.folder.rglob("*") if path.is_file() and password in path.read_text("utf-8", "replace")
    ]
    assert kept == []
    assert "files open" in story.run("recovery-points", "list", "web-01", code=0).out
    other = at_terminal(story, *files, "--recovery-point", "2026-02-20", "--auto-approve")
    assert "are open" in other.out
    precious = story.folder / "precious"
    precious.write_text("mine")
    script.unlink()
    script.symlink_to(precious)
    assert password in at_terminal(story, *files, "--recovery-point", "latest", "--auto-approve").out, "the same again"
    assert (precious.read_text(), script.is_symlink(), script.stat().st_mode & 0o077) == ("mine", False, 0)
    assert "Closed" in story.run(*files, "--revoke", "--auto-approve", code=0).err
    assert "Nothing to do" in story.run(*files, "--revoke", "--auto-approve", code=0).err


def test_files_of_windows_come_with_an_executable_under_a_name_of_its_own(story: Story) -> None:
    begin(story)
    opened = at_terminal(story, "restore", "files", "off-01", "--recovery-point", "latest", "--auto-approve").out
    password = re.findall(r"Password: +([0-9a-f]{15}) ", opened)[0]
    name = re.findall(r"Keep as: +(\S+\.exe) ", opened)[0]
    assert password not in name
    assert "Download:  https://download.microsoft.com/" in opened


def test_the_role_to_restore_does_all_of_it_and_protects_nothing(story: Story) -> None:
    story.begin(given("restore", RESTORE_ESTATE), SCOPE)
    story.run(*NEW, "--auto-approve", code=0)
    abroad = ("--region", "secondary", "--staging-account", "stnorth", "--resource-group", "rg-target")
    story.run("restore", "disks", "web-01", "--recovery-point", "latest", *abroad, "--auto-approve", code=0)
    story.run(*REPLACE, "--auto-approve", "--confirm", "off-01", code=0)
    at_terminal(story, "restore", "files", "web-01", "--recovery-point", "latest", "--auto-approve")
    story.run("restore", "files", "web-01", "--revoke", "--auto-approve", code=0)
    assert 403 not in {entry["status"] for entry in story.azure.requests()}
    assert story.writes() == {}, "whatever was made, Azure Backup has made"
