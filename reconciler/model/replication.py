"""ReplicationPolicy, ReplicationRoute and the `replication` aspect: shape only. Several kinds read them, and a kind
never imports another; their rules are in `kinds`. Azure-to-Azure only."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from reconciler.model.scope import Duration

POLICY, ROUTE, ASPECT = "ReplicationPolicy", "ReplicationRoute", "replication"
TargetDisk = Literal[
    "Standard_LRS",
    "Premium_LRS",
    "StandardSSD_LRS",
    "PremiumV2_LRS",
    "UltraSSD_LRS",
    "StandardSSD_ZRS",
    "Premium_ZRS",
]
ArmIdText = Annotated[str, Meta(pattern=r"^/[sS]ubscriptions/[^/]+/", description="An ARM id: /subscriptions/…")]
Name = Annotated[str, Meta(min_length=1)]
Zone = Annotated[str, Meta(pattern=r"^[1-9]$")]
Luns = Annotated[tuple[Annotated[int, Meta(ge=0, le=63)], ...], Meta(min_length=1)]


class ReplicationPolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """How far back, and how often consistent, replicated VMs can be recovered. Crash-consistent points are taken every
    5 minutes; Azure has no setting for that (ASR-03)."""

    recovery_point_retention: Annotated[
        Duration, Meta(description="How long recovery points are kept, up to 15d (ASR-01).")
    ] = "24h"
    app_consistent_every: Annotated[
        Duration | None,
        Meta(
            description="Application-consistent points, 1h to 12h, no more than the retention. Left out: none (ASR-02)."
        ),
    ] = None
    multi_vm_sync: Annotated[
        bool, Meta(description="Let VMs of one multi-VM group share recovery points (ASR-40).")
    ] = True


class RouteNetwork(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """A virtual network of the source, and the one that failed-over VMs get instead."""

    from_: Annotated[ArmIdText, Meta(description="ARM id of a virtual network in the source region.")]
    to: Annotated[ArmIdText, Meta(description="ARM id of a virtual network in the target region (ASR-14).")]
    subnets: Annotated[
        dict[str, str] | None,
        Meta(description="Subnet there for each subnet here; default: the one of the same name."),
    ] = None


class Availability(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """Where in the target region failed-over VMs run: exactly one, or neither for a single VM. Azure fixes it when
    replication is enabled (ASR-15)."""

    zone: Annotated[Zone | None, Meta(description="Availability zone.")] = None
    availability_set: Annotated[ArmIdText | None, Meta(description="ARM id of an availability set.")] = None


class ReplicationRoute(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    rename={
        "from_": "from",
        "target_resource_group": "targetResourceGroup",
        "target_subscription": "targetSubscription",
        "test_network": "testNetwork",
        "cache_storage_account": "cacheStorageAccount",
        "failback_cache_storage_account": "failbackCacheStorageAccount",
        "disk_types": "diskTypes",
        "disk_encryption_set": "diskEncryptionSet",
        "agent_update_account": "agentUpdateAccount",
        "on_release": "onRelease",
    },
):
    """From one region to another: through which vault, into which resource group, networks and disks."""

    from_: Annotated[str, Meta(min_length=1, description="Region of the VMs, as westeurope.")]
    to: Annotated[str, Meta(min_length=1, description="Region that they are replicated to, as northeurope.")]
    vault: Annotated[str, Meta(min_length=1, description="Name of a Vault, in any region but the source (ASR-11).")]
    policy: Annotated[str, Meta(min_length=1, description="Name of a ReplicationPolicy.")]
    target_resource_group: Annotated[
        str,
        Meta(
            min_length=1,
            description="Resource group of the failed-over VMs; {resourceGroup} stands for the VM's own. It must be "
            "there: it is never created.",
        ),
    ]
    target_subscription: Annotated[
        str | None, Meta(description="Alias of the subscription to fail over to; default: the VM's own.")
    ] = None
    cache_storage_account: Annotated[
        ArmIdText, Meta(description="ARM id of a storage account in the source region, for data on its way (ASR-20).")
    ]
    failback_cache_storage_account: Annotated[
        ArmIdText | None,
        Meta(description="ARM id of a storage account in the target region, for data on its way back (ASR-20)."),
    ] = None
    networks: Annotated[tuple[RouteNetwork, ...], Meta(description="Networks here and there.")] = ()
    test_network: Annotated[
        ArmIdText | None,
        Meta(description="ARM id of an isolated virtual network in the target region, for drills (ASR-52)."),
    ] = None
    availability: Annotated[Availability, Meta(description="Zone or availability set in the target.")] = Availability()
    disk_types: Annotated[
        dict[str, TargetDisk] | None,
        Meta(description="Type of the target disk for each type of source disk; default: the same."),
    ] = None
    disk_encryption_set: Annotated[
        ArmIdText | None,
        Meta(description="ARM id of a disk encryption set in the target, for disks with customer keys (ASR-34)."),
    ] = None
    churn: Annotated[
        Literal["Normal", "High"], Meta(description="High: up to 100 MB/s a VM; chosen when enabled only (ASR-33).")
    ] = "Normal"
    agent_update_account: Annotated[
        ArmIdText | None,
        Meta(
            description="ARM id of the Automation account that keeps the agents up to date. Left out: not updated "
            "(ASR-41)."
        ),
    ] = None
    on_release: Annotated[
        Literal["keep", "disable"],
        Meta(
            description="What happens to the replication of VMs that no policy asks for any longer. keep: goes on. "
            "disable: ends, its recovery points are gone; a guard must be lifted in each run."
        ),
    ] = "keep"


class Nic(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """A network interface of a VM after failover, where it is not what the route says."""

    name: Annotated[str, Meta(min_length=1, description="Name of the source VM's network interface.")]
    subnet: Annotated[str | None, Meta(description="Subnet in the target network.")] = None
    address: Annotated[str | None, Meta(description="Static private address after failover.")] = None
    test_subnet: Annotated[str | None, Meta(description="Subnet in the test network.")] = None
    test_address: Annotated[str | None, Meta(description="Static private address in drills.")] = None


class ReplicationOverride(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """What one VM of the Protection gets otherwise."""

    vm: Annotated[str, Meta(min_length=1, description="The VM: name, group/name, alias/group/name or ARM id.")]
    target_size: Annotated[Name | None, Meta(description="VM size after failover.")] = None
    exclude_disks: Annotated[Luns | None, Meta(description="LUNs of data disks that are not replicated.")] = None
    nics: Annotated[tuple[Nic, ...], Meta(description="Its network interfaces.")] = ()
    multi_vm_group: Annotated[Name | None, Meta(description="Name of the group that it fails over with.")] = None


class Replication(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, rename="camel"
):
    """Azure Site Recovery for the VMs of a Protection: a region, or a route by its name."""

    target_region: Annotated[
        Name | None,
        Meta(description="Region to replicate to: takes the one route from the VM's region to it."),
    ] = None
    route: Annotated[Name | None, Meta(description="Name of a ReplicationRoute.")] = None
    target_size: Annotated[Name | None, Meta(description="VM size after failover; default: Azure's choice.")] = None
    exclude_disks: Annotated[Luns | None, Meta(description="LUNs of data disks that are not replicated.")] = None
    multi_vm_group: Annotated[
        Name | None, Meta(description="Name of the group whose VMs fail over as one, 16 at most (ASR-40).")
    ] = None
    overrides: Annotated[tuple[ReplicationOverride, ...], Meta(description="Single VMs that differ.")] = ()
