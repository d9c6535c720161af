"""Bodies of snapshots: what is made of a request, what a change makes of them, which skus a region has."""

from __future__ import annotations

from typing import Any

from reconciler.emulator.failures import ArmError
from reconciler.emulator.providers.compute_bodies import offset_stamp
from reconciler.emulator.providers.disk_resources import READ_ONLY, fixed, in_capitals, invalid, region_of
from reconciler.emulator.providers.resources import group_id
from reconciler.emulator.providers.snapshot_families import GIB, SNAPSHOTS, Content, family_id
from reconciler.emulator.router import Request
from reconciler.emulator.store import Body
from reconciler.emulator.world import World

INCREMENTAL_SKUS = ("Standard_LRS", "Standard_ZRS")
SKUS = (*INCREMENTAL_SKUS, "Premium_LRS")
WITHOUT_ZONES = (
    "australiacentral", "australiacentral2", "australiasoutheast", "brazilsoutheast", "canadaeast", "francesouth",
    "germanynorth", "jioindiacentral", "jioindiawest", "koreasouth", "northcentralus", "norwaywest",
    "southafricawest", "southindia", "switzerlandwest", "uaecentral", "ukwest", "westcentralus", "westindia", "westus",
)  # fmt: skip
"""Regions of the public cloud that have no availability zones, and so no ZRS."""
FIXED = ("creationData", "incremental")
"""Properties that cannot be changed once the snapshot exists; nor can its location."""
INHERITED = ("osType", "hyperVGeneration", "supportedCapabilities", "supportsHibernation", "securityProfile")


def new_snapshot(world: World, request: Request, given: Body, source: Body | None) -> Body:
    """A body without its family: ``add_family`` knows what it holds."""
    properties = request.properties()
    location, incremental = region_of(given), bool(properties.get("incremental", False))
    filled = fill_properties(properties, source["properties"] if source else {}, world)
    name = request.params["snapshot"]
    return {
        "name": name,
        "id": f"{group_id(world, request)}/providers/{SNAPSHOTS}/{name}",
        "type": SNAPSHOTS,
        "location": location,
        "tags": given.get("tags") or {},
        "sku": snapshot_sku((given.get("sku") or {}).get("name"), location, incremental=incremental),
        "properties": in_capitals(filled),
    }


def fill_properties(properties: Body, source: Body, world: World) -> Body:
    """What was sent, with what comes from the properties of the source and what the service adds."""
    creation = dict(properties.get("creationData") or {})
    if source:
        creation["sourceUniqueId"] = source["uniqueId"]
    if "logicalSectorSize" in source.get("creationData", {}):
        creation["logicalSectorSize"] = source["creationData"]["logicalSectorSize"]
    size = properties.get("diskSizeGB") or source.get("diskSizeGB", 0)
    if not size:
        raise invalid("diskSizeGB", "Required parameter 'diskSizeGB' is missing (null).")
    filled: dict[str, Any] = {name: source[name] for name in INHERITED if name in source}
    filled |= {name: properties[name] for name in ("osType", "hyperVGeneration") if properties.get(name)}
    filled |= {
        "creationData": creation,
        "diskSizeGB": size,
        "encryption": properties.get("encryption") or {"type": "EncryptionAtRestWithPlatformKey"},
        "incremental": bool(properties.get("incremental", False)),
        "networkAccessPolicy": properties.get("networkAccessPolicy", "AllowAll"),
        "publicNetworkAccess": properties.get("publicNetworkAccess", "Enabled"),
        "timeCreated": offset_stamp(world.clock.now()),
        "diskState": "Unattached",
        "diskSizeBytes": size * GIB,
        "uniqueId": world.new_guid(),
    }
    if properties.get("diskAccessId"):
        filled["diskAccessId"] = properties["diskAccessId"]
    return filled


def add_family(body: Body, content: Content) -> None:
    if body["properties"]["incremental"]:
        body["properties"]["incrementalSnapshotFamilyId"] = family_id(content, body["location"])


def change_snapshot(existing: Body, given: Body) -> Body:
    """Tags and sku are replaced, properties laid over those that are there. Raises ArmError 409 for what is fixed."""
    held, properties = existing["properties"], given.get("properties") or {}
    if given.get("location") and region_of(given) != existing["location"]:
        raise fixed("location")
    for name in FIXED:
        if not _is_same(held[name], properties.get(name, held[name])):
            raise fixed(name)
    changed = {name: value for name, value in properties.items() if name not in (*FIXED, *READ_ONLY)}
    body = {**existing, "properties": in_capitals({**held, **changed})}
    if body["properties"]["diskSizeGB"] < held["diskSizeGB"]:
        raise ArmError(409, "OperationNotAllowed", f"Snapshot {existing['name']} cannot be made smaller.")
    body["properties"]["diskSizeBytes"] = body["properties"]["diskSizeGB"] * GIB
    if "tags" in given:
        body["tags"] = given["tags"] or {}
    if given.get("sku"):
        body["sku"] = snapshot_sku(given["sku"]["name"], existing["location"], incremental=held["incremental"])
    return body


def snapshot_sku(name: str | None, location: str, *, incremental: bool) -> Body:
    """Incremental ones are zone-redundant by default, where the region has zones (SN-02). Raises ArmError 400."""
    zonal = location not in WITHOUT_ZONES
    if name is None:
        name = "Standard_ZRS" if incremental and zonal else "Standard_LRS"
    there = [sku for sku in (INCREMENTAL_SKUS if incremental else SKUS) if zonal or not sku.endswith("_ZRS")]
    if name not in there:
        resource = "IncrementalSnapshot" if incremental else "Snapshot"
        message = (
            f"SKU {name} is not supported for resource type {resource} in this region. "
            f"Supported SKUs for this region are {','.join(there)}"
        )
        raise invalid("sku", message)
    return {"name": name, "tier": name.partition("_")[0]}


def _is_same(held: Any, wanted: Any) -> bool:
    if not isinstance(wanted, dict):
        return bool(held == wanted)
    given = {name: value for name, value in wanted.items() if value is not None}
    return all(str(held.get(name)).lower() == str(value).lower() for name, value in given.items())
