"""What is sent with a change, beside the change."""

from __future__ import annotations

from azure.mgmt.recoveryservicessiterecovery import models

from reconciler.kinds.replicated_vm.requests import set_by_hand


def test_what_people_set_and_policies_do_not_speak_of_is_sent_again() -> None:
    """In the SDK's own words: Azure's differ between what is read and what is sent."""
    shown = {
        "recoveryAzureVMSize": "Standard_D4s_v5",
        "recoveryProximityPlacementGroupId": "/subscriptions/1/ppg",
        "recoveryCapacityReservationGroupId": "",
        "recoveryVirtualMachineScaleSetId": None,
        "tfoAzureVMName": "web-01-dr-test",
    }
    sent = models.A2AUpdateReplicationProtectedItemInput(**set_by_hand(shown)).as_dict()
    assert {name: value for name, value in sent.items() if name != "instanceType"} == {
        "recoveryProximityPlacementGroupId": "/subscriptions/1/ppg",
        "tfoAzureVMName": "web-01-dr-test",
    }
