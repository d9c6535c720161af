"""What sort of request one is."""

from __future__ import annotations

import pytest

from reconciler.emulator.traffic import sort_of

S = "/subscriptions/11111111-1111-4111-8111-111111111111"
V = f"{S}/resourceGroups/rg/providers/Microsoft.RecoveryServices/vaults/v"


@pytest.mark.parametrize(
    ("method", "path", "sort"),
    [
        ("GET", "/subscriptions", "list"),
        ("GET", S, "read"),
        ("GET", f"{S}/resourceGroups", "list"),
        ("GET", f"{S}/resourceGroups/operations", "read"),
        ("GET", f"{S}/providers/Microsoft.Compute/virtualMachines", "list"),
        ("GET", V, "read"),
        ("HEAD", V, "read"),
        ("GET", f"{V}/backupProtectedItems", "list"),
        ("GET", f"{V}/backupFabrics/Azure/protectionContainers/c/protectedItems/i", "read"),
        ("GET", f"{V}/backupOperations/x", "poll"),
        ("GET", f"{V}/backupFabrics/Azure/operationResults/x", "poll"),
        ("GET", f"{S}/operationresults/x", "poll"),
        ("GET", f"{S}/providers/Microsoft.Compute/locations/westeurope/DiskOperations/x", "poll"),
        ("PUT", V, "write"),
        ("PATCH", V, "write"),
        ("POST", f"{V}/backupFabrics/Azure/refreshContainers", "write"),
        ("DELETE", V, "delete"),
    ],
)
def test_sorts(method, path, sort):
    assert sort_of(method, path) == sort
