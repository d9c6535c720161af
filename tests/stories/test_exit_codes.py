"""What the shell sees: one story for each exit code of each command."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.stories.conftest import Story
from tests.stories.small_estate import (
    DAILY,
    DEVELOPMENT,
    POLICIES,
    PROD,
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

pytestmark = pytest.mark.story
IN_STEP = tuple(item(f"app-0{number}") for number in (1, 2, 3))
SHORTER = {**DAILY, "retention": {"daily": {"days": 14}}}
FORBIDDEN = {"status": 403, "code": "AuthorizationFailed", "message": "The client does not have authorization."}


@pytest.fixture
def in_step(story: Story) -> Story:
    """An estate that is what the policies say."""
    story.begin(small(*IN_STEP), *POLICIES)
    return story


@pytest.fixture
def differing(story: Story) -> Story:
    """app-03 is not protected yet."""
    story.begin(small(*IN_STEP[:2]), *POLICIES)
    return story


@pytest.fixture
def half_blind(differing: Story) -> Iterator[Story]:
    """Nobody may read the items of the development vault; in production one VM is to be protected."""
    differing.azure.add_fault({"method": "GET", "path": "*rsv-dev/backupProtectedItems", **FORBIDDEN})
    yield differing
    differing.azure.clear_faults()


def test_validate_0_valid(story: Story) -> None:
    story.write(*POLICIES)
    assert "0 errors" in story.run("validate", str(story.policies), code=0).out


def test_validate_1_every_mistake_with_its_place(story: Story) -> None:
    wrong = {**DAILY, "schedule": {"frequency": "Daily", "time": "22:15"}}
    story.write(SCOPE, RSV_WEU, wrong, {**PRODUCTION, "backup": {"policy": "dayly"}})
    said = story.run("validate", str(story.policies), code=1).out
    assert "policies.yaml:" in said
    assert "BP-02" in said
    assert "dayly" in said
    assert "daily" in said
    document = json.loads(story.run("validate", "--format", "json", str(story.policies), code=1).out)
    assert document["valid"] is False


def test_plan_0_and_drift_0_in_step(in_step: Story) -> None:
    assert "No changes." in in_step.run("plan", "--detailed-exitcode", code=0).out
    assert "No drift." in in_step.run("drift", code=0).out


def test_plan_0_or_2_and_drift_2_where_something_differs(differing: Story) -> None:
    assert "app-03 will be protected" in differing.run("plan", code=0).out
    differing.run("plan", "--detailed-exitcode", code=2)
    assert "app-03" in differing.run("drift", code=2).out


def test_1_the_policies_are_wrong(differing: Story) -> None:
    differing.write(SCOPE, RSV_WEU, {**PRODUCTION, "backup": {"policy": "nowhere"}})
    for command in (("plan",), ("drift",), ("apply", "--auto-approve")):
        assert "nowhere" in differing.run(*command, code=1).err
    assert differing.writes() == {}


def test_1_two_protections_want_the_same_vm(differing: Story) -> None:
    differing.write(*POLICIES, {**PRODUCTION, "name": "twin"})
    said = differing.run("plan", code=1).out
    assert "protections `production` and `twin` both give `backup` to 3 VMs" in said
    assert differing.run("drift", code=1)
    assert "must be mended before anything is applied" in differing.run("apply", "--auto-approve", code=1).err
    assert differing.writes() == {}


def test_1_nobody_can_be_asked(differing: Story) -> None:
    assert "--auto-approve" in differing.run("apply", code=1).err
    assert differing.writes() == {}


def test_3_a_guard_refuses_and_is_lifted_by_name_and_number(in_step: Story) -> None:
    in_step.write(SCOPE, RSV_WEU, RSV_DEV, SHORTER, PRODUCTION, DEVELOPMENT)
    assert "G104" in in_step.run("plan", code=3).out
    said = in_step.run("apply", "--auto-approve", code=3).err
    assert "G104" in said
    assert "--allow G104=2" in said
    assert in_step.writes() == {}
    assert "there are 2" in in_step.run("apply", "--auto-approve", "--allow", "G104=1", code=3).err
    assert in_step.run("drift", code=2), "guards are no matter of drift"
    in_step.run("apply", "--auto-approve", "--allow", "G104=2", code=0)
    assert in_step.writes() == {"PUT daily": 2}


def test_3_somebody_changed_azure_since_the_plan(differing: Story) -> None:
    differing.run("plan", "--out", "plan.json", code=0)
    differing.arm("PUT", item_path("app-03"), protection("app-03", policyId=f"{VAULT}/backupPolicies/short"))
    differing.azure.advance("5m")
    said = differing.run("apply", "plan.json", code=3).err
    assert "the saved plan no longer fits" in said
    assert "app-03: was to create, is now to update" in said
    assert differing.writes() == {"PUT app-03": 1}, "theirs, not ours"


def test_3_the_policies_changed_since_the_plan(differing: Story) -> None:
    differing.run("plan", "--out", "plan.json", code=0)
    differing.write(*POLICIES[:-1], {**DEVELOPMENT, "priority": 1})
    said = differing.run("apply", "plan.json", code=3).err
    assert "the policies are not the ones it was made from" in said
    assert differing.writes() == {}


def test_1_a_plan_that_somebody_edited(differing: Story) -> None:
    differing.run("plan", "--out", "plan.json", code=0)
    file = differing.folder / "plan.json"
    file.write_text(file.read_text().replace("/daily", "/short"))
    assert "was changed after it was written" in differing.run("apply", "plan.json", code=1).err
    assert differing.writes() == {}


def test_0_a_saved_plan_that_fits_is_carried_out_without_a_question(differing: Story) -> None:
    differing.run("plan", "--out", "plan.json", code=0)
    assert "1 done" in differing.run("apply", "plan.json", code=0).out
    assert differing.writes() == {"PUT app-03": 1}
    assert "No changes." in differing.run("plan", "--detailed-exitcode", code=0).out


def test_0_what_goes_on_in_azure_because_nobody_waits_for_it(story: Story) -> None:
    """The pipeline that keeps the cadence is green while a copy to another region runs, run after run."""
    far = {"every": "6h", "keep": {"count": 4}, "copyTo": "northeurope"}
    schedule = {"kind": "SnapshotSchedule", "name": "far", **far}
    asked = {"kind": "Protection", "name": "far", "select": {"names": ["app-01"]}, "snapshots": {"schedule": "far"}}
    story.begin(small(), {**SCOPE, "subscriptions": {"prod": PROD}}, schedule, asked)
    hourly = ("apply", "--auto-approve", "--no-wait")
    first = story.run(*hourly, code=0)
    assert "Apply accepted: " in first.out
    assert "2 steps go on in Azure" in first.err.splitlines()[-1]
    assert "Next:" not in first.err
    story.stand_still()
    again = story.run(*hourly, code=0)
    assert "2 steps go on in Azure" in again.err.splitlines()[-1]
    told = [json.loads(line) for line in story.run(*hourly, "--format", "json", code=0).out.splitlines()]
    assert [line["type"] for line in told].count("apply_left") == 2
    assert "2 steps of ours open" in story.run("status", code=0).out
    story.go_on()
    story.run("apply", "--auto-approve", code=0)
    assert "0 steps of ours open" in story.run("status", code=0).out
    assert story.repeated() == {}


def test_4_what_cannot_be_read_is_not_absent(half_blind: Story) -> None:
    """Production is planned and carried out; of the unread vault nothing is planned, released or called gone."""
    planned = half_blind.run("plan", "--format", "json", code=4).out
    document = json.loads(planned)
    assert document["complete"] is False
    assert [change["address"] for change in document["resource_changes"]] == ["protected_vm.prod/rg-app/app-03"]
    assert "protected_vm.dev/rg-dev/dev-01" in document["unknown"]
    told = half_blind.run("drift", code=4).out
    assert "rsv-dev" in told
    assert "could not be read" in told
    said = half_blind.run("apply", "--auto-approve", code=4)
    assert "1 done" in said.out
    assert half_blind.writes() == {"PUT app-03": 1}


def test_4_a_subscription_that_may_not_be_read(story: Story) -> None:
    """Role assignments of Azure itself, not a fault: the identity sees one subscription of two."""
    estate = {**small(*IN_STEP[:2]), "roleAssignments": [{"scope": f"/subscriptions/{PROD}", "actions": ["*"]}]}
    release = {**RSV_DEV, "onRelease": "stopRetain"}
    story.begin(estate, SCOPE, RSV_WEU, release, DAILY, PRODUCTION)
    said = story.run("apply", "--auto-approve", code=4)
    assert "Microsoft.RecoveryServices/vaults/read" in said.told
    assert story.writes() == {"PUT app-03": 1}
    assert story.run("plan", code=4)


def test_help_and_usage(story: Story) -> None:
    assert "Exit codes: 0 fine" in story.run("--help", code=0).out
    assert story.run("plan", "--nonsense", code=1).err
    assert "there is no guard" in story.run("plan", "--allow", "G999", code=1).err
    assert "cannot read" in story.run("show", "plan.json", code=1).err
