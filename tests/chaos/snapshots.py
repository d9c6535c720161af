"""The snapshots of a chaos run: those of the days before, those of others, and what must be there in the end."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from reconciler.emulator import portal
from reconciler.emulator.remote import Running
from tests.chaos.drawn import KEPT, SUBSCRIPTION, Drawn
from tests.chaos.holdings import SCOPE

API = "api-version=2025-01-02"
COMPUTE = "providers/Microsoft.Compute"
GROUP = f"{SCOPE}/rg-app/{COMPUTE}"
TODAY = datetime(2026, 3, 2, tzinfo=UTC)
BEFORE = tuple(TODAY - timedelta(days=day) for day in range(KEPT, 0, -1))
"""Slots of ours that are there when a run begins."""
_KIND = "reconciler-schedule", "reconciler-disk", "reconciler-slot"


def arm(running: Running, method: str, path: str, body: dict[str, Any] | None = None, more: str = "") -> Any:
    said = portal.request(running, method, f"{path}?{more}{API}", json.dumps(body) if body is not None else None)
    assert said.status < 300, said
    return json.loads(said.text) if said.text else None


def listed(running: Running, type_: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = arm(running, "GET", f"/subscriptions/{SUBSCRIPTION}/{COMPUTE}/{type_}")["value"]
    return found


def wanted_disks(running: Running, drawn: Drawn) -> list[dict[str, Any]]:
    """The disks of the VMs that the policies select."""
    chosen = {f"app-{number}" for number, state in enumerate(drawn.machines) if state != "unselected"}
    return [disk for disk in listed(running, "disks") if disk["managedBy"].rpartition("/")[2].lower() in chosen]


def put_before(running: Running, drawn: Drawn) -> None:
    """What was taken before, ours and others'."""
    if not drawn.snapshots:
        return
    disks = wanted_disks(running, drawn)
    for disk in disks:
        unique, source = disk["properties"]["uniqueId"], {"createOption": "Copy", "sourceResourceId": disk["id"]}
        body = {"location": disk["location"], "properties": {"creationData": source, "incremental": True}}
        arm(running, "PUT", f"{GROUP}/snapshots/theirs-{unique[:8]}-20260301T0000Z-abcdef", body)
        for slot in BEFORE if drawn.snapshots != "points" else ():
            tags = dict(zip(_KIND, ("every-day", unique, f"{slot:%Y-%m-%dT%H:%MZ}"), strict=True))
            digits = hashlib.sha256(f"every-day|{unique}".encode()).hexdigest()[:6]
            arm(running, "PUT", f"{GROUP}/snapshots/app-{slot:%Y%m%dT%H%MZ}-{digits}", {**body, "tags": tags})
            arm(running, "PUT", f"{GROUP}/snapshots/theirs-{unique[:8]}-{slot:%Y%m%d}", {**body, "tags": tags})
    if drawn.snapshots == "points" and disks:
        body = {"location": disks[0]["location"], "properties": {"source": {"id": disks[0]["managedBy"]}}}
        arm(running, "PUT", f"{GROUP}/restorePointCollections/theirs", body)
        arm(running, "PUT", f"{GROUP}/restorePointCollections/theirs/restorePoints/20260301T0000Z", {})
    running.advance("4h")


def others(running: Running) -> list[dict[str, Any]]:
    """All that has no tags of ours, or the tags and not the name."""
    points = [points_of(running, one) for one in listed(running, "restorePointCollections") if not one.get("tags")]
    return [*(one for one in listed(running, "snapshots") if one["name"].startswith("theirs")), *points]


def points_of(running: Running, collection: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = arm(running, "GET", collection["id"], more="$expand=restorePoints&")
    return found


def check_snapshots(running: Running, drawn: Drawn) -> None:
    """Of every disk (or VM) that the policies select: the slot of today, and the newest one before it."""
    if not drawn.snapshots:
        return
    running.advance("10m")  # what nobody could ask for ends, too
    if drawn.snapshots == "points":
        found, wanted = _points(running), {disk["managedBy"].lower() for disk in wanted_disks(running, drawn)}
    else:
        found, wanted = _taken(running), {disk["properties"]["uniqueId"] for disk in wanted_disks(running, drawn)}
    now = datetime.fromisoformat(running.status()["now"])
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    for key in wanted:
        home = sorted(found.get((key, "westeurope"), []))
        assert len(home) == len(set(home)), f"taken twice: {home}"
        assert home[-1] == today, f"{key}: the slot of today is missing: {home}"
        if drawn.snapshots != "points":
            assert len(home) == KEPT, home
            assert home[0] >= BEFORE[-1], f"{key}: the newest of those that were there is lost: {home}"
        copies = sorted(found.get((key, "northeurope"), []))
        assert copies[-1:] == ([today] if drawn.snapshots == "copies" else []), copies
        assert len(copies) == len(set(copies)), f"copied twice: {copies}"
    assert {key for key, _ in found} == wanted


def _taken(running: Running) -> dict[tuple[str, str], list[datetime]]:
    found: dict[tuple[str, str], list[datetime]] = {}
    for one in listed(running, "snapshots"):
        tags, properties = one.get("tags") or {}, one["properties"]
        if one["name"].startswith("theirs"):
            continue
        assert properties["provisioningState"] == "Succeeded", one
        assert properties.get("completionPercent", 100) == 100, one
        found.setdefault((tags[_KIND[1]], one["location"]), []).append(datetime.fromisoformat(tags[_KIND[2]]))
    return found


def _points(running: Running) -> dict[tuple[str, str], list[datetime]]:
    found: dict[tuple[str, str], list[datetime]] = {}
    for one in listed(running, "restorePointCollections"):
        if not one.get("tags"):
            continue
        for point in points_of(running, one)["properties"].get("restorePoints", []):
            assert point["properties"]["provisioningState"] == "Succeeded", point
            slot = datetime.strptime(f"{point['name']}+0000", "%Y%m%dT%H%MZ%z")
            found.setdefault((one["properties"]["source"]["id"].lower(), one["location"]), []).append(slot)
    return found
