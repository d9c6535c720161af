"""What a difference leads to: changed in place, blocked with its cost, waited for, or left to the people at work."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from reconciler.diff.judgement import judge
from reconciler.kinds.base import Ownership
from reconciler.kinds.replicated_vm.outcome import judge_outcome
from reconciler.model.arm_id import ArmId
from reconciler.model.live import Unreadable
from reconciler.model.replicated import ReplicationFacts
from reconciler.model.scope import Objectives
from reconciler.plan.change import Action, Effect, Reason
from reconciler.plan.finding import Severity
from tests.kinds.conftest import NOW, PROD
from tests.kinds.replicated_vm.conftest import KIND, ROUTE, SUBSCRIPTION, Estate, item, machine

Replicated = Callable[..., Estate]
FAILED_OVER = {"protectionState": "UnplannedFailoverCommitted", "activeLocation": "Recovery"}
HOME = str(machine().arm_id)
AWAY = f"{SUBSCRIPTION}/resourceGroups/rg-dr/providers/Microsoft.Compute/virtualMachines/web-01"
REVERSED = {
    "primaryFabricLocation": "northeurope",
    "recoveryFabricLocation": "westeurope",
    "fabricObjectId": AWAY.lower(),
    "recoveryAzureResourceGroupId": f"{SUBSCRIPTION}/resourceGroups/rg-app",
}
RECKONED_YESTERDAY = {"lastRpoCalculatedTime": "2026-03-01T08:00:00Z"}


def test_what_is_replicated_as_declared_is_no_difference(replicated: Replicated) -> None:
    comparison = replicated().compare()
    assert comparison.fields == ()


@pytest.mark.parametrize(
    ("route", "details", "named"),
    [
        ({"policy": "other"}, {}, "vault, regions and policy"),
        ({"targetResourceGroup": "rg-other"}, {}, "target resource group"),
        ({"targetResourceGroup": "{resourceGroup}"}, {}, "target resource group"),
        ({"cacheStorageAccount": ROUTE["cacheStorageAccount"] + "2"}, {}, "cache storage account"),
        ({"availability": {"zone": "1"}}, {}, "availability zone"),
        ({"diskEncryptionSet": f"{SUBSCRIPTION}/resourceGroups/rg/providers/P/des/d"}, {}, "disk encryption set"),
        ({}, {"multiVmGroupName": "shop"}, "multi-VM group"),
        ({}, {"recoveryAvailabilitySet": f"{SUBSCRIPTION}/resourceGroups/rg/x/y/as"}, "availability set"),
    ],
)
def test_what_azure_settles_at_enabling_is_blocked_with_its_cost(
    route: dict[str, Any], details: dict[str, Any], named: str, replicated: Replicated
) -> None:
    estate = replicated(details=details)
    estate.routes = {"weu-neu": {**ROUTE, **route}}
    comparison = estate.compare()
    verdict = judge(KIND, comparison)
    assert (verdict.action, verdict.reason) == (Action.BLOCKED, Reason.CANNOT_CHANGE)
    assert f"the {named} of a replicated VM" in verdict.why
    assert "128 GiB are replicated anew" in verdict.manual


def test_another_os_disk_takes_a_new_replication(replicated: Replicated) -> None:
    estate = replicated()
    vm = estate.machines[0]
    other = dataclasses.replace(vm.disks[0], disk=vm.disks[0].disk + "-new")
    estate.machines = [dataclasses.replace(vm, disks=(other, *vm.disks[1:]))]
    verdict = judge(KIND, estate.compare())
    assert (verdict.action, "OS disk (ASR-37)" in verdict.why) == (Action.BLOCKED, True)


@pytest.mark.parametrize(
    ("state", "scenario", "action", "reason"),
    [
        ("InitialReplicationInProgress", "None", Action.NO_OP, Reason.SEEDING),
        ("UnprotectedStatesBegin", "EnableDr", Action.NO_OP, Reason.SEEDING),
        ("UnprotectedStatesBegin", "None", Action.UPDATE, Reason.STOPPED),
        ("SomethingNew", "None", Action.BLOCKED, Reason.CANNOT_CHANGE),
    ],
)
def test_what_is_not_protected_yet(
    state: str, scenario: str, action: Action, reason: Reason, replicated: Replicated
) -> None:
    details = {"vmProtectionState": "UnprotectedStatesBegin", "vmNics": []}
    estate = replicated(protectionState=state, currentScenario={"scenarioName": scenario}, details=details)
    comparison = estate.compare()
    verdict = judge(KIND, comparison)
    assert (verdict.action, verdict.reason) == (action, reason)
    verbs = [step.verb for step in KIND.steps(comparison, verdict)]
    assert verbs == (["enable", "initial-replication", "networks"] if action is Action.UPDATE else [])


def test_the_end_of_enabling_is_not_protection(replicated: Replicated) -> None:
    estate = replicated(details={"vmProtectionState": "UnprotectedStatesBegin"})
    assert judge(KIND, estate.compare()).reason is Reason.SEEDING


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        (FAILED_OVER, "failed-over"),
        ({"protectionState": "UnplannedFailoverCommitPendingStatesBegin"}, "failed-over"),
        ({"testFailoverState": "WaitingForCompletion"}, "in-drill"),
        ({"details": REVERSED}, "reversed"),
    ],
)
@pytest.mark.parametrize("aspect", [{}, {"targetSize": "Standard_D64s_v5", "multiVmGroup": "shop"}])
def test_where_people_are_at_work_nothing_differs(
    changes: dict[str, Any], code: str, aspect: dict[str, Any], replicated: Replicated
) -> None:
    estate = replicated(aspect, **changes)
    comparison = estate.compare()
    assert comparison.fields == ()
    assert comparison.desired is not None
    found = [one for one in estate.expand()[1] if one.code == code]
    assert [(one.address, one.topic) for one in found] == [("replicated_vm.prod/rg-app/web-01", "objectives")]
    estate.unasked, estate.machines = estate.machines, []
    live = estate.compare().live
    assert live is not None
    assert KIND.ownership(live, estate.compare().situation) is Ownership.IGNORED


def test_even_a_difference_is_left_alone_in_a_drill(replicated: Replicated) -> None:
    estate = replicated(testFailoverState="WaitingForCompletion")
    comparison = dataclasses.replace(estate.compare(), desired=replicated({"targetSize": "X"}).compare().desired)
    verdict = judge(KIND, comparison)
    assert (verdict.action, verdict.why) == (Action.NO_OP, "")


def test_the_vm_that_a_failover_made_stands_for_the_one_at_home(replicated: Replicated) -> None:
    """Azure copies the tags: a selector takes it for a new VM, which no route begins at."""
    estate = replicated(**FAILED_OVER, details={"recoveryFabricObjectId": AWAY.lower()})
    stand_in = dataclasses.replace(machine(), arm_id=ArmId(AWAY), resource_group="rg-dr", location="northeurope")
    estate.machines.append(stand_in)
    resources, findings = estate.expand()
    assert [str(address) for address in resources] == ["replicated_vm.prod/rg-app/web-01"]
    assert {one.code for one in findings} == {"failed-over", "ASR-71"}
    estate.machines = [stand_in]
    assert [str(address) for address in estate.expand()[0]] == ["replicated_vm.prod/rg-app/web-01"]


def test_after_a_reprotect_it_has_the_address_of_the_vm_at_home(replicated: Replicated) -> None:
    estate = replicated(details=REVERSED)
    (only,) = estate.live().state.values()
    assert str(only.address) == "replicated_vm.prod/rg-app/web-01"
    facts = only.observed
    assert isinstance(facts, ReplicationFacts)
    assert (facts.machine_id, facts.home_id) == (ArmId(AWAY), ArmId(HOME))
    assert KIND.normalise(only.spec).mapping.address.name == "westeurope-to-northeurope-day"  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ("Protected", "and is replicated back to westeurope"),
        ("UnprotectedStatesBegin", "until then nothing protects it"),
    ],
)
def test_on_its_way_back_it_is_not_said_to_be_protected(state: str, told: str, replicated: Replicated) -> None:
    found = [
        one.message for one in replicated(protectionState=state, details=REVERSED).expand()[1] if one.code == "reversed"
    ]
    assert told in found[0]


def test_from_zone_to_zone_the_way_back_is_told_by_zones(replicated: Replicated) -> None:
    one_region = {"primaryFabricLocation": "westeurope", "recoveryFabricLocation": "westeurope"}
    for zone, back in (("1", False), ("2", True)):
        details = {**one_region, "initialPrimaryZone": "1", "primaryAvailabilityZone": zone}
        (only,) = replicated(details=details).live().state.values()
        assert isinstance(only.observed, ReplicationFacts)
        assert only.observed.reversed is back


@pytest.mark.parametrize(
    ("on_release", "action", "effect"), [("keep", Action.NO_OP, None), ("disable", Action.DELETE, Effect.DELETES)]
)
def test_what_no_policy_asks_for_goes_on_unless_its_route_ends_it(
    on_release: str, action: Action, effect: Effect | None, replicated: Replicated
) -> None:
    estate = replicated()
    estate.routes = {"weu-neu": {**ROUTE, "onRelease": on_release}}
    estate.unasked, estate.machines = estate.machines, []
    comparison = estate.compare()
    assert comparison.live is not None
    assert KIND.ownership(comparison.live, comparison.situation) is Ownership.RELEASED
    verdict = judge(KIND, comparison)
    assert verdict.action is action
    assert [step.verb for step in KIND.steps(comparison, verdict)] == (["disable"] if effect else [])
    told = KIND.consequences(comparison, verdict)
    assert [one.effect for one in told] == ([effect, Effect.NONE] if effect else [])
    if effect:
        assert "128 GiB" in told[0].text
        assert "web-01-os-ASRReplica" in told[1].text


def test_the_replication_of_a_vm_that_is_gone_is_never_ended(replicated: Replicated) -> None:
    estate = replicated()
    estate.routes = {"weu-neu": {**ROUTE, "onRelease": "disable"}}
    estate.machines = []
    (only,) = estate.live().state.values()
    assert KIND.ownership(only, estate.compare().situation) is Ownership.IGNORED


def test_nothing_is_enabled_where_the_vault_or_the_disks_could_not_be_read(estate: Estate) -> None:
    estate.add(machine())
    assert judge(KIND, estate.compare()).action is Action.CREATE
    estate.unreadable = (Unreadable(("replicated_vm",), "prod/rg-dr/rsv-dr", "the list could not be read"),)
    assert judge(KIND, estate.compare()).reason is Reason.UNREADABLE
    estate.unreadable, estate.disks = (), []
    verdict = judge(KIND, estate.compare())
    assert (verdict.action, verdict.reason) == (Action.BLOCKED, Reason.UNREADABLE)
    assert "web-01-os" in verdict.why


def test_disks_come_and_go_and_size_and_networks_change_in_one_write(replicated: Replicated) -> None:
    nic = {"name": "WEB-01-nic", "subnet": "web", "address": "10.20.0.9"}
    estate = replicated({"overrides": [{"vm": "web-01", "targetSize": "Standard_D8s_v5", "nics": [nic]}]})
    vm = estate.machines[0]
    new = dataclasses.replace(vm.disks[1], lun=5, disk=vm.disks[1].disk + "-new")
    estate.machines = [dataclasses.replace(vm, disks=(vm.disks[0], new), data_disks=(5,))]
    estate.disks = [*estate.disks, dataclasses.replace(estate.disks[1], arm_id=ArmId(new.disk), size_gib=512)]
    comparison = estate.compare()
    verdict = judge(KIND, comparison)
    assert verdict.action is Action.UPDATE
    steps = KIND.steps(comparison, verdict)
    assert [step.verb for step in steps] == ["remove-disks", "add-disks", "update"]
    assert [step.lane for step in steps] == [ArmId(steps[0].arguments["id"]).parent(3).key] * 3
    assert [(one.effect, one.figures.get("gib_at_most")) for one in KIND.consequences(comparison, verdict)] == [
        (Effect.WEAKENS, None),
        (Effect.SEEDS, 512),
    ]


def test_what_is_not_said_stays_as_it_is(replicated: Replicated) -> None:
    """Size, drill network, static addresses: set by hand, and no policy says otherwise."""
    estate = replicated(
        details={"recoveryAzureVMSize": "Standard_E4s_v5", "selectedTfoAzureNetworkId": "/subscriptions/x"}
    )
    estate.items[0]["properties"]["providerSpecificDetails"]["vmNics"][0]["ipConfigs"][0].update(
        recoveryStaticIPAddress="10.20.0.7", tfoSubnetName="lab"
    )
    assert estate.compare().fields == ()


@pytest.mark.parametrize("size", ["Standard_D4s_v5", "STANDARD_d4s_V5"])
def test_a_size_is_one_in_any_casing(size: str, replicated: Replicated) -> None:
    assert replicated({"targetSize": size}).compare().fields == ()
    assert replicated({"targetSize": size + "x"}).compare().changed("target_size")


@pytest.mark.parametrize(
    ("changes", "promised", "codes"),
    [
        ({}, {}, []),
        ({}, {"replication_rpo": "15m"}, []),
        ({}, {"replication_rpo": "5m"}, ["replication-rpo-missed"]),
        ({"details": RECKONED_YESTERDAY}, {"replication_rpo": "1h"}, ["replication-rpo-missed"]),
        ({"details": {"rpoInSeconds": None}}, {"replication_rpo": "1h"}, ["never-replicated"]),
        ({"details": {"rpoInSeconds": None}}, {}, []),
        ({}, {"drill_every": "180d"}, ["drill-overdue"]),
        ({"lastSuccessfulTestFailoverTime": "2026-01-02T08:00:00Z"}, {"drill_every": "180d"}, []),
        ({"lastSuccessfulTestFailoverTime": "2025-01-02T08:00:00Z"}, {"drill_every": "180d"}, ["drill-overdue"]),
        ({"replicationHealth": "Critical"}, {}, ["replication-ill"]),
        ({"replicationHealth": "Critical", **FAILED_OVER}, {"drill_every": "1d", "replication_rpo": "1m"}, []),
    ],
)  # fmt: skip
def test_objectives(
    changes: dict[str, Any], promised: dict[str, str], codes: list[str], replicated: Replicated
) -> None:
    (live,) = replicated(**changes).live().state.values()
    found = list(judge_outcome(live, Objectives(**promised), NOW))
    assert [one.code for one in found] == codes
    assert all(one.severity is Severity.WARNING and one.advice and one.address for one in found)


def test_the_age_of_a_point_grows_after_azure_reckoned_it(replicated: Replicated) -> None:
    (live,) = replicated().live().state.values()
    objectives = Objectives(replication_rpo="30m")
    assert list(judge_outcome(live, objectives, NOW)) == []
    (found,) = judge_outcome(live, objectives, NOW + timedelta(hours=1))
    assert "1 h 5 min old" in found.message


def test_vms_of_one_name_have_items_of_their_own(estate: Estate) -> None:
    estate.add(machine())
    estate.add(machine(resource_group="rg-two"))
    ids = []
    for group in ("rg-app", "rg-two"):
        comparison = estate.compare(group=group)
        ids.append(KIND.steps(comparison, judge(KIND, comparison))[0].arguments["id"])
    names = {ArmId(one).name for one in ids}
    assert len(names) == 2
    assert all(name.startswith("web-01-") for name in names)


def test_items_of_other_providers_are_not_ours(replicated: Replicated) -> None:
    assert replicated(details={"instanceType": "InMageRcm"}).live().state == {}


def test_a_vm_of_another_subscription_has_its_own_address(estate: Estate) -> None:
    other = machine()
    foreign = str(other.arm_id).replace(PROD, "99999999-9999-4999-8999-999999999999").lower()
    estate.items.append(item(other, details={"fabricObjectId": foreign}))
    (address,) = estate.live().state
    assert address.subscription == "99999999-9999-4999-8999-999999999999"


@pytest.mark.parametrize(
    ("details", "reason"),
    [
        ({"selectedTfoAzureNetworkId": None}, Reason.UNFINISHED),
        ({"selectedTfoAzureNetworkId": f"{SUBSCRIPTION}/resourceGroups/rg/n/another"}, Reason.DIFFERS),
    ],
)
def test_what_is_not_set_yet_is_told_from_what_is_set_otherwise(
    details: dict[str, Any], reason: Reason, replicated: Replicated
) -> None:
    estate = replicated(details=details)
    estate.routes = {"weu-neu": {**ROUTE, "testNetwork": f"{SUBSCRIPTION}/resourceGroups/rg/n/isolated"}}
    verdict = judge(KIND, estate.compare())
    assert (verdict.action, verdict.reason) == (Action.UPDATE, reason)
