"""Networks of Azure fabrics and their mappings: whole ids come back in lower case (recorded: network_mapping)."""

from __future__ import annotations

from reconciler.emulator.providers.backup_names import VAULT
from reconciler.emulator.providers.replication_fabrics import find_fabric
from reconciler.emulator.providers.replication_jobs import Target, Work, begin, check_used
from reconciler.emulator.providers.replication_lists import list_below
from reconciler.emulator.providers.replication_names import (
    FABRIC,
    NETWORK_MAPPING,
    NETWORK_MAPPINGS,
    NETWORKS,
    below,
    guid_of,
    name_of,
    region_name,
    same,
    vault_id,
    vault_of,
)
from reconciler.emulator.providers.replication_operations import accept
from reconciler.emulator.providers.replication_refusals import missing, refuse
from reconciler.emulator.providers.replication_scenarios import PAIR_NETWORKS, UNPAIR_NETWORKS
from reconciler.emulator.router import Request, Response, Route
from reconciler.emulator.store import Body
from reconciler.emulator.world import World


def list_network_mappings(world: World, request: Request) -> Response:
    """Those of a network, or of the whole vault."""
    return list_below(world, request, NETWORK_MAPPINGS, view=lambda body: show_network_mapping(world, body))


def list_networks(world: World, request: Request) -> Response:
    """Networks of Azure fabrics are not known to the service: only their mappings are (inferred)."""
    check_used(world, vault_id(world, request))
    return Response(200, {"value": [], "nextLink": None})


def get_network_mapping(world: World, request: Request) -> Response:
    return Response(200, show_network_mapping(world, _find(world, below(world, request))))


def _find(world: World, mapping_id: str) -> Body:
    body = world.store.get(mapping_id)
    if body is None:
        check_used(world, vault_of(mapping_id))
        raise missing("Network Mapping", name_of(mapping_id))
    return body


def put_network_mapping(world: World, request: Request) -> Response:
    """The segment after `replicationNetworks` is free."""
    mapping_id = below(world, request)
    fabric = find_fabric(world, _fabric_id(mapping_id))
    sent = request.properties()
    details = sent.get("fabricSpecificDetails") or {}
    target = find_fabric(world, f"{vault_of(mapping_id)}/replicationFabrics/{sent.get('recoveryFabricName') or ''}")
    if details.get("instanceType") != "AzureToAzure":
        raise refuse("wire", "InvalidParameter", "fabricSpecificDetails.instanceType must be AzureToAzure.")
    primary, recovery = str(details.get("primaryNetworkId") or ""), str(sent.get("recoveryNetworkId") or "")
    _check_network(world, primary, fabric["location"])
    _check_network(world, recovery, target["location"])
    body = network_mapping_body(mapping_id, primary, recovery, target["id"])
    work = Work("replication.stored", {"body": body}, mapping_id)
    return accept(world, request, mapping_id, begin(world, PAIR_NETWORKS, _target(body), work))


def delete_network_mapping(world: World, request: Request) -> Response:
    mapping_id = below(world, request)
    held = world.store.get(mapping_id)
    if held is None:
        return Response(204)
    operation = begin(world, UNPAIR_NETWORKS, _target(held), Work("replication.removed", {}, held["id"]))
    return accept(world, request, held["id"], operation)


def _check_network(world: World, network_id: str, location: str) -> None:
    """ASR-14: a network lies in the region of its fabric."""
    network = world.store.get(network_id)
    if network is None or network["type"] != NETWORKS:
        raise refuse("ASR-14", "NetworkNotFound", f"The virtual network {network_id} could not be found.")
    if network["location"] != location:
        message = f"The virtual network {network['name']} is not in {region_name(location)}."
        raise refuse("ASR-14", "NetworkLocationMismatch", message)


def mapped_network(world: World, fabric_id: str, network_id: str, target_fabric: str) -> str:
    """The network that another one is mapped to, in the spelling of the mapping; "" without a mapping."""
    for body in world.store.list(NETWORK_MAPPINGS, fabric_id):
        if same(body["primary"], network_id) and same(body["target"], target_fabric):
            return str(body["recovery"])
    return ""


def network_mapping_body(mapping_id: str, primary: str, recovery: str, target_fabric: str) -> Body:
    """A mapping as it is kept."""
    return {
        "id": mapping_id,
        "name": name_of(mapping_id),
        "type": NETWORK_MAPPINGS,
        "primary": primary.lower(),
        "recovery": recovery.lower(),
        "target": target_fabric,
    }


def show_network_mapping(world: World, body: Body) -> Body:
    source = str((world.store.get(_fabric_id(body["id"])) or {}).get("location", ""))
    target = str((world.store.get(body["target"]) or {}).get("location", ""))
    return {
        "type": NETWORK_MAPPINGS,
        "id": body["id"],
        "name": body["name"],
        "properties": {
            "state": "Paired",
            "primaryNetworkFriendlyName": name_of(body["primary"]),
            "primaryNetworkId": body["primary"],
            "primaryFabricFriendlyName": region_name(source),
            "recoveryNetworkFriendlyName": name_of(body["recovery"]),
            "recoveryNetworkId": body["recovery"],
            "recoveryFabricArmId": body["target"],
            "recoveryFabricFriendlyName": region_name(target),
            "fabricSpecificSettings": {
                "instanceType": "AzureToAzure",
                "primaryFabricLocation": source,
                "recoveryFabricLocation": target,
            },
        },
    }


def _fabric_id(mapping_id: str) -> str:
    return mapping_id.partition("/replicationNetworks/")[0]


def _target(body: Body) -> Target:
    return Target(guid_of("network", body["primary"]), name_of(body["primary"]))


ROUTES: tuple[Route, ...] = (
    Route("GET", VAULT + "/replicationNetworks", list_networks),
    Route("GET", FABRIC + "/replicationNetworks", list_networks),
    Route("GET", VAULT + "/replicationNetworkMappings", list_network_mappings),
    Route("GET", FABRIC + "/replicationNetworks/{network}/replicationNetworkMappings", list_network_mappings),
    Route("GET", NETWORK_MAPPING, get_network_mapping),
    Route("PUT", NETWORK_MAPPING, put_network_mapping),
    Route("PATCH", NETWORK_MAPPING, put_network_mapping),
    Route("DELETE", NETWORK_MAPPING, delete_network_mapping),
)
