"""The ``diskSettings`` section of an estate: what disks hold and how fast it changes, and the limits of the service.

```yaml
diskSettings:                        # all keys are optional; these are the defaults
  usedShare: 0.4                     # of its size: what a disk holds
  churnGiBPerDay: 1                  # what is written to a disk, each block once between two snapshots
  copyGiBPerHour: 300                # background copies; three times that with provisionedBandwidthCopySpeed Enhanced
  incrementalsPerDisk: 500
  incrementalsPerFiveMinutes: 7      # per disk
  copiesPerRegion: 100               # at a time, per subscription and target region
  openPerFamily: 5                   # snapshots of one family that are open for reading at a time
  disks:                             # single disks, by name (and group, where two have one name)
    - {name: sql-01_DataDisk_0, resourceGroup: rg-db, usedGiB: 600, churnGiBPerDay: 40}
```

Azure publishes none of the first three: they are of the right order and nothing more. The limits are SN-10 and SN-12.
"""

from __future__ import annotations

from typing import Any

import msgspec

from reconciler.emulator.providers.compute import DISKS
from reconciler.emulator.router import Route
from reconciler.emulator.world import World

_COLLECTION = "disks"


class DiskUse(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    rename={"resource_group": "resourceGroup", "used_gib": "usedGiB", "churn_gib_per_day": "churnGiBPerDay"},
):
    """A line of ``disks``."""

    name: str
    resource_group: str | None = None
    used_gib: float | None = None
    churn_gib_per_day: float | None = None


class DiskSettings(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    rename={
        "used_share": "usedShare",
        "churn_gib_per_day": "churnGiBPerDay",
        "copy_gib_per_hour": "copyGiBPerHour",
        "incrementals_per_disk": "incrementalsPerDisk",
        "incrementals_per_five_minutes": "incrementalsPerFiveMinutes",
        "copies_per_region": "copiesPerRegion",
        "open_per_family": "openPerFamily",
    },
):
    used_share: float = 0.4
    churn_gib_per_day: float = 1.0
    copy_gib_per_hour: float = 300.0
    incrementals_per_disk: int = 500
    incrementals_per_five_minutes: int = 7
    copies_per_region: int = 100
    open_per_family: int = 5
    disks: list[DiskUse] = []

    def __post_init__(self) -> None:
        if not 0 <= self.used_share <= 1 or self.churn_gib_per_day < 0 or self.copy_gib_per_hour <= 0:
            raise ValueError(
                "usedShare lies between 0 and 1, churnGiBPerDay is 0 or more, copyGiBPerHour is more than 0"
            )


def read_settings(world: World) -> DiskSettings:
    kept = world.store.document(_COLLECTION, "settings")
    return msgspec.convert(kept, DiskSettings) if kept else DiskSettings()


def seed_settings(world: World, section: Any) -> None:
    """Raises ValueError for a line that is wrong, or names a disk that is not there or there twice."""
    settings = msgspec.convert(section, DiskSettings)
    common = msgspec.structs.replace(settings, disks=[])
    world.store.put_document(_COLLECTION, "settings", msgspec.to_builtins(common))
    if not settings.disks:
        return
    by_name: dict[str, list[str]] = {}
    for identity in world.store.ids(DISKS):
        by_name.setdefault(identity.rpartition("/")[2].lower(), []).append(identity)
    for use in settings.disks:
        found = [
            identity
            for identity in by_name.get(use.name.lower(), [])
            if not use.resource_group or identity.split("/")[4].lower() == use.resource_group.lower()
        ]
        if len(found) != 1:
            raise ValueError(f"disks: there are {len(found)} disks {use.name}" + (": name the group" if found else ""))
        hidden = {"usedGiB": use.used_gib, "churnGiBPerDay": use.churn_gib_per_day}
        world.store.hide(found[0], {name: value for name, value in hidden.items() if value is not None})


ROUTES: tuple[Route, ...] = ()
SEEDS = {"diskSettings": seed_settings}
