"""The kinds there are: one line each, dependants before what they depend on."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from reconciler.kinds.base import Kind


@cache
def kinds() -> tuple[Kind[Any], ...]:
    """Every kind, dependants first: the order of expansion. Importing them here keeps start-up free of them."""
    from reconciler.kinds.backup_policy.kind import BackupPolicyKind
    from reconciler.kinds.protected_vm.kind import ProtectedVmKind
    from reconciler.kinds.vault.kind import VaultKind
    from reconciler.kinds.vault_settings.kind import VaultSettingsKind

    return (ProtectedVmKind(), BackupPolicyKind(), VaultSettingsKind(), VaultKind())


@cache
def by_name() -> Mapping[str, Kind[Any]]:
    return {kind.name: kind for kind in kinds()}
