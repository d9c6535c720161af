"""What a chaos run is drawn from: an estate, the policies beside it, what goes wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

SUBSCRIPTION = "11111111-1111-4111-8111-111111111111"


@dataclass(frozen=True)
class Drawn:
    """One run: per VM its state in Azure; whether our vault is there; what is declared of it; what goes wrong.

    `snapshots`: none (""), of each disk, those with copies in another region, or restore points of VMs.
    """

    machines: tuple[str, ...]
    vault_exists: bool
    soft_delete_days: int
    immutability: str
    days: int
    faults: tuple[dict[str, Any], ...]
    kills: tuple[int, ...]
    snapshots: str = ""


STATES = ("none", "right", "other", "stopped", "deleted", "pending", "foreign", "unselected", "disks")
EFFECTS = st.one_of(
    st.builds(lambda after: {"status": 429, "retryAfter": after}, st.integers(1, 120)),
    st.sampled_from([{"status": code} for code in (500, 502, 503, 504)]),
    st.sampled_from([{"status": code, "after": True} for code in (500, 504)]),
    st.sampled_from([{"reset": "before"}, {"reset": "after"}]),
    st.just({"operation": "fails", "code": "UserErrorGuestAgentStatusUnavailable"}),
    st.sampled_from([{"operation": "lost"}, {"operation": "forgotten"}]),
    st.sampled_from([{"page": "repeats"}, {"page": "endless"}, {"page": "foreign"}]),
    st.sampled_from([{"body": "malformed"}, {"body": "truncated"}]),
    st.builds(lambda reads: {"stale": reads}, st.integers(1, 4)),
    st.sampled_from([{"status": 401}, {"status": 403, "code": "AuthorizationFailed"}]),
)
PATHS = (
    "*",
    "*/protecteditems/*",
    "*/backuppolicies/*",
    "*/vaults/rsv-ours",
    "*/operations*",
    "*/virtualmachines",
    "*/backupprotecteditems",
    "*/snapshots/*",
    "*/snapshots",
    "*/restorepoints/*",
    "*/disks",
)
SCHEDULES = {
    "disks": "consistency: perDisk",
    "copies": "consistency: perDisk\ncopyTo: {region: northeurope, resourceGroup: rg-north}",
    "points": "consistency: restorePoint",
}
KEPT = 2


@st.composite
def fault(draw: st.DrawFn) -> dict[str, Any]:
    rule = dict(draw(EFFECTS))
    rule["path"] = draw(st.sampled_from(PATHS))
    method = draw(st.sampled_from([None, "GET", "PUT", "PATCH"]))
    if method:
        rule["method"] = method
    return {**rule, "count": draw(st.integers(1, 6)), "skip": draw(st.integers(0, 6))}


DRAWN = st.builds(
    Drawn,
    machines=st.lists(st.sampled_from(STATES), min_size=1, max_size=6).map(tuple),
    vault_exists=st.booleans(),
    soft_delete_days=st.sampled_from([14, 30]),
    immutability=st.sampled_from(["Disabled", "Unlocked"]),
    days=st.sampled_from([30, 60]),
    faults=st.lists(fault(), max_size=5).map(tuple),
    kills=st.lists(st.integers(1, 40), max_size=3).map(tuple),
    snapshots=st.sampled_from(["", *SCHEDULES]),
)


STALE_ITEMS = Drawn(
    machines=("pending", "none", "disks", "unselected", "right"),
    vault_exists=False,
    soft_delete_days=14,
    immutability="Disabled",
    days=60,
    faults=(
        {"stale": 3, "path": "*/protecteditems/*", "count": 1, "skip": 5},
        {"stale": 4, "path": "*/protecteditems/*", "count": 1, "skip": 4},
        {"status": 504, "path": "*/protecteditems/*", "count": 3, "skip": 2},
    ),
    kills=(25, 1, 37),
)
"""Found by a longer run: reads that trail behind a write, while its answer was lost and the apply was killed twice."""
STALE_LIST = Drawn(
    machines=("disks", "disks", "foreign", "none", "foreign", "disks"),
    vault_exists=True,
    soft_delete_days=30,
    immutability="Disabled",
    days=60,
    faults=({"stale": 2, "path": "*", "count": 2, "skip": 2},),
    kills=(28, 10),
)
"""Found by a longer run: a list that still trailed when the faults were over, after the write was read back."""


def estate(drawn: Drawn) -> dict[str, Any]:
    def items(states: tuple[str, ...]) -> list[dict[str, Any]]:
        shapes = {
            "right": {"policy": "daily"},
            "other": {"policy": "elsewhere"},
            "stopped": {"state": "ProtectionStopped", "policy": "daily", "stoppedDaysAgo": 0},
            "deleted": {"state": "SoftDeleted", "policy": "daily", "deletedDaysAgo": 3},
            "pending": {"state": "IRPending", "policy": "daily"},
            "disks": {"policy": "daily", "disks": {"include": [0]}},
            "foreign": {"policy": "elsewhere"},
        }
        return [
            {"vm": f"rg-app/app-{number}", "historyDays": 5, **shapes[state]}
            for number, state in enumerate(drawn.machines)
            if state in states
        ]

    where = {"subscription": "Chaos", "location": "westeurope"}
    ours = {"name": "rsv-ours", "resourceGroup": "rg-backup", **where}
    ours["items"] = items(("right", "other", "stopped", "deleted", "pending", "disks"))
    foreign = {"name": "rsv-foreign", "resourceGroup": "rg-other", **where, "policies": ["elsewhere"]}
    foreign["items"] = items(("foreign",))
    return {
        "estate": "chaos",
        "clock": "2026-03-02T08:00:00+00:00",
        "subscriptions": [{"id": SUBSCRIPTION, "name": "Chaos"}],
        "resourceGroups": [
            {"subscription": "Chaos", "name": name, "location": "westeurope"}
            for name in ("rg-app", "rg-backup", "rg-other")
        ]
        + [{"subscription": "Chaos", "name": "rg-north", "location": "northeurope"}],
        "virtualMachines": [
            {
                "name": f"app-{number}",
                "resourceGroup": "rg-app",
                "os": "Linux",
                "dataDisks": [32],
                "tags": {"env": "lab" if state == "unselected" else "prod"},
            }
            for number, state in enumerate(drawn.machines)
        ],
        "backup": {
            "policies": {"daily": {"retention": {"daily": 30}}, "elsewhere": {"retention": {"daily": 14}}},
            "vaults": [*([ours] if drawn.vault_exists else []), foreign],
        },
    }


def policies(drawn: Drawn) -> str:
    return f"""
apiVersion: reconciler/v1
kind: Scope
name: chaos
subscriptions: {{prod: {SUBSCRIPTION}}}
---
apiVersion: reconciler/v1
kind: Vault
name: rsv-ours
subscription: prod
resourceGroup: rg-backup
location: westeurope
softDelete: {{state: 'On', days: {drawn.soft_delete_days}}}
immutability: {drawn.immutability}
---
apiVersion: reconciler/v1
kind: BackupPolicy
name: daily
tier: Standard
schedule: {{frequency: Daily, time: '22:00'}}
retention: {{daily: {{days: {drawn.days}}}}}
---
apiVersion: reconciler/v1
kind: Protection
name: all
select: {{tags: {{env: prod}}}}
backup: {{policy: daily}}
allowEmpty: true
{snapshots(drawn) if drawn.snapshots else ""}"""


def snapshots(drawn: Drawn) -> str:
    return f"""---
apiVersion: reconciler/v1
kind: SnapshotSchedule
name: every-day
every: 24h
keep: {{count: {KEPT}}}
{SCHEDULES[drawn.snapshots]}
---
apiVersion: reconciler/v1
kind: Protection
name: snapshots
select: {{tags: {{env: prod}}}}
snapshots: {{schedule: every-day}}
allowEmpty: true
"""
