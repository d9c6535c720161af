"""Recovery points of a VM in a vault, as they are chosen from and listed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from reconciler.model.arm_id import ArmId


@dataclass(frozen=True, slots=True)
class VaultPoint:
    """A recovery point of a vault. `taken` is aware UTC, cut to seconds, as jobs tell it. `snapshot`, `vault` and
    `archive` say in which tiers it is; `disks` are the places that it holds, `os` and LUNs, () where that is all;
    `included` and `attached` count them, None where nothing was left out; `mounted` says that its files are open."""

    name: str
    taken: datetime
    consistency: str
    snapshot: bool
    vault: bool
    archive: bool
    encrypted: bool
    managed: bool
    private: bool
    mounted: bool
    os_type: str
    zones: tuple[str, ...] = ()
    disks: tuple[str, ...] = ()
    included: int | None = None
    attached: int | None = None

    @property
    def tier(self) -> str:
        """Where a restore takes it from, "" where it cannot be taken from anywhere."""
        return "snapshot" if self.snapshot else "vault" if self.vault else "archive" if self.archive else ""

    @property
    def tiers(self) -> tuple[str, ...]:
        """All of them."""
        known = {"snapshot": self.snapshot, "vault": self.vault, "archive": self.archive}
        return tuple(name for name, there in known.items() if there)

    @property
    def state(self) -> str:
        """`ready`, or what is in the way of a restore."""
        if not self.tier:
            return "expired: in no tier any more"
        if self.tier == "archive":
            return "archived: rehydrate it first"
        return "files open" if self.mounted else "ready"


@dataclass(frozen=True, slots=True)
class VaultPoints:
    """Those of one VM, the newest first. `gone` says that the VM is not there any more; `region` is that of the vault,
    or its secondary one; `unread` what could not be read."""

    machine: ArmId
    label: str
    gone: bool
    vault: ArmId
    region: str
    now: datetime
    points: tuple[VaultPoint, ...] = ()
    unread: tuple[str, ...] = ()


def spell_time(moment: datetime) -> str:
    """`2026-03-01T22:04:07Z`."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
