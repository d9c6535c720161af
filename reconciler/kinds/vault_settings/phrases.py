"""What a vault is set to, for people."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.kinds.phrases import Phrase
from reconciler.kinds.vault_settings.spec import VaultSettingsSpec


def settings_phrases(spec: VaultSettingsSpec) -> Iterator[Phrase]:
    """In the names of the Vault document."""
    crossing = str(spec.cross_region_restore).lower()
    yield Phrase("redundancy", "redundancy", spec.redundancy)
    yield Phrase("cross_region_restore", "crossRegionRestore", crossing, usual=not spec.cross_region_restore)
    yield Phrase("soft_delete", "softDelete.state", spec.soft_delete)
    yield Phrase("soft_delete_days", "softDelete.days", str(spec.soft_delete_days))
    yield Phrase("immutability", "immutability", spec.immutability, usual=spec.immutability == "Disabled")
