"""What a change of a vault's settings does to the backups in it, in plain words."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.kinds.base import Comparison
from reconciler.kinds.vault_settings.spec import REDUNDANCIES, VaultSettingsSpec
from reconciler.plan.change import Consequence, Effect

_COPIES = {
    "LocallyRedundant": "three copies in one data centre",
    "ZoneRedundant": "copies in three zones of the region",
    "GeoRedundant": "copies in the paired region as well",
}
_FREE_DAYS = 14


def settings_effects(comparison: Comparison[VaultSettingsSpec]) -> Iterator[Consequence]:
    """One consequence for each setting that changes."""
    wanted = comparison.wanted_spec
    before = comparison.live_spec if comparison.live else VaultSettingsSpec(vault=wanted.vault)
    yield from _redundancy(before, wanted)
    yield from _soft_delete(before, wanted)
    yield from _immutability(before, wanted)


def _redundancy(before: VaultSettingsSpec, wanted: VaultSettingsSpec) -> Iterator[Consequence]:
    """Redundancy can only change while the vault has never held anything (BP-90): less of it weakens no backup."""
    if before.redundancy != wanted.redundancy:
        known = before.redundancy in REDUNDANCIES and wanted.redundancy in REDUNDANCIES
        down = known and REDUNDANCIES.index(wanted.redundancy) < REDUNDANCIES.index(before.redundancy)
        yield Consequence(
            effect=Effect.NONE if down else Effect.STRENGTHENS,
            text=f"backups will have {_COPIES.get(wanted.redundancy, wanted.redundancy)}; "
            "this cannot be changed once a VM is protected in the vault",
        )
    if wanted.cross_region_restore and not before.cross_region_restore:
        yield Consequence(
            effect=Effect.IRREVERSIBLE,
            text="cross-region restore can never be switched off again; "
            "copies appear in the paired region within 48 hours and are billed",
        )


def _soft_delete(before: VaultSettingsSpec, wanted: VaultSettingsSpec) -> Iterator[Consequence]:
    if wanted.soft_delete == "AlwaysOn" and before.soft_delete != "AlwaysOn":
        yield Consequence(
            effect=Effect.IRREVERSIBLE,
            text="soft delete can never be switched off again; deleted backups can be brought back "
            f"for {wanted.soft_delete_days} days",
            figures={"soft_delete_days": wanted.soft_delete_days},
        )
    elif wanted.soft_delete_days > before.soft_delete_days:
        billed = max(0, wanted.soft_delete_days - _FREE_DAYS)
        cost = f"; {billed} of them are billed like stored backups" if billed else ""
        yield Consequence(
            effect=Effect.STRENGTHENS,
            text=f"backups deleted from now on can be brought back for {wanted.soft_delete_days} days "
            f"instead of {before.soft_delete_days}{cost}",
            figures={"soft_delete_days": wanted.soft_delete_days, "billed_days": billed},
        )


def _immutability(before: VaultSettingsSpec, wanted: VaultSettingsSpec) -> Iterator[Consequence]:
    if before.immutability == wanted.immutability:
        return
    if wanted.immutability == "Locked":
        yield Consequence(
            effect=Effect.IRREVERSIBLE,
            text="the vault stays immutable for ever: no recovery point can be deleted before it expires, "
            "and no retention can be lowered, by anybody",
        )
    elif wanted.immutability == "Unlocked":
        yield Consequence(
            effect=Effect.STRENGTHENS,
            text="recovery points cannot be deleted before they expire, and no retention can be lowered, "
            "until immutability is set back to Disabled",
        )
    else:
        yield Consequence(
            effect=Effect.WEAKENS, text="recovery points can be deleted before they expire, and retentions lowered"
        )
