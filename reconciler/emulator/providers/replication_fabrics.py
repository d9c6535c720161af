"""Fabrics of Azure: one a region, created one after the other (recorded: fabric)."""

from __future__ import annotations

from reconciler.emulator.providers.backup_names import VAULT
from reconciler.emulator.providers.replication_jobs import Target, Work, begin, check_used, open_jobs
from reconciler.emulator.providers.replication_lists import list_below
from reconciler.emulator.providers.replication_names import (
    CONTAINERS,
    FABRIC,
    FABRICS,
    REGIONS,
    below,
    guid_of,
    normal_region,
    region_name,
    vault_of,
)
from reconciler.emulator.providers.replication_operations import accept
from reconciler.emulator.providers.replication_refusals import missing, refuse
from reconciler.emulator.providers.replication_scenarios import CREATE_FABRIC, REMOVE_FABRIC
from reconciler.emulator.router import Request, Response, Route
from reconciler.emulator.store import Body
from reconciler.emulator.world import World


def list_fabrics(world: World, request: Request) -> Response:
    return list_below(world, request, FABRICS, view=lambda body: show_fabric(world, body))


def get_fabric(world: World, request: Request) -> Response:
    return Response(200, show_fabric(world, find_fabric(world, below(world, request))))


def find_fabric(world: World, fabric_id: str) -> Body:
    """A kept fabric. Raises 400 in a vault that was never used, 404 for one that is not there."""
    body = world.store.get(fabric_id)
    if body is None:
        check_used(world, vault_of(fabric_id))
        raise missing("Fabric", fabric_id.rpartition("/")[2])
    return body


def put_fabric(world: World, request: Request) -> Response:
    """A fabric that is there in the same region is left as it is. While one is made, a second one fails."""
    fabric_id = below(world, request)
    details = request.properties().get("customDetails") or {}
    location = normal_region(str(details.get("location", "")))
    if details.get("instanceType") != "Azure" or location not in REGIONS:
        raise refuse("ASR-10", "InvalidFabricLocation", f"The location '{details.get('location')}' is not supported.")
    held = world.store.get(fabric_id)
    if held and held["location"] != location:
        raise refuse(
            "wire", "FabricLocationMismatch", f"The fabric {held['name']} is in {region_name(held['location'])}."
        )
    vault = vault_of(fabric_id)
    other = next((body["name"] for body in world.store.list(FABRICS, vault) if body["location"] == location), None)
    if other and not held:
        message = f"The vault already has the fabric {other} for {region_name(location)}."
        raise refuse("wire", "FabricAlreadyExists", message, action="Use the fabric that exists.")
    body = fabric_body(fabric_id, location)
    busy = bool(open_jobs(world, vault, CREATE_FABRIC))
    completion = "replication.busy" if busy else "replication.unchanged" if held else "replication.stored"
    work = Work(completion, {"body": body}, fabric_id, seconds=1 if busy else None)
    return accept(world, request, fabric_id, begin(world, CREATE_FABRIC, _target(body), work))


def remove_fabric(world: World, request: Request) -> Response:
    """`remove` and DELETE (purge). Network mappings do not hold a fabric, containers do (recorded)."""
    fabric_id = below(world, request).removesuffix("/remove")
    held = world.store.get(fabric_id)
    if held is None:
        return Response(204)
    inside = world.store.ids(CONTAINERS, fabric_id)
    if inside:
        name = inside[0].rpartition("/")[2]
        message = f"The fabric {held['name']} cannot be deleted because it has the protection container {name}."
        raise refuse("wire", "FabricInUse", message, action="Remove its protection containers and retry.")
    operation = begin(world, REMOVE_FABRIC, _target(held), Work("replication.removed", {}, held["id"]))
    return accept(world, request, held["id"], operation)


def fabric_body(fabric_id: str, location: str) -> Body:
    """A fabric as it is kept."""
    return {"id": fabric_id, "name": fabric_id.rpartition("/")[2], "type": FABRICS, "location": location}


def show_fabric(world: World, body: Body) -> Body:
    """A fabric as it is served: its containers under guids that are not their names."""
    names = [name.rpartition("/")[2] for name in world.store.ids(CONTAINERS, body["id"])]
    guids = [guid_of("container", body["id"], name) for name in names]
    encryption = {"kekState": "None", "kekCertThumbprint": None}
    return {
        "name": body["name"],
        "type": FABRICS,
        "id": body["id"],
        "properties": {
            "friendlyName": region_name(body["location"]),
            "encryptionDetails": encryption,
            "rolloverEncryptionDetails": encryption,
            "internalIdentifier": guid_of("fabric", vault_of(body["id"]), body["location"]),
            "bcdrState": "Valid",
            "customDetails": {
                "instanceType": "Azure",
                "location": body["location"],
                "containerIds": [f"{body['id']}/replicationProtectionContainers/{guid}" for guid in guids],
                "zones": [],
            },
            "healthErrorDetails": [],
            "health": "Normal",
        },
    }


def _target(body: Body) -> Target:
    return Target(guid_of("fabric", vault_of(body["id"]), body["location"]), body["name"])


ROUTES: tuple[Route, ...] = (
    Route("GET", VAULT + "/replicationFabrics", list_fabrics),
    Route("GET", FABRIC, get_fabric),
    Route("PUT", FABRIC, put_fabric),
    Route("DELETE", FABRIC, remove_fabric),
    Route("POST", FABRIC + "/remove", remove_fabric),
)
