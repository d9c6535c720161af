"""The writes that set a vault: one PATCH for each thing that Azure decides on by itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from reconciler.kinds.base import Comparison
from reconciler.kinds.vault_settings.spec import IMMUTABILITIES, VaultSettingsSpec
from reconciler.model.observed import VaultFacts
from reconciler.plan.change import Step

PERMISSION = "Microsoft.RecoveryServices/vaults/write"


def settings_steps(comparison: Comparison[VaultSettingsSpec]) -> Iterator[Step]:
    """Redundancy first (it must be set before anything is protected), then soft delete, then immutability.

    Redundancy is written even where it is Azure's default, because nobody can change it later; soft delete is not:
    where a new vault is always-on already, Azure would refuse the lesser value.
    """
    wanted = comparison.wanted_spec
    new = comparison.live is None
    fresh = VaultSettingsSpec(vault=wanted.vault)
    if new or comparison.changed("redundancy", "cross_region_restore"):
        cross = ", cross-region restore on" if wanted.cross_region_restore else ""
        arguments = {"redundancy": wanted.redundancy, "cross_region_restore": wanted.cross_region_restore}
        yield _step(comparison, "set-redundancy", f"set redundancy {wanted.redundancy}{cross}", arguments)
    soft_delete = (wanted.soft_delete, wanted.soft_delete_days)
    if (new and soft_delete != (fresh.soft_delete, fresh.soft_delete_days)) or comparison.changed(
        "soft_delete", "soft_delete_days"
    ):
        arguments = {"soft_delete": wanted.soft_delete, "soft_delete_days": wanted.soft_delete_days}
        title = f"set soft delete {wanted.soft_delete}, {wanted.soft_delete_days} days"
        yield _step(comparison, "set-soft-delete", title, arguments)
    for state in immutability_path("Disabled" if new else comparison.live_spec.immutability, wanted.immutability):
        step = _step(comparison, "set-immutability", f"set immutability {state}", {"immutability": state}, state)
        yield step if state != "Disabled" else _guarded(comparison, step)


def immutability_path(live: str, wanted: str) -> tuple[str, ...]:
    """The states on the way: Azure refuses Locked straight from Disabled (BP-80)."""
    if live == wanted:
        return ()
    if wanted == "Locked":
        return IMMUTABILITIES[IMMUTABILITIES.index(live) + 1 :] if live in IMMUTABILITIES else (wanted,)
    return (wanted,)


def _step(
    comparison: Comparison[VaultSettingsSpec], verb: str, title: str, arguments: dict[str, Any], state: str = ""
) -> Step:
    assert comparison.desired is not None
    assert comparison.desired.arm_id is not None
    arm_id = comparison.desired.arm_id
    return Step(
        id=f"{comparison.address}#{verb}{'-' if state else ''}{state.lower()}",
        kind="vault_settings",
        address=str(comparison.address),
        verb=verb,
        title=f"{title} on vault {comparison.address.name}",
        arguments={"id": str(arm_id), **arguments},
        lane=arm_id.key,
        exclusive=True,
        permission=PERMISSION,
        usually="up to a minute",
    )


def _guarded(comparison: Comparison[VaultSettingsSpec], step: Step) -> Step:
    """Taking immutability away is an operation that a Resource Guard watches over (BP-85)."""
    facts = comparison.live.observed if comparison.live else None
    if not (isinstance(facts, VaultFacts) and facts.resource_guard):
        return step
    proxy = f"{step.arguments['id']}/backupResourceGuardProxies/VaultProxy"
    return Step(**{name: getattr(step, name) for name in step.__struct_fields__} | {"needs_approval": proxy})
