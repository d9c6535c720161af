"""How long restores take: from the snapshots of a VM, or from its vault (BP-104; recorded jobs)."""

from reconciler.emulator.providers.restore_requests import NEW_MACHINE, REPLACE
from reconciler.emulator.world import World

SNAPSHOT_LENGTHS = (68, 90)
"""Seconds; recorded: 69, 72 and 90 with managed disks out of a snapshot."""

SECONDS_PER_GIB = 17
"""From the vault; recorded: 127 GiB in 35 minutes and 40 seconds, twice."""

MACHINE_LENGTH = 60
"""Creating a VM around the disks; recorded: 133 seconds in all."""

REPLACE_LENGTH = 1300
"""The disks of today are copied to the staging location first; recorded: 23 minutes in all."""


def restore_seconds(world: World, kind: str, size_gb: int, *, from_vault: bool) -> int:
    low, high = SNAPSHOT_LENGTHS
    seconds = max(high, size_gb * SECONDS_PER_GIB) if from_vault else world.random.randint(low, high)
    return seconds + {NEW_MACHINE: MACHINE_LENGTH, REPLACE: REPLACE_LENGTH}.get(kind, 0)
