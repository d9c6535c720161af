"""Where the replication objects of a vault are, or will be: as they are called there, else as the portal calls them."""

from __future__ import annotations

from reconciler.kinds.located_vault import LocatedVault
from reconciler.kinds.replication.route import Leg, Place, container_address, fabric_address, policy_address
from reconciler.model.address import Address
from reconciler.model.arm_id import ArmId
from reconciler.model.live import Live

FABRICS = "replicationFabrics"
CONTAINERS = "replicationProtectionContainers"
MAPPINGS = "replicationProtectionContainerMappings"
NETWORKS = "replicationNetworks"
NETWORK_MAPPINGS = "replicationNetworkMappings"
POLICIES = "replicationPolicies"
_ANY_NETWORK = "azureNetwork"
"""Networks of Azure are no objects of a fabric: this segment is free, and az writes it so."""


def vault_of(arm_id: ArmId) -> ArmId:
    """The vault that a replication object lies in."""
    return ArmId(
        f"/subscriptions/{arm_id.subscription}/resourceGroups/{arm_id.resource_group}"
        f"/providers/Microsoft.RecoveryServices/vaults/{arm_id.segment('vaults')}"
    )


def policy_id(live: Live, vault: LocatedVault, name: str) -> ArmId:
    return _live_id(live, policy_address(vault.scope, name)) or vault.arm_id.child(POLICIES, name)


def fabric_id(live: Live, vault: LocatedVault, region: str) -> ArmId:
    name = f"asr-a2a-default-{region}"
    return _live_id(live, fabric_address(vault.scope, region)) or vault.arm_id.child(FABRICS, name)


def container_id(live: Live, vault: LocatedVault, place: Place) -> ArmId:
    found = _live_id(live, container_address(vault.scope, place))
    return found or fabric_id(live, vault, place.region).child(CONTAINERS, f"asr-a2a-default-{place}-container")


def mapping_id(live: Live, vault: LocatedVault, leg: Leg, policy: str) -> ArmId:
    """A new container mapping, in the container it leads out of."""
    return container_id(live, vault, leg.start).child(MAPPINGS, f"{leg.start}-{leg.end}-{policy}")


def network_mapping_id(live: Live, vault: LocatedVault, leg: Leg, network: ArmId) -> ArmId:
    """A new network mapping, in the fabric it leads out of."""
    name = f"{leg.start.region}-{leg.end.region}-{network.resource_group}-{network.name}"
    return fabric_id(live, vault, leg.start.region).child(NETWORKS, _ANY_NETWORK, NETWORK_MAPPINGS, name)


def _live_id(live: Live, address: Address) -> ArmId | None:
    found = live.state.get(address)
    return found.arm_id if found else None
