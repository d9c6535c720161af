"""The providers of Azure Site Recovery, in the order of seeding."""

from __future__ import annotations

from types import ModuleType

from reconciler.emulator.providers import (
    automation,
    recovery_plan_failovers,
    recovery_plan_runs,
    recovery_plans,
    replication_container_mappings,
    replication_containers,
    replication_drills,
    replication_estate,
    replication_fabrics,
    replication_failovers,
    replication_health,
    replication_item_changes,
    replication_items,
    replication_job_actions,
    replication_networks,
    replication_operations,
    replication_points,
    replication_policies,
    replication_results,
    replication_seeding,
    replication_switches,
    storage_accounts,
)

SITE_RECOVERY: tuple[ModuleType, ...] = (
    storage_accounts,
    automation,
    replication_policies,
    replication_fabrics,
    replication_containers,
    replication_container_mappings,
    replication_networks,
    replication_items,
    replication_item_changes,
    replication_seeding,
    replication_points,
    replication_drills,
    replication_failovers,
    replication_switches,
    replication_job_actions,
    replication_operations,
    replication_results,
    replication_health,
    recovery_plans,
    recovery_plan_failovers,
    recovery_plan_runs,
    replication_estate,
)
