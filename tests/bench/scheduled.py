"""A generated estate in which every VM has daily snapshots: what was taken on the days before, and the policies.

Of each disk one snapshot is due and one has to go: what a plan finds every morning.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from reconciler.emulator import portal
from reconciler.emulator.generate import Generation, generate, subscription_ids
from reconciler.emulator.remote import Running

KEPT = 3
CLOCK = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
KEEP = {"count": KEPT}
API = "api-version=2025-01-02"


def write_schedule(directory: Path) -> None:
    """Daily snapshots of every disk, the newest three kept."""
    schedule = {"kind": "SnapshotSchedule", "name": "daily", "every": "24h", "keep": KEEP, "consistency": "perDisk"}
    select = {"any": [{"tags": {"env": ["prod", "test", "dev"]}}]}
    protection = {"kind": "Protection", "name": "snapshots", "select": select, "snapshots": {"schedule": "daily"}}
    documents = [{"apiVersion": "reconciler/v1", **one} for one in (schedule, protection)]
    (directory / "snapshots.yaml").write_text(yaml.safe_dump_all(documents, sort_keys=False), encoding="utf-8")


def scheduled_estate(running: Running, wanted: Generation) -> dict[str, Any]:
    """The estate that `running` was generated from, and the snapshots that the schedule took of its disks."""
    taken = [one for disk in _disks(running, wanted) for one in _snapshots_of(disk)]
    return {**generate(wanted), "clock": CLOCK.isoformat(), "snapshots": taken}


def _disks(running: Running, wanted: Generation) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for subscription in subscription_ids(wanted).values():
        link: str | None = f"/subscriptions/{subscription}/providers/Microsoft.Compute/disks?{API}"
        while link:
            page = json.loads(portal.request(running, "GET", link.removeprefix(running.endpoint)).text)
            found += page["value"]
            link = page.get("nextLink")
    return [disk for disk in found if disk.get("managedBy")]


def _snapshots_of(disk: dict[str, Any]) -> list[dict[str, Any]]:
    """Those of the days before, as an apply of that day left them."""
    _, _, subscription, _, group, *_, name = disk["id"].split("/")
    unique, today = disk["properties"]["uniqueId"], CLOCK.replace(hour=0)
    digits = hashlib.sha256(f"daily|{unique}".encode()).hexdigest()[:6]
    return [
        {
            "name": f"{name}-{slot:%Y%m%dT%H%MZ}-{digits}",
            "subscription": subscription,
            "resourceGroup": group,
            "disk": disk["id"],
            "age": f"{(CLOCK - slot) // timedelta(hours=1) - 1}h",
            "tags": {
                "reconciler-schedule": "daily",
                "reconciler-slot": f"{slot:%Y-%m-%dT%H:%MZ}",
                "reconciler-disk": unique,
                "reconciler-vm": disk["managedBy"],
                "reconciler-keep": json.dumps(KEEP, separators=(",", ":")),
            },
        }
        for slot in (today - timedelta(days=day) for day in range(1, KEPT + 1))
    ]
