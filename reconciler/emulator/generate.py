"""Estates of any size from a seed, and the policies that describe their protection."""

from __future__ import annotations

import random
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

Body = dict[str, Any]

APPS = (
    "orders", "billing", "portal", "tracking", "customs", "fleet", "pricing", "catalog", "ledger", "payroll",
    "claims", "search", "mailer", "reports", "archive", "identity",
)  # fmt: skip
OWNERS = ("platform", "dba", "web", "sap", "finance", "warehouse")
REGIONS = {"westeurope": ("weu", 50), "northeurope": ("neu", 30), "eastus2": ("eus2", 20)}
ENVIRONMENTS = {"prod": 60, "test": 15, "dev": 25}
POLICIES: dict[str, Body] = {
    "enhanced-4h": {
        "tier": "Enhanced",
        "schedule": {"frequency": "Hourly", "time": "08:00", "interval": 4, "duration": 12},
        "retention": {"daily": 30, "weekly": {"weeks": 12, "days": ["Sunday"]}},
        "instantRestoreDays": 7,
    },
    "daily-30d": {
        "schedule": {"frequency": "Daily", "time": "22:00"},
        "retention": {"daily": 30, "weekly": {"weeks": 12, "days": ["Sunday"]}},
        "instantRestoreDays": 2,
    },
    "daily-14d": {
        "schedule": {"frequency": "Daily", "time": "01:00"},
        "retention": {"daily": 14},
        "instantRestoreDays": 2,
    },
}


class Tier(NamedTuple):
    """What the machines of one tier look like."""

    name: str
    weight: int
    os: str
    image: str
    sizes: tuple[str, ...]
    disks: tuple[int, ...]


TIERS = (
    Tier("web", 30, "Linux", "ubuntu-2404", ("Standard_D2s_v5", "Standard_D4s_v5"), ()),
    Tier("app", 30, "Windows", "win-2022", ("Standard_D4s_v5", "Standard_D8s_v5"), (128,)),
    Tier("api", 12, "Linux", "rhel-9", ("Standard_D4s_v5",), (64,)),
    Tier("db", 16, "Windows", "sql-2022", ("Standard_E8ds_v5", "Standard_E16ds_v5"), (512, 1024, 256)),
    Tier("pg", 6, "Linux", "debian-12", ("Standard_E8s_v5",), (512, 512)),
    Tier("batch", 6, "Linux", "ubuntu-2204", ("Standard_F8s_v2",), (256,)),
)


class Generation(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """How large, from which seed, and which share of the machines is protected already.

    Raises ValueError (as msgspec.ValidationError, when decoded) for a size or share that makes no sense.
    """

    vms: int
    seed: int = 1
    protected: float = 0.9
    vms_per_subscription: int = 5_000
    items_per_vault: int = 1_000

    def __post_init__(self) -> None:
        if self.vms < 0 or not 0 <= self.protected <= 1 or not 0 < self.items_per_vault <= 1_000:
            raise ValueError("vms is 0 or more, protected lies between 0 and 1, itemsPerVault between 1 and 1000")

    @property
    def subscriptions(self) -> int:
        return max(1, -(-self.vms // self.vms_per_subscription))


class Placed(NamedTuple):
    """A machine with where it is; ``policy`` None is one that nobody has protected yet."""

    shape: Body
    subscription: str
    region: str
    policy: str | None


def generate(wanted: Generation) -> Body:
    """An estate document, the same one for the same Generation."""
    machines = list(_machines(wanted))
    groups = {(m.subscription, m.shape["resourceGroup"]): m.region for m in machines}
    backup_groups = [
        {"subscription": alias, "name": "rg-backup", "location": "westeurope", "tags": {"owner": "platform"}}
        for alias in subscription_ids(wanted)
    ]
    return {
        "estate": f"generated-{wanted.vms}-{wanted.seed}",
        "subscriptions": [{"id": id_, "name": alias} for alias, id_ in subscription_ids(wanted).items()],
        "resourceGroups": [
            *backup_groups,
            *({"subscription": alias, "name": name, "location": place} for (alias, name), place in groups.items()),
        ],
        "virtualMachines": [machine.shape for machine in machines],
        "backup": {"policies": POLICIES, "vaults": list(_vaults(wanted, machines))},
    }


def subscription_ids(wanted: Generation) -> dict[str, str]:
    """Alias (and display name) to id."""
    chance = random.Random(f"{wanted.seed}/subscriptions")
    return {
        f"sub-{number:02d}": str(uuid.UUID(int=chance.getrandbits(128), version=4))
        for number in range(1, wanted.subscriptions + 1)
    }


def vault_names(wanted: Generation) -> dict[tuple[str, str], list[str]]:
    """The vaults of each subscription and region: enough for all of its machines, protected or not."""
    counts = Counter((machine.subscription, machine.region) for machine in _machines(wanted))
    return {
        (alias, region): [
            f"rsv-{alias}-{REGIONS[region][0]}-{number:02d}"
            for number in range(1, -(-count // wanted.items_per_vault) + 1)
        ]
        for (alias, region), count in sorted(counts.items())
    }


def _machines(wanted: Generation) -> Iterator[Placed]:
    chance = random.Random(f"{wanted.seed}/machines")
    aliases = list(subscription_ids(wanted))
    numbers: Counter[str] = Counter()
    for position in range(wanted.vms):
        alias = aliases[position // wanted.vms_per_subscription]
        tier = chance.choices(TIERS, [tier.weight for tier in TIERS])[0]
        environment = chance.choices(list(ENVIRONMENTS), list(ENVIRONMENTS.values()))[0]
        region = chance.choices(list(REGIONS), [weight for _, weight in REGIONS.values()])[0]
        app = chance.choice(APPS)
        stem = f"{environment[0]}-{app}-{tier.name}"
        numbers[stem] += 1
        shape: Body = {
            "name": f"{stem}-{numbers[stem]:03d}",
            "subscription": alias,
            "resourceGroup": f"rg-{app}-{environment}-{REGIONS[region][0]}",
            "os": tier.os,
            "image": tier.image,
            "size": chance.choice(tier.sizes),
            "dataDisks": list(tier.disks[: chance.randint(min(1, len(tier.disks)), len(tier.disks))]),
            "tags": {"env": environment, "tier": tier.name, "app": app, "owner": chance.choice(OWNERS)},
            "createdDaysAgo": chance.randint(40, 1_500),
        }
        if chance.random() < 0.5:
            shape["zone"] = str(chance.randint(1, 3))
        if chance.random() < 0.2:
            shape["securityType"] = "TrustedLaunch"
        policy = policy_of(environment, tier.name) if chance.random() < wanted.protected else None
        yield Placed(shape, alias, region, policy)


def policy_of(environment: str, tier: str) -> str:
    """The policy that machines of an environment and tier are meant to have."""
    if environment != "prod":
        return "daily-14d"
    return "enhanced-4h" if tier in ("db", "pg") else "daily-30d"


def _vaults(wanted: Generation, machines: list[Placed]) -> Iterator[Body]:
    items: defaultdict[tuple[str, str], list[Body]] = defaultdict(list)
    for machine in machines:
        if machine.policy is not None:
            vm = f"{machine.shape['resourceGroup']}/{machine.shape['name']}"
            items[(machine.subscription, machine.region)].append({"vm": vm, "policy": machine.policy})
    for (alias, region), names in vault_names(wanted).items():
        for position, name in enumerate(names):
            start = position * wanted.items_per_vault
            yield {
                "name": name,
                "subscription": alias,
                "resourceGroup": "rg-backup",
                "location": region,
                "redundancy": "LocallyRedundant",
                "softDelete": {"state": "Enabled", "days": 14},
                "policies": list(POLICIES),
                "items": items[(alias, region)][start : start + wanted.items_per_vault],
            }
