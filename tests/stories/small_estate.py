"""An estate of four VMs, and the policies that fit it: what most stories begin with."""

from __future__ import annotations

from typing import Any

CLOCK = "2026-03-02T08:00:00+00:00"
PROD = "11111111-1111-4111-8111-111111111111"
DEV = "22222222-2222-4222-8222-222222222222"
VAULT = f"/subscriptions/{PROD}/resourceGroups/rg-backup/providers/Microsoft.RecoveryServices/vaults/rsv-weu"
PRODUCTION_GROUPS = ("rg-backup", "rg-app", "rg-theirs")
DEVELOPMENT_GROUPS = ("rg-backup-dev", "rg-dev")


def machine(name: str, group: str = "rg-app", **fields: Any) -> dict[str, Any]:
    """A VM of an estate; those in rg-app are production."""
    tags = {"env": "dev" if group == "rg-dev" else "prod"}
    return {"name": name, "resourceGroup": group, "os": "Linux", "dataDisks": [64], "tags": tags, **fields}


def small(*items: dict[str, Any], machines: tuple[dict[str, Any], ...] = (), **vault: Any) -> dict[str, Any]:
    """Two subscriptions in two regions, with a vault each: app-01 to app-03 in production, dev-01 in development.

    `items` are protected in production, `vault` is said of that vault.
    """
    return {
        "estate": "small",
        "clock": CLOCK,
        "subscriptions": [{"id": PROD, "name": "Production"}, {"id": DEV, "name": "Development"}],
        "resourceGroups": [
            *({"subscription": "Production", "name": name, "location": "westeurope"} for name in PRODUCTION_GROUPS),
            *({"subscription": "Development", "name": name, "location": "northeurope"} for name in DEVELOPMENT_GROUPS),
        ],
        "virtualMachines": [*(machine(f"app-0{n}") for n in (1, 2, 3)), machine("dev-01", "rg-dev"), *machines],
        "backup": {
            "policies": {"daily": {"retention": {"daily": 30}}, "short": {"retention": {"daily": 7}}},
            "vaults": [
                {
                    "name": "rsv-weu",
                    "subscription": "Production",
                    "resourceGroup": "rg-backup",
                    "location": "westeurope",
                    "redundancy": "LocallyRedundant",
                    "policies": ["daily", "short"],
                    "items": list(items),
                    **vault,
                },
                {
                    "name": "rsv-dev",
                    "subscription": "Development",
                    "resourceGroup": "rg-backup-dev",
                    "location": "northeurope",
                    "items": [{"vm": "rg-dev/dev-01", "policy": "daily"}],
                },
            ],
        },
    }


def item(name: str, policy: str = "daily", **fields: Any) -> dict[str, Any]:
    """A protected VM of rg-app in an estate."""
    return {"vm": f"rg-app/{name}", "policy": policy, **fields}


SCOPE: dict[str, Any] = {"kind": "Scope", "name": "small", "subscriptions": {"prod": PROD, "dev": DEV}}
RSV_WEU: dict[str, Any] = {
    "kind": "Vault",
    "name": "rsv-weu",
    "subscription": "prod",
    "resourceGroup": "rg-backup",
    "location": "westeurope",
}
RSV_DEV: dict[str, Any] = {
    "kind": "Vault",
    "name": "rsv-dev",
    "subscription": "dev",
    "resourceGroup": "rg-backup-dev",
    "location": "northeurope",
}
DAILY: dict[str, Any] = {
    "kind": "BackupPolicy",
    "name": "daily",
    "tier": "Standard",
    "schedule": {"frequency": "Daily", "time": "22:00"},
    "retention": {"daily": {"days": 30}},
}
PRODUCTION: dict[str, Any] = {
    "kind": "Protection",
    "name": "production",
    "select": {"tags": {"env": "prod"}},
    "backup": {"policy": "daily"},
}
DEVELOPMENT: dict[str, Any] = {**PRODUCTION, "name": "development", "select": {"tags": {"env": "dev"}}}
POLICIES = (SCOPE, RSV_WEU, RSV_DEV, DAILY, PRODUCTION, DEVELOPMENT)
"""What the policies of the small estate say: every VM is backed up daily, in the vault of its subscription."""


def item_path(name: str, group: str = "rg-app", vault: str = VAULT) -> str:
    """The ARM id of a protected VM."""
    both = f"iaasvmcontainerv2;{group};{name}"
    return f"{vault}/backupFabrics/Azure/protectionContainers/iaasvmcontainer;{both}/protectedItems/vm;{both}"


def machine_path(name: str, group: str = "rg-app") -> str:
    return f"/subscriptions/{PROD}/resourceGroups/{group}/providers/Microsoft.Compute/virtualMachines/{name}"


def protection(name: str, group: str = "rg-app", **fields: Any) -> dict[str, Any]:
    """The properties of a protected VM, as they are sent."""
    return {
        "protectedItemType": "Microsoft.Compute/virtualMachines",
        "sourceResourceId": machine_path(name, group),
        **fields,
    }
