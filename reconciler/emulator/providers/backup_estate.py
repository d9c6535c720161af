"""The `backup` section of an estate: vaults, their policies and their protected items, with history.

`seed(world, section)` is called once per estate load, after subscriptions, resource groups and VMs exist. `section` is
a mapping (all keys but the marked ones are optional; unknown keys are an error that names them):

```yaml
backup:
  policies:                        # templates, by name: put into each vault that lists them or whose items use them
    daily-30d:
      tier: Standard               # Standard (policyType V1, the default) | Enhanced (V2)
      timeZone: UTC                # a Windows id, as on the wire; default UTC
      schedule: {frequency: Daily, time: "22:00"}          # default
      # schedule: {frequency: Weekly, time: "22:00", days: [Sunday]}
      # schedule: {frequency: Hourly, time: "08:00", interval: 4, duration: 12}     (Enhanced only)
      retention:
        daily: 30                  # days
        weekly: {weeks: 12, days: [Sunday]}
        monthly: {months: 12, days: [Sunday], weeks: [First]}     # or {months: 12, dates: [1, last]}
        yearly: {years: 3, months: [January], days: [Sunday], weeks: [First]}   # or dates
      instantRestoreDays: 2        # default 2 (5 for a weekly Standard policy, 7 for Enhanced)
      properties: {...}            # instead of all of the above: the raw ARM properties of the policy
  settings:                        # where sources contradict each other; the defaults
    policyWritesPerDay: 50         # per vault (BP-53)
    policiesPerVault: 200
    itemsPerVault: 1000
    crossSubscription: false       # may a vault protect VMs of other subscriptions (BP-61)?
    softDeleteCanBeDisabled: false # by a client; estates can have such vaults anyway (BP-76)
  vaults:
    - name: rsv-weu-01             # required
      subscription: 11111111-...   # required: the id, or the displayName of a subscription of the estate
      resourceGroup: rg-backup     # required; the casing given here is the casing served
      location: westeurope         # required
      redundancy: GeoRedundant     # LocallyRedundant | ZoneRedundant
      crossRegionRestore: false
      softDelete: {state: Enabled, days: 14}      # Enabled | Disabled | AlwaysON
      immutability: Disabled       # Disabled | Unlocked | Locked; absent = never set (answered as null)
      resourceGuard: /subscriptions/.../resourceGuards/x     # mapped guard (multi-user authorisation)
      guardApproved: true          # false: its owner has not approved; guarded calls that name its requests are 403
      tags: {owner: platform}
      createdDaysAgo: 365
      policies: [daily-30d]        # names of templates beside DefaultPolicy, EnhancedPolicy and HourlyLogBackup
      items:
        - vm: rg-web/web-01        # required: resourceGroup/name in the vault's subscription, or a full ARM id
          policy: daily-30d        # required unless the state is ProtectionStopped or SoftDeleted
          state: Protected         # Protected (default) | IRPending | ProtectionError | ProtectionStopped |
                                   # BackupsSuspended | SoftDeleted
          historyDays: 30          # points as the policy's schedule made and pruned them; default 30 (IRPending: 0)
          stoppedDaysAgo: 12       # ProtectionStopped, BackupsSuspended: when backups ended; default 7
          deletedDaysAgo: 5        # SoftDeleted: of the vault's soft-delete days; default 5
          failingDays: 3           # the backups of the last n days failed, and those to come fail as well
          failure: UserErrorGuestAgentStatusUnavailable      # their error code; this one is the default
          disks: {include: [0]}    # or {exclude: [1, 2]}: LUNs
```

A ProtectionStopped or SoftDeleted item may name the `policy` that made its points. A VM that is not in the estate makes
an item whose VM is gone (health UserErrorVmNotFoundV2). One VM may be in two vaults if at most one of them is active.
"""

from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec

from reconciler.emulator.providers.backup_estate_items import History, ItemShape, seed_item
from reconciler.emulator.providers.backup_estate_policies import PolicyShape, expand_policy
from reconciler.emulator.providers.backup_limits import Limits, set_limits
from reconciler.emulator.providers.backup_names import VAULTS
from reconciler.emulator.providers.backup_policy_defaults import put_policy_body
from reconciler.emulator.providers.resource_guards import approve, map_guard
from reconciler.emulator.providers.vault_settings import DEFAULTS, merge
from reconciler.emulator.providers.vaults import new_vault
from reconciler.emulator.router import Route
from reconciler.emulator.world import World

SECTION = "backup"
ROUTES: tuple[Route, ...] = ()

_BUILT_IN = ("DefaultPolicy", "EnhancedPolicy")


class SoftDeleteShape(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    state: Literal["Enabled", "Disabled", "AlwaysON"] = "Enabled"
    days: int = 14


class VaultShape(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    name: str
    subscription: str
    resource_group: str
    location: str
    redundancy: Literal["GeoRedundant", "LocallyRedundant", "ZoneRedundant"] = "GeoRedundant"
    cross_region_restore: bool = False
    soft_delete: SoftDeleteShape = SoftDeleteShape()
    immutability: Literal["Disabled", "Unlocked", "Locked"] | None = None
    resource_guard: str | None = None
    guard_approved: bool = True
    tags: dict[str, str] = {}
    created_days_ago: int = 365
    policies: list[str] = []
    items: list[ItemShape] = []


class BackupShape(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    policies: dict[str, PolicyShape] = {}
    vaults: list[VaultShape] = []
    settings: Limits = Limits()


def seed(world: World, section: Any) -> None:
    """Fills the world. Raises ValueError (msgspec.ValidationError is one) naming what is wrong."""
    shape = msgspec.convert(section, BackupShape)
    set_limits(world, shape.settings)
    subscriptions = {
        str(body.get("displayName")): body["subscriptionId"]
        for body in world.store.list("Microsoft.Resources/subscriptions")
    }
    history = History()
    for vault in shape.vaults:
        subscription = subscriptions.get(vault.subscription, vault.subscription)
        _seed_vault(world, vault, subscription, shape.policies, history)


def _seed_vault(
    world: World, shape: VaultShape, subscription: str, templates: dict[str, PolicyShape], history: History
) -> None:
    scope = f"/subscriptions/{subscription}/resourceGroups/{shape.resource_group}"
    if not world.store.has(scope):
        raise ValueError(f"vault {shape.name}: the estate has no resource group {shape.resource_group} there")
    created = world.clock.now() - timedelta(days=shape.created_days_ago)
    sent = {"location": shape.location, "tags": shape.tags}
    vault = new_vault(world, f"{scope}/providers/{VAULTS}/{shape.name}", sent, _expand_vault(shape), created=created)
    _seed_policies(world, vault["id"], shape, templates, created)
    if shape.resource_guard:
        map_guard(world, vault["id"], shape.resource_guard)
        approve(world, shape.resource_guard, approved=shape.guard_approved)
    for item in shape.items:
        seed_item(world, vault, item, history)


def _expand_vault(shape: VaultShape) -> dict[str, Any]:
    soft_delete = {
        "softDeleteRetentionPeriodInDays": shape.soft_delete.days,
        "softDeleteState": shape.soft_delete.state,
        "enhancedSecurityState": shape.soft_delete.state,
    }
    security: dict[str, Any] = {"softDeleteSettings": soft_delete}
    if shape.immutability is not None:
        security["immutabilitySettings"] = {"state": shape.immutability}
    redundancy = {
        "standardTierStorageRedundancy": shape.redundancy,
        "crossRegionRestore": "Enabled" if shape.cross_region_restore else "Disabled",
    }
    return merge(DEFAULTS, {"redundancySettings": redundancy, "securitySettings": security})


def _seed_policies(
    world: World, vault_id: str, shape: VaultShape, templates: dict[str, PolicyShape], created: datetime
) -> None:
    wanted = dict.fromkeys([*shape.policies, *(item.policy for item in shape.items if item.policy)])
    for name in wanted:
        if name in templates:
            put_policy_body(world, vault_id, name, expand_policy(name, templates[name], created.date().isoformat()))
        elif name not in _BUILT_IN:
            raise ValueError(f"vault {shape.name}: there is no policy {name} under backup.policies")
