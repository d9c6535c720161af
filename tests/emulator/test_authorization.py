"""The gate that ARM puts before every provider, and the list that tells what a caller holds."""

from __future__ import annotations

import pytest

from reconciler.emulator.providers.authorization import action_of

VAULT = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.RecoveryServices/vaults/v"
ITEM = f"{VAULT}/backupFabrics/Azure/protectionContainers/c/protectedItems/i"


@pytest.mark.parametrize(
    ("method", "path", "action"),
    [
        ("GET", "/subscriptions/s/resourceGroups/rg", "Microsoft.Resources/subscriptions/resourceGroups/read"),
        ("GET", VAULT, "Microsoft.RecoveryServices/vaults/read"),
        ("PATCH", VAULT, "Microsoft.RecoveryServices/vaults/write"),
        ("DELETE", ITEM, "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems/delete"),
        (
            "GET",
            f"{ITEM}/operationsStatus/o",
            "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems/operationsStatus/read",
        ),
        (
            "POST",
            f"{ITEM}/backup",
            "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems/backup/action",
        ),
        (
            "POST",
            f"{VAULT}/backupFabrics/Azure/refreshContainers",
            "Microsoft.RecoveryServices/vaults/backupFabrics/refreshContainers/action",
        ),
    ],
)
def test_a_request_needs_the_action_that_azure_names(method: str, path: str, action: str) -> None:
    assert action_of(method, path)[0] == action
