"""One module per ARM collection. A module offers ``ROUTES`` and may offer the rest of ``Provider``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from reconciler.emulator.providers import (
    activity_log,
    authorization,
    backup_containers,
    backup_estate,
    backup_job_cancellations,
    backup_jobs,
    backup_operations,
    backup_policies,
    backup_runs,
    compute,
    compute_actions,
    compute_estate,
    compute_operations,
    cross_region_jobs,
    cross_region_restore,
    disk_access,
    disk_restore_points,
    disk_settings,
    disks,
    item_level_recovery,
    network_addresses,
    network_estate,
    network_interfaces,
    network_operations,
    network_security_groups,
    networks,
    protected_item_changes,
    protected_items,
    recovery_points,
    resource_guards,
    resource_lists,
    resources,
    restore_point_collections,
    restore_points,
    restore_validation,
    restores,
    sign_in,
    snapshot_estate,
    snapshots,
    tags,
    vault_configs,
    vault_deletion,
    vaults,
)
from reconciler.emulator.providers.site_recovery import SITE_RECOVERY
from reconciler.emulator.router import Route, Router
from reconciler.emulator.world import Completion, Ticker, World

Seed = Callable[[World, Any], None]

# The order is the order of seeding: what a later one refers to must be there. One line each.
PROVIDERS: tuple[ModuleType, ...] = (
    sign_in,
    authorization,
    activity_log,
    resources,
    resource_lists,
    tags,
    compute,
    compute_actions,
    compute_operations,
    disks,
    snapshots,
    disk_access,
    restore_point_collections,
    restore_points,
    disk_restore_points,
    compute_estate,
    networks,
    network_interfaces,
    network_addresses,
    network_security_groups,
    network_operations,
    network_estate,
    disk_settings,
    snapshot_estate,
    vaults,
    vault_deletion,
    vault_configs,
    resource_guards,
    backup_policies,
    protected_items,
    protected_item_changes,
    recovery_points,
    backup_jobs,
    backup_job_cancellations,
    restores,
    restore_validation,
    item_level_recovery,
    cross_region_restore,
    cross_region_jobs,
    backup_containers,
    backup_operations,
    backup_runs,
    backup_estate,
    *SITE_RECOVERY,
)


def routes() -> tuple[Route, ...]:
    """``ROUTES`` of every provider."""
    return tuple(route for module in PROVIDERS for route in module.ROUTES)


def router(extra: tuple[Route, ...] = ()) -> Router:
    return Router((*routes(), *extra))


def completions() -> Mapping[str, Completion]:
    """``COMPLETIONS`` of every provider: a name, and what takes effect when an operation of that name ends."""
    return {name: run for module in PROVIDERS for name, run in getattr(module, "COMPLETIONS", {}).items()}


def tickers() -> tuple[Ticker, ...]:
    """``on_tick(world, after, until)`` and the optional ``next_due(world, after)`` of every provider."""
    modules = [module for module in PROVIDERS if hasattr(module, "on_tick")]
    return tuple(Ticker(module.on_tick, getattr(module, "next_due", None)) for module in modules)


def sections() -> tuple[str, ...]:
    """The top-level keys of an estate that some provider reads."""
    return tuple(section for section, _ in seeds())


def seeds() -> tuple[tuple[str, Seed], ...]:
    """``SEEDS`` (section -> function), or ``SECTION`` and ``seed(world, section)``, of every provider, in order.

    A section that an estate does not have is not seeded.
    """
    found: list[tuple[str, Seed]] = []
    for module in PROVIDERS:
        found.extend(getattr(module, "SEEDS", {}).items())
        if hasattr(module, "seed"):
            found.append((getattr(module, "SECTION", "backup"), module.seed))
    return tuple(found)
