"""Protection containers: removed by POST, for there is no DELETE (recorded: protection_container)."""

from __future__ import annotations

from reconciler.emulator.providers.backup_names import VAULT
from reconciler.emulator.providers.replication_fabrics import find_fabric
from reconciler.emulator.providers.replication_jobs import Target, Work, begin
from reconciler.emulator.providers.replication_lists import list_below
from reconciler.emulator.providers.replication_names import (
    CONTAINER,
    CONTAINERS,
    FABRIC,
    ITEMS,
    MAPPINGS,
    below,
    fabric_of,
    guid_of,
    parent_of,
    region_name,
    same,
    vault_of,
)
from reconciler.emulator.providers.replication_operations import accept
from reconciler.emulator.providers.replication_refusals import missing, refuse
from reconciler.emulator.providers.replication_scenarios import CREATE_CONTAINER, REMOVE_CONTAINER
from reconciler.emulator.router import Request, Response, Route
from reconciler.emulator.store import Body
from reconciler.emulator.world import World


def list_containers(world: World, request: Request) -> Response:
    """Those of a fabric, or of the whole vault."""
    if "fabric" in request.params:
        find_fabric(world, below(world, request).rpartition("/")[0])
    return list_below(world, request, CONTAINERS, view=lambda body: show_container(world, body))


def get_container(world: World, request: Request) -> Response:
    return Response(200, show_container(world, find_container(world, below(world, request))))


def find_container(world: World, container_id: str) -> Body:
    """A kept container. Raises 404 for one that is not there, or whose fabric is not."""
    body = world.store.get(container_id)
    if body is None:
        find_fabric(world, parent_of(container_id))
        raise missing("Protection Container", container_id.rpartition("/")[2])
    return body


def put_container(world: World, request: Request) -> Response:
    """One that is there is left as it is."""
    container_id = below(world, request)
    find_fabric(world, parent_of(container_id))
    held = world.store.get(container_id)
    body = held or container_body(container_id)
    work = Work("replication.unchanged" if held else "replication.stored", {"body": body}, body["id"])
    return accept(world, request, body["id"], begin(world, CREATE_CONTAINER, _target(body), work))


def remove_container(world: World, request: Request) -> Response:
    container_id = below(world, request).removesuffix("/remove")
    held = world.store.get(container_id)
    if held is None:
        return Response(204)
    items = world.store.ids(ITEMS, container_id)
    pairs = [body["name"] for body in _pairs(world, container_id)]
    if items or pairs:
        what = f"protected items, such as {items[0].rpartition('/')[2]}" if items else f"the mapping {pairs[0]}"
        message = f"The protection container {held['name']} cannot be removed because it has {what}."
        raise refuse("wire", "ProtectionContainerInUse", message, action="Remove what uses the container and retry.")
    operation = begin(world, REMOVE_CONTAINER, _target(held), Work("replication.removed", {}, held["id"]))
    return accept(world, request, held["id"], operation)


def _pairs(world: World, container_id: str) -> list[Body]:
    """Mappings from or to a container."""
    kept = world.store.list(MAPPINGS, vault_of(container_id))
    return [body for body in kept if same(parent_of(body["id"]), container_id) or same(body["target"], container_id)]


def container_body(container_id: str) -> Body:
    """A container as it is kept."""
    return {"id": container_id, "name": container_id.rpartition("/")[2], "type": CONTAINERS}


def show_container(world: World, body: Body) -> Body:
    """`role` says whether mappings go out of a container or only into it; "" without any."""
    pairs = _pairs(world, body["id"])
    is_source = any(same(parent_of(pair["id"]), body["id"]) for pair in pairs)
    return {
        "id": body["id"],
        "name": body["name"],
        "type": CONTAINERS,
        "properties": {
            "fabricFriendlyName": region_name(fabric_of(world, body["id"]).get("location", "")),
            "friendlyName": body["name"],
            "fabricType": "Azure",
            "protectedItemCount": world.store.count(ITEMS, body["id"]),
            "pairingStatus": "Paired" if pairs else "NotPaired",
            "role": ("Primary" if is_source else "Recovery") if pairs else "",
            "fabricSpecificDetails": None,
        },
    }


def _target(body: Body) -> Target:
    return Target(guid_of("container", parent_of(body["id"]), body["name"]), body["name"])


ROUTES: tuple[Route, ...] = (
    Route("GET", VAULT + "/replicationProtectionContainers", list_containers),
    Route("GET", FABRIC + "/replicationProtectionContainers", list_containers),
    Route("GET", CONTAINER, get_container),
    Route("PUT", CONTAINER, put_container),
    Route("POST", CONTAINER + "/remove", remove_container),
)
