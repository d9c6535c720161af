"""The kinds there are: one line each, dependants before what they depend on."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from reconciler.kinds.base import Kind

if TYPE_CHECKING:
    from reconciler.kinds.restoration import RestoredKind
    from reconciler.kinds.vault_restore.kind import VaultRestoreKind


@cache
def kinds() -> tuple[Kind[Any], ...]:
    """Every kind, dependants first: the order of expansion. Importing them here keeps start-up free of them."""
    from reconciler.kinds.backup_policy.kind import BackupPolicyKind
    from reconciler.kinds.container_mapping.kind import ContainerMappingKind
    from reconciler.kinds.fabric.kind import FabricKind
    from reconciler.kinds.network_mapping.kind import NetworkMappingKind
    from reconciler.kinds.protected_vm.kind import ProtectedVmKind
    from reconciler.kinds.protection_container.kind import ProtectionContainerKind
    from reconciler.kinds.recovery_plan.kind import RecoveryPlanKind
    from reconciler.kinds.replicated_vm.kind import ReplicatedVmKind
    from reconciler.kinds.replication_policy.kind import ReplicationPolicyKind
    from reconciler.kinds.restore_point.kind import RestorePointKind
    from reconciler.kinds.restore_point_collection.kind import RestorePointCollectionKind
    from reconciler.kinds.snapshot.kind import SnapshotKind
    from reconciler.kinds.vault.kind import VaultKind
    from reconciler.kinds.vault_settings.kind import VaultSettingsKind

    return (
        ProtectedVmKind(),
        SnapshotKind(),
        RestorePointKind(),
        RestorePointCollectionKind(),
        RecoveryPlanKind(),
        ReplicatedVmKind(),
        NetworkMappingKind(),
        ContainerMappingKind(),
        ProtectionContainerKind(),
        FabricKind(),
        ReplicationPolicyKind(),
        BackupPolicyKind(),
        VaultSettingsKind(),
        VaultKind(),
    )


@cache
def restored_kinds() -> tuple[RestoredKind[Any, Any], ...]:
    """The kinds that no policy declares: what `reconciler restore` makes, dependants first."""
    from reconciler.kinds.restored_disk import RestoredDiskKind
    from reconciler.kinds.restored_interface import RestoredInterfaceKind
    from reconciler.kinds.restored_machine import RestoredMachineKind

    return (RestoredMachineKind(), RestoredInterfaceKind(), RestoredDiskKind())


@cache
def asked_kinds() -> tuple[RestoredKind[Any, Any] | VaultRestoreKind, ...]:
    """All that `reconciler restore` may ask for: what it makes itself, and what a vault makes for it."""
    from reconciler.kinds.vault_restore.kind import VaultRestoreKind

    return (*restored_kinds(), VaultRestoreKind())


@cache
def operated_kinds() -> tuple[Kind[Any], ...]:
    """The kinds that drills and failovers look at: what is replicated, and what it is replicated through."""
    from reconciler.kinds.replication.route import CONTAINER, FABRIC, MAPPING, POLICY

    through = {CONTAINER, FABRIC, MAPPING, POLICY}
    return tuple(kind for kind in kinds() if kind.name in through or kind.name in ("recovery_plan", "replicated_vm"))


@cache
def by_name() -> Mapping[str, Kind[Any]]:
    """Every kind whose steps a plan may hold, whoever asked for them."""
    return {kind.name: kind for kind in (*kinds(), *asked_kinds())}
