"""The network interfaces of a PATCH: all of them, with all that was read, or Azure clears what is not sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from reconciler.kinds.replicated_vm.spec import TargetInterface
from reconciler.kinds.replicated_vm.wire import facts_from, spec_from
from reconciler.kinds.replicated_vm.wish import Destination
from reconciler.kinds.replication.ids import vault_of
from reconciler.kinds.replication.item import ItemBody
from reconciler.model.arm_id import ArmId

if TYPE_CHECKING:
    from azure.mgmt.recoveryservicessiterecovery import models

_NIC = {
    "nicId": "nicId",
    "recoveryNetworkSecurityGroupId": "recoveryNetworkSecurityGroupId",
    "enableAcceleratedNetworkingOnRecovery": "enableAcceleratedNetworkingOnRecovery",
    "tfoNetworkSecurityGroupId": "tfoNetworkSecurityGroupId",
    "enableAcceleratedNetworkingOnTfo": "enableAcceleratedNetworkingOnTfo",
    "recoveryNicName": "recoveryNicName",
    "recoveryNicResourceGroupName": "recoveryNicResourceGroupName",
    "reuseExistingNic": "reuseExistingNic",
    "tfoRecoveryNicName": "tfoNicName",
    "tfoRecoveryNicResourceGroupName": "tfoNicResourceGroupName",
    "tfoReuseExistingNic": "tfoReuseExistingNic",
    "targetNicName": "targetNicName",
}
_ADDRESS = {
    "name": "ipConfigName",
    "isPrimary": "isPrimary",
    "isSeletedForFailover": "isSeletedForFailover",
    "recoverySubnetName": "recoverySubnetName",
    "recoveryStaticIPAddress": "recoveryStaticIPAddress",
    "recoveryPublicIPAddressId": "recoveryPublicIPAddressId",
    "recoveryLBBackendAddressPoolIds": "recoveryLBBackendAddressPoolIds",
    "tfoSubnetName": "tfoSubnetName",
    "tfoStaticIPAddress": "tfoStaticIPAddress",
    "tfoPublicIPAddressId": "tfoPublicIPAddressId",
    "tfoLBBackendAddressPoolIds": "tfoLBBackendAddressPoolIds",
}
"""As read → as sent (site-recovery.md §2)."""


def interface_inputs(
    raw: Mapping[str, Any], destination: Destination, body: ItemBody
) -> list[models.VMNicInputDetails]:
    """Every interface of the item as it is to be. `raw` is the body as it was read."""
    from azure.mgmt.recoveryservicessiterecovery import models

    held, facts = spec_from(body, "-", "-"), facts_from(body, vault_of(ArmId(body.id)))
    wanted = {one.name: one for one in destination.interfaces(facts.interfaces, held.nics)}
    shown = raw["properties"]["providerSpecificDetails"].get("vmNics") or []
    return [models.VMNicInputDetails(_input(nic, wanted)) for nic in shown]


def _input(nic: Mapping[str, Any], wanted: Mapping[str, TargetInterface]) -> dict[str, Any]:
    target = wanted.get(ArmId(nic.get("sourceNicArmId") or "").name)
    shown = nic.get("ipConfigs") or []
    first = next((number for number, one in enumerate(shown) if one.get("isPrimary")), 0)
    sent = dict(_renamed(nic, _NIC))
    sent["selectionType"] = "SelectedByUser"
    sent["ipConfigs"] = [
        {**dict(_renamed(one, _ADDRESS)), **(_said(target) if target and number == first else {})}
        for number, one in enumerate(shown)
    ]
    return sent


def _said(target: TargetInterface) -> dict[str, str]:
    fields = {
        "recoverySubnetName": target.subnet,
        "recoveryStaticIPAddress": target.address,
        "tfoSubnetName": target.test_subnet,
        "tfoStaticIPAddress": target.test_address,
    }
    return {name: value for name, value in fields.items() if value}


def _renamed(shown: Mapping[str, Any], names: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    for read, sent in names.items():
        if shown.get(read) is not None:
            yield sent, shown[read]
