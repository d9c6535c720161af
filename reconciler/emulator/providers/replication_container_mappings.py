"""Container mappings: which policy replicates from one container to another, in one direction (recorded)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.emulator.providers.automation import ACCOUNTS
from reconciler.emulator.providers.backup_names import VAULT
from reconciler.emulator.providers.replication_containers import find_container
from reconciler.emulator.providers.replication_jobs import Target, Work, begin, check_used
from reconciler.emulator.providers.replication_lists import list_below
from reconciler.emulator.providers.replication_names import (
    CONTAINER,
    ITEMS,
    MAPPING,
    MAPPINGS,
    SOURCE_ONLY,
    TARGET_ONLY,
    below,
    guid_of,
    location_of,
    name_of,
    parent_of,
    region_name,
    same,
    subscription_of,
    vault_of,
)
from reconciler.emulator.providers.replication_operations import accept
from reconciler.emulator.providers.replication_policies import find_policy
from reconciler.emulator.providers.replication_refusals import missing, refuse
from reconciler.emulator.providers.replication_scenarios import PAIR_CONTAINERS, UNPAIR_CONTAINERS, UPDATE_PAIR
from reconciler.emulator.router import Request, Response, Route
from reconciler.emulator.store import Body
from reconciler.emulator.world import World

KNOWN_SECONDS = 1
"""A mapping that is there already is found in a second; a new one takes over a minute."""


def list_mappings(world: World, request: Request) -> Response:
    """Those of a container, or of the whole vault."""
    if "container" in request.params:
        find_container(world, below(world, request).rpartition("/")[0])
    return list_below(world, request, MAPPINGS, view=lambda body: show_mapping(world, body))


def get_mapping(world: World, request: Request) -> Response:
    return Response(200, show_mapping(world, _find(world, below(world, request))))


def _find(world: World, mapping_id: str) -> Body:
    body = world.store.get(mapping_id)
    if body is None:
        check_used(world, vault_of(mapping_id))
        raise missing("Protection Container Mapping", name_of(mapping_id))
    return body


def put_mapping(world: World, request: Request) -> Response:
    mapping_id = below(world, request)
    container = find_container(world, parent_of(mapping_id))
    sent = request.properties()
    policy = find_policy(world, str(sent.get("policyId", "")))
    target = find_container(world, str(sent.get("targetProtectionContainerId", "")))
    _check_pair(container, target)
    _check_regions(location_of(world, mapping_id), location_of(world, target["id"]))
    held = world.store.get(mapping_id)
    body = mapping_body(mapping_id, policy["id"], target["id"], sent.get("providerSpecificInput") or {})
    if held and not (same(held["policy"], policy["id"]) and same(held["target"], target["id"])):
        message = f"The protection container mapping {held['name']} exists with another policy or target."
        raise refuse("wire", "ProtectionContainerMappingExists", message, action="Remove the mapping and retry.")
    _check_automation(world, body)
    work = Work("replication.stored", {"body": body}, body["id"], seconds=KNOWN_SECONDS if held else None)
    return accept(world, request, body["id"], begin(world, PAIR_CONTAINERS, _target(policy), work))


def patch_mapping(world: World, request: Request) -> Response:
    """Only the agent's updates can be changed."""
    held = _find(world, below(world, request))
    body = mapping_body(
        held["id"], held["policy"], held["target"], request.properties().get("providerSpecificInput") or {}
    )
    _check_automation(world, body)
    work = Work("replication.stored", {"body": body}, held["id"])
    return accept(world, request, held["id"], begin(world, UPDATE_PAIR, _target(_policy(world, held)), work))


def remove_mapping(world: World, request: Request) -> Response:
    """`remove` and DELETE (purge); items that replicate through it hold it."""
    mapping_id = below(world, request).removesuffix("/remove")
    held = world.store.get(mapping_id)
    if held is None:
        return Response(204)
    items = world.store.list(ITEMS, parent_of(mapping_id), where=lambda body: same(body["target"], held["target"]))
    if items:
        raise refuse(
            "wire",
            "ProtectionContainerMappingInUse",
            f"The mapping {held['name']} cannot be removed because {len(items)} protected items use it.",
            causes=f"The protected item {items[0]['name']} replicates through the mapping.",
            action="Disable the replication of all items that use the mapping and retry.",
        )
    target = _target(_policy(world, held))
    operation = begin(world, UNPAIR_CONTAINERS, target, Work("replication.removed", {}, held["id"]))
    return accept(world, request, held["id"], operation)


def find_pair(world: World, source: str, target: str) -> Body | None:
    """The mapping from one container to another; None without one."""
    pairs = world.store.list(MAPPINGS, source, where=lambda body: same(body["target"], target))
    return pairs[0] if pairs else None


def _check_pair(source: Body, target: Body) -> None:
    if same(source["id"], target["id"]) or not same(vault_of(source["id"]), vault_of(target["id"])):
        message = "The target protection container must be another container of the same vault."
        raise refuse("ASR-10", "InvalidTargetProtectionContainer", message)


def _check_regions(source: str, target: str) -> None:
    """Restricted pairs (ASR-10); the service's own words were not found."""
    if target in SOURCE_ONLY or source in TARGET_ONLY:
        message = f"Replication from {region_name(source)} to {region_name(target)} is not supported."
        raise refuse("ASR-10", "RegionPairNotSupported", message)


def _check_automation(world: World, body: Mapping[str, Any]) -> None:
    """ASR-41: one automation account a vault, in the vault's subscription."""
    account = body["agent"]["automationAccountArmId"]
    if body["agent"]["agentAutoUpdateStatus"] != "Enabled":
        return
    kept = world.store.get(account or "")
    if kept is None or kept["type"] != ACCOUNTS or subscription_of(account) != subscription_of(body["id"]):
        message = f"The automation account {account} is not in the vault's subscription."
        raise refuse("ASR-41", "AutomationAccountNotFound", message)
    for other in world.store.list(MAPPINGS, vault_of(body["id"])):
        theirs = other["agent"]["automationAccountArmId"]
        if theirs and not same(theirs, account) and not same(other["id"], body["id"]):
            message = f"The mapping {other['name']} of this vault uses another automation account."
            raise refuse("ASR-41", "AutomationAccountConflict", message)


def mapping_body(mapping_id: str, policy: str, target: str, sent: Mapping[str, Any]) -> Body:
    """A mapping as it is kept. The retired RunAsAccount is shown where nothing was said (recorded)."""
    enabled = sent.get("agentAutoUpdateStatus") == "Enabled"
    name = name_of(mapping_id)
    agent = {
        "instanceType": "A2A",
        "agentAutoUpdateStatus": "Enabled" if enabled else "Disabled",
        "automationAccountAuthenticationType": sent.get("automationAccountAuthenticationType") or "RunAsAccount",
        "automationAccountArmId": sent.get("automationAccountArmId") if enabled else None,
        "scheduleName": f"asr-agent-update-{guid_of('schedule', mapping_id)}" if enabled else None,
        "jobScheduleName": guid_of("job schedule", mapping_id) if enabled else None,
    }
    return {"id": mapping_id, "name": name, "type": MAPPINGS, "policy": policy, "target": target, "agent": agent}


def show_mapping(world: World, body: Body) -> Body:
    source = parent_of(body["id"])
    return {
        "id": body["id"],
        "name": body["name"],
        "type": MAPPINGS,
        "properties": {
            "targetProtectionContainerId": body["target"],
            "targetProtectionContainerFriendlyName": name_of(body["target"]),
            "providerSpecificDetails": body["agent"],
            "health": "Normal",
            "healthErrorDetails": [],
            "policyId": body["policy"],
            "state": "Paired",
            "sourceProtectionContainerFriendlyName": name_of(source),
            "sourceFabricFriendlyName": region_name(location_of(world, source)),
            "targetFabricFriendlyName": region_name(location_of(world, body["target"])),
            "policyFriendlyName": name_of(body["policy"]),
        },
    }


def _policy(world: World, mapping: Body) -> Body:
    return world.store.get(mapping["policy"]) or {"id": mapping["policy"], "name": name_of(mapping["policy"])}


def _target(policy: Body) -> Target:
    return Target(guid_of("policy", policy["id"]), policy["name"])


_COLLECTION = "/replicationProtectionContainerMappings"
ROUTES: tuple[Route, ...] = (
    Route("GET", VAULT + _COLLECTION, list_mappings),
    Route("GET", CONTAINER + _COLLECTION, list_mappings),
    Route("GET", MAPPING, get_mapping),
    Route("PUT", MAPPING, put_mapping),
    Route("PATCH", MAPPING, patch_mapping),
    Route("DELETE", MAPPING, remove_mapping),
    Route("POST", MAPPING + "/remove", remove_mapping),
)
