"""Live settings → the rest of the Vault documents: what Azure has, so that it is held.

What a vault does not do is left out (immutability Disabled, no cross-region restore): a document that says so would
want to take it back from whoever makes the vault safer.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from reconciler.kinds.adoption import Adopted, AdoptedEstate, Written, left_out
from reconciler.kinds.vault_settings.spec import IMMUTABILITIES, REDUNDANCIES, VaultSettingsSpec

_DAYS = range(14, 181)


def adopt_settings(estate: AdoptedEstate) -> Iterator[Adopted]:
    """A part of each Vault document that is written."""
    for resource in estate.resources("vault_settings"):
        spec = resource.spec
        if not estate.has("Vault", resource.address.name) or not isinstance(spec, VaultSettingsSpec):
            continue
        value = _value(spec)
        if "softDelete" not in value:
            yield left_out(
                resource.address,
                f"soft delete is {spec.soft_delete}, {spec.soft_delete_days} days: no Vault can say that (BP-76), so "
                "it is not written",
                "write softDelete: {state: On, days: 14}, and apply: deleted backups can be brought back then",
            )
        yield Written("Vault", resource.address.name, value)


def _value(spec: VaultSettingsSpec) -> dict[str, Any]:
    value: dict[str, Any] = {}
    if spec.redundancy in REDUNDANCIES:
        value["redundancy"] = spec.redundancy
    if spec.cross_region_restore:
        value["crossRegionRestore"] = True
    if spec.soft_delete in ("On", "AlwaysOn") and spec.soft_delete_days in _DAYS:
        value["softDelete"] = {"state": spec.soft_delete, "days": spec.soft_delete_days}
    if spec.immutability in IMMUTABILITIES[1:]:
        value["immutability"] = spec.immutability
    return value
