"""Replication policies (recorded: policy). A value out of range is accepted, and the operation fails (ASR-01, -02)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.emulator.operations import Operation
from reconciler.emulator.providers.backup_names import VAULT
from reconciler.emulator.providers.replication_jobs import Target, Work, begin, check_used
from reconciler.emulator.providers.replication_lists import list_below
from reconciler.emulator.providers.replication_names import MAPPINGS, POLICIES, POLICY, below, guid_of, same, vault_of
from reconciler.emulator.providers.replication_operations import accept
from reconciler.emulator.providers.replication_refusals import fail, missing, refuse
from reconciler.emulator.providers.replication_scenarios import CREATE_POLICY, REMOVE_POLICY, UPDATE_POLICY
from reconciler.emulator.router import Request, Response, Route
from reconciler.emulator.store import Body
from reconciler.emulator.world import Completion, World

LONGEST_HISTORY = 21_600  # minutes: 15 days of managed disks
SHORTEST_APP_CONSISTENT, LONGEST_APP_CONSISTENT = 60, 720
CRASH_CONSISTENT = 5
_NUMBERS = ("recoveryPointHistory", "appConsistentFrequencyInMinutes", "crashConsistentFrequencyInMinutes")


def list_policies(world: World, request: Request) -> Response:
    return list_below(world, request, POLICIES)


def get_policy(world: World, request: Request) -> Response:
    return Response(200, find_policy(world, below(world, request)))


def find_policy(world: World, policy_id: str) -> Body:
    """A policy's body. Raises 400 in a vault that was never used, 404 for a policy that is not there."""
    body = world.store.get(policy_id)
    if body is None:
        check_used(world, vault_of(policy_id))
        raise missing("Policy", policy_id.rpartition("/")[2])
    return body


def put_policy(world: World, request: Request) -> Response:
    policy_id = below(world, request)
    sent = request.properties().get("providerSpecificInput") or {}
    body = policy_body(policy_id, _read(sent, {}))
    held = world.store.get(policy_id)
    scenario = UPDATE_POLICY if held else CREATE_POLICY
    work = Work("replication.policySaved", {"body": body}, held["id"] if held else policy_id)
    return accept(world, request, policy_id, begin(world, scenario, _target(body), work))


def patch_policy(world: World, request: Request) -> Response:
    """The body of a change names its settings otherwise than that of a creation."""
    held = find_policy(world, below(world, request))
    sent = request.properties().get("replicationProviderSettings") or {}
    before = held["properties"]["providerSpecificDetails"]
    body = policy_body(held["id"], _read(sent, before))
    work = Work("replication.policySaved", {"body": body}, held["id"])
    return accept(world, request, held["id"], begin(world, UPDATE_POLICY, _target(body), work))


def delete_policy(world: World, request: Request) -> Response:
    policy_id = below(world, request)
    held = world.store.get(policy_id)
    if held is None:
        return Response(204)
    used = [body for body in world.store.list(MAPPINGS) if same(body["policy"], policy_id)]
    if used:
        raise refuse(
            "ASR-05",
            "PolicyInUse",
            f"The replication policy {held['name']} cannot be deleted because it is associated with a container.",
            causes=f"The mapping {used[0]['name']} uses the policy.",
            action="Remove all container mappings that use the policy and retry.",
        )
    operation = begin(world, REMOVE_POLICY, _target(held), Work("replication.removed", {}, held["id"]))
    return accept(world, request, held["id"], operation)


def policy_body(policy_id: str, settings: Mapping[str, Any]) -> Body:
    """A policy as it is kept and served. ``settings`` in minutes, in the words of an answer."""
    name = policy_id.rpartition("/")[2]
    return {
        "id": policy_id,
        "name": name,
        "type": POLICIES,
        "properties": {
            "friendlyName": name,
            "providerSpecificDetails": {
                "instanceType": "A2A",
                "recoveryPointThresholdInMinutes": 0,
                "recoveryPointHistory": settings.get("recoveryPointHistory", 0),
                "appConsistentFrequencyInMinutes": settings.get("appConsistentFrequencyInMinutes", 0),
                "multiVmSyncStatus": settings.get("multiVmSyncStatus", "Enabled"),
                "crashConsistentFrequencyInMinutes": settings.get(
                    "crashConsistentFrequencyInMinutes", CRASH_CONSISTENT
                ),
            },
        },
    }


def _read(sent: Mapping[str, Any], before: Mapping[str, Any]) -> Body:
    """`Enable` and `Disable` go in, `Enabled` and `Disabled` come out. Raises 400 for what is no policy of A2A."""
    if sent.get("instanceType") != "A2A":
        raise refuse("ASR-03", "ProviderNotSupported", f"The provider {sent.get('instanceType')} is not supported.")
    sync = sent.get("multiVmSyncStatus")
    if sync not in ("Enable", "Disable"):
        raise refuse("ASR-03", "InvalidParameter", "multiVmSyncStatus must be Enable or Disable.")
    numbers = {name: sent[name] for name in _NUMBERS if isinstance(sent.get(name), int)}
    return {**before, **numbers, "multiVmSyncStatus": f"{sync}d"}


def check_ranges(settings: Mapping[str, Any]) -> None:
    """Raises what the operation fails with when a value is out of range."""
    history, app, crash = (settings[name] for name in _NUMBERS)
    wrong = ""
    if not 0 <= history <= LONGEST_HISTORY:
        wrong = f"Recovery point retention must be between 0 and {LONGEST_HISTORY} minutes, and is {history}."
    elif app and not SHORTEST_APP_CONSISTENT <= app <= LONGEST_APP_CONSISTENT:
        wrong = f"App consistent snapshot frequency can't be less than {SHORTEST_APP_CONSISTENT} minutes."
        if app > LONGEST_APP_CONSISTENT:
            wrong = f"App consistent snapshot frequency can't be more than {LONGEST_APP_CONSISTENT} minutes."
    elif app > history:
        wrong = "App consistent snapshot frequency can't be more than the recovery point retention."
    elif crash != CRASH_CONSISTENT:
        wrong = f"Crash consistent snapshot frequency must be {CRASH_CONSISTENT} minutes."
    if wrong:
        rule = "ASR-01" if "retention must" in wrong else "ASR-03" if "Crash" in wrong else "ASR-02"
        raise fail(rule, "150261", "Replication policy creation failed.", cause=wrong)


def save_policy(world: World, operation: Operation) -> None:
    body = operation.arguments["body"]
    check_ranges(body["properties"]["providerSpecificDetails"])
    world.store.put(body["id"], POLICIES, body)


def _target(body: Body) -> Target:
    return Target(guid_of("policy", body["id"]), body["name"])


ROUTES: tuple[Route, ...] = (
    Route("GET", VAULT + "/replicationPolicies", list_policies),
    Route("GET", POLICY, get_policy),
    Route("PUT", POLICY, put_policy),
    Route("PATCH", POLICY, patch_policy),
    Route("DELETE", POLICY, delete_policy),
)
COMPLETIONS: Mapping[str, Completion] = {"replication.policySaved": save_policy}
