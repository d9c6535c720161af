"""Site Recovery's body of a replicated VM, for the kinds that look at it: the VMs, and the plans that they belong to.

Null, "" and [] are one thing in it, and ids come in three casings (site-recovery.md §2 and §4).
"""

from __future__ import annotations

import msgspec

from reconciler.model.arm_id import ArmId

ITEMS = "replicationProtectedItems"


class _Body(msgspec.Struct, frozen=True, rename="camel"):
    """Part of an answer: what we do not look at is left out."""


class AddressBody(_Body, frozen=True):
    """One of `ipConfigs`."""

    name: str = ""
    is_primary: bool | None = None
    subnet_name: str | None = None
    recovery_subnet_name: str | None = None
    recovery_static_ip_address: str | None = msgspec.field(name="recoveryStaticIPAddress", default=None)
    tfo_subnet_name: str | None = None
    tfo_static_ip_address: str | None = msgspec.field(name="tfoStaticIPAddress", default=None)


class InterfaceBody(_Body, frozen=True):
    """One of `vmNics`; there are none before the VM is protected."""

    source_nic_arm_id: str | None = None
    source_network: str | None = msgspec.field(name="vMNetworkName", default=None)
    ip_configs: tuple[AddressBody, ...] | None = None

    @property
    def primary(self) -> AddressBody:
        """The address that policies speak of."""
        addresses = self.ip_configs or (AddressBody(),)
        return next((one for one in addresses if one.is_primary), addresses[0])


class DiskBody(_Body, frozen=True):
    """One of `protectedManagedDisks`."""

    disk_id: str = ""
    recovery_replica_disk_id: str | None = None
    recovery_target_disk_account_type: str | None = None
    recovery_disk_encryption_set_id: str | None = None
    disk_capacity_in_bytes: int | None = None
    primary_staging_azure_storage_account_id: str | None = None
    disk_type: str | None = None


class DetailsBody(_Body, frozen=True):
    """`providerSpecificDetails` of an A2A item."""

    instance_type: str = ""
    fabric_object_id: str | None = None
    initial_primary_fabric_location: str | None = None
    initial_recovery_fabric_location: str | None = None
    initial_primary_zone: str | None = None
    initial_recovery_zone: str | None = None
    primary_availability_zone: str | None = None
    primary_fabric_location: str | None = None
    recovery_fabric_location: str | None = None
    multi_vm_group_name: str | None = None
    protected_managed_disks: tuple[DiskBody, ...] | None = None
    recovery_azure_vm_size: str | None = msgspec.field(name="recoveryAzureVMSize", default=None)
    recovery_azure_vm_name: str | None = msgspec.field(name="recoveryAzureVMName", default=None)
    recovery_azure_resource_group_id: str | None = None
    recovery_availability_set: str | None = None
    recovery_availability_zone: str | None = None
    selected_recovery_azure_network_id: str | None = None
    selected_tfo_azure_network_id: str | None = None
    tfo_azure_vm_name: str | None = msgspec.field(name="tfoAzureVMName", default=None)
    vm_nics: tuple[InterfaceBody, ...] | None = None
    monitoring_percentage_completion: int | None = None
    recovery_fabric_object_id: str | None = None
    test_failover_recovery_fabric_object_id: str | None = None
    vm_protection_state: str | None = None
    lifecycle_id: str | None = None
    rpo_in_seconds: int | None = None
    last_rpo_calculated_time: str | None = None


class HealthErrorBody(_Body, frozen=True):
    """One of `healthErrors`."""

    error_code: str | None = None
    error_level: str | None = None
    error_message: str | None = None


class ScenarioBody(_Body, frozen=True):
    """`currentScenario`: the job that works on the VM."""

    scenario_name: str | None = None


class ItemProperties(_Body, frozen=True):
    """What we look at of a replicated VM."""

    friendly_name: str | None = None
    policy_id: str | None = None
    recovery_fabric_id: str | None = None
    protection_state: str | None = None
    protection_state_description: str | None = None
    active_location: str | None = None
    test_failover_state: str | None = None
    allowed_operations: tuple[str, ...] | None = None
    replication_health: str | None = None
    health_errors: tuple[HealthErrorBody, ...] | None = None
    current_scenario: ScenarioBody | None = None
    last_successful_test_failover_time: str | None = None
    last_successful_failover_time: str | None = None
    provider_specific_details: DetailsBody | None = None


class ItemBody(_Body, frozen=True):
    """One replication protected item."""

    id: str
    name: str
    properties: ItemProperties = ItemProperties()

    @property
    def details(self) -> DetailsBody:
        return self.properties.provider_specific_details or DetailsBody()

    @property
    def machine(self) -> ArmId:
        """The VM that is replicated now; in lower case, as Azure tells it."""
        return ArmId(self.details.fabric_object_id or "")

    @property
    def replicates_azure(self) -> bool:
        """Whether it is a VM of Azure, replicated to Azure: nothing else is ours."""
        return self.details.instance_type.upper() == "A2A" and bool(self.details.fabric_object_id)
