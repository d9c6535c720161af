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
