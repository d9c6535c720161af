"""Bodies of Site Recovery in all their casings and emptinesses, and what they come to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from reconciler.kinds.replicated_vm.spec import ReplicatedVmSpec
from reconciler.model.replicated import ReplicationFacts
from tests.kinds.replicated_vm.conftest import KIND, Estate

Replicated = Callable[..., Estate]


def only(estate: Estate) -> tuple[ReplicatedVmSpec, ReplicationFacts]:
    (resource,) = estate.live().state.values()
    assert isinstance(resource.spec, ReplicatedVmSpec)
    assert isinstance(resource.observed, ReplicationFacts)
    return KIND.normalise(resource.spec), resource.observed


@pytest.mark.parametrize("nothing", [None, ""])
def test_null_and_an_empty_text_are_one(nothing: Any, replicated: Replicated) -> None:
    fields = ("recoveryAvailabilitySet", "recoveryAvailabilityZone", "multiVmGroupName", "selectedTfoAzureNetworkId")
    usual, _ = only(replicated())
    spec, _ = only(replicated(details=dict.fromkeys(fields, nothing)))
    assert spec == usual


def test_before_it_is_protected_azure_knows_little(replicated: Replicated) -> None:
    unknown = ("vmNics", "rpoInSeconds", "lastRpoCalculatedTime", "lifecycleId", "selectedRecoveryAzureNetworkId")
    details = {**dict.fromkeys(unknown), "vmProtectionState": "UnprotectedStatesBegin"}
    spec, facts = only(replicated(protectionState="InitialReplicationInProgress", healthErrors=None, details=details))
    assert (spec.state, spec.nics, spec.network) == ("Seeding", (), "")
    assert (facts.interfaces, facts.rpo_seconds, facts.lifecycle_id) == ((), None, "")
    assert not facts.protected


def test_ids_in_other_casings_are_the_same(replicated: Replicated) -> None:
    usual, _ = only(replicated())
    estate = replicated()
    details = estate.items[0]["properties"]["providerSpecificDetails"]
    for name in ("recoveryAzureResourceGroupId", "selectedRecoveryAzureNetworkId", "fabricObjectId"):
        details[name] = details[name].upper()
    for disk in details["protectedManagedDisks"]:
        disk["diskId"] = disk["diskId"].upper()
        disk["primaryStagingAzureStorageAccountId"] = disk["primaryStagingAzureStorageAccountId"].upper()
    assert only(estate)[0] == usual
    assert estate.compare().fields == ()


def test_a_subnet_may_be_an_id_and_is_told_by_its_name(replicated: Replicated) -> None:
    estate = replicated()
    details = estate.items[0]["properties"]["providerSpecificDetails"]
    address = details["vmNics"][0]["ipConfigs"][0]
    address["recoverySubnetName"] = f"{details['selectedRecoveryAzureNetworkId']}/subnets/Default"
    assert [one.subnet for one in only(estate)[0].nics] == ["default"]


def test_that_there_was_no_drill_yet_is_no_illness(replicated: Replicated) -> None:
    errors = [
        {"errorCode": "161011", "errorMessage": "No successful test failover"},
        {"errorCode": "153007", "errorMessage": "No crash consistent recovery point"},
    ]
    assert only(replicated())[1].health_errors == ()
    assert only(replicated(healthErrors=errors))[1].health_errors == ("153007 No crash consistent recovery point",)


def test_sizes_of_disks_are_whole_gib(replicated: Replicated) -> None:
    estate = replicated()
    details = estate.items[0]["properties"]["providerSpecificDetails"]
    details["protectedManagedDisks"][0]["diskCapacityInBytes"] = 136367308800
    facts = only(estate)[1]
    assert [disk.size_gib for disk in facts.disks] == [128, 64]
    assert facts.gib == 192
