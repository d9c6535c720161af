"""Three VMs replicated from west to north with a recovery plan, an isolated network to drill in, and what says so."""

from __future__ import annotations

from typing import Any

CLOCK = "2026-03-02T08:00:00+00:00"
PROD = "11111111-1111-4111-8111-111111111111"
GROUPS = f"/subscriptions/{PROD}/resourceGroups"
VAULT = f"{GROUPS}/rg-dr/providers/Microsoft.RecoveryServices/vaults/rsv-dr"
MACHINES = ("sql-01", "app-01", "web-01")


def network(name: str, group: str) -> str:
    return f"{GROUPS}/{group}/providers/Microsoft.Network/virtualNetworks/{name}"


def account(name: str, group: str) -> str:
    return f"{GROUPS}/{group}/providers/Microsoft.Storage/storageAccounts/{name}"


def estate(state: str = "Protected", **more: Any) -> dict[str, Any]:
    """All of its VMs in one state."""
    networks = {"vnet-weu": ("rg-app", 1, "app"), "vnet-neu": ("rg-dr", 2, "app"), "vnet-test": ("rg-dr", 3, "drill")}
    return {
        "estate": "operate",
        "clock": CLOCK,
        "subscriptions": [{"id": PROD, "name": "Prod"}],
        "resourceGroups": [
            {"subscription": "Prod", "name": "rg-app", "location": "westeurope"},
            {"subscription": "Prod", "name": "rg-dr", "location": "northeurope"},
        ],
        "virtualMachines": [
            {
                "name": name,
                "resourceGroup": "rg-app",
                "os": "Linux",
                "tags": {"tier": name[:3], "env": "prod"},
                "osDisk": {"sizeGB": 32},
                "dataDisks": [16],
            }
            for name in MACHINES
        ],
        "networks": [
            {
                "name": name,
                "resourceGroup": group,
                "addressPrefixes": [f"10.{number}.0.0/16"],
                "subnets": {subnet: f"10.{number}.0.0/24"},
                "machines": name != "vnet-test",
            }
            for name, (group, number, subnet) in networks.items()
        ],
        "storageAccounts": [
            {"name": "cacheweu", "resourceGroup": "rg-app"},
            {"name": "cacheneu", "resourceGroup": "rg-dr"},
        ],
        "automationAccounts": [{"name": "auto", "resourceGroup": "rg-dr", "runbooks": ["update-dns"]}],
        "siteRecovery": [
            {
                "vault": "rsv-dr",
                "resourceGroup": "rg-dr",
                "policies": {"day": {"retentionHours": 24, "appConsistentHours": 4}},
                "routes": [
                    {
                        "from": "westeurope",
                        "to": "northeurope",
                        "policy": "day",
                        "networks": {"vnet-weu": "vnet-neu"},
                    }
                ],
                "machines": [
                    {
                        "vm": f"rg-app/{name}",
                        "to": "northeurope",
                        "resourceGroup": "rg-dr",
                        "cache": "cacheweu",
                        "state": state,
                    }
                    for name in MACHINES
                ],
                "plans": [
                    {
                        "name": "rp-shop",
                        "from": "westeurope",
                        "to": "northeurope",
                        "groups": [["sql-01"], ["app-01"], ["web-01"]],
                    }
                ],
            }
        ],
        **more,
    }


def policies(**of_plan: Any) -> list[dict[str, Any]]:
    """There and back, so that a reprotection finds its cache account."""
    there = {
        "kind": "ReplicationRoute",
        "name": "weu-neu",
        "from": "westeurope",
        "to": "northeurope",
        "vault": "rsv-dr",
        "policy": "day",
        "targetResourceGroup": "rg-dr",
        "cacheStorageAccount": account("cacheweu", "rg-app"),
        "networks": [{"from": network("vnet-weu", "rg-app"), "to": network("vnet-neu", "rg-dr")}],
        "testNetwork": network("vnet-test", "rg-dr"),
    }
    vault = {"kind": "Vault", "name": "rsv-dr", "subscription": "prod", "resourceGroup": "rg-dr"}
    groups = [{"name": tier, "members": {"tags": {"tier": tier}}} for tier in ("sql", "app", "web")]
    return [
        {"kind": "Scope", "name": "shop", "subscriptions": {"prod": PROD}},
        {**vault, "location": "northeurope"},
        {"kind": "ReplicationPolicy", "name": "day", "appConsistentEvery": "4h"},
        there,
        {
            "kind": "Protection",
            "name": "shop",
            "select": {"tags": {"env": "prod"}},
            "replication": {"targetRegion": "northeurope"},
        },
        {"kind": "RecoveryPlan", "name": "rp-shop", "route": "weu-neu", "groups": groups, **of_plan},
    ]
