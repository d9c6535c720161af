"""Recovery plans as they are served: one with its groups, a list without any (recorded: recovery_plan)."""

from __future__ import annotations

from reconciler.emulator.clock import stamp
from reconciler.emulator.providers.replication_item_state import Item, allowed_operations, parse
from reconciler.emulator.providers.replication_jobs import OPEN, find_job, standing_of
from reconciler.emulator.providers.replication_names import PLANS, entity_guid, region_name, vault_of
from reconciler.emulator.store import Body
from reconciler.emulator.world import World

_ASKED = ("UnplannedFailover", "TestFailover", "TestFailoverCleanup", "Commit", "ReverseReplicate")


def members_of(world: World, plan: Body) -> list[Item]:
    """The items of a plan, group by group; one that is gone is left out."""
    ids = [member["id"] for group in plan["groups"] for member in group["replicationProtectedItems"]]
    bodies = (world.store.get(item_id) for item_id in ids)
    return [parse(body) for body in bodies if body is not None]


def plan_operations(world: World, plan: Body) -> list[str]:
    """What every item of a plan allows; nothing while a job works on the plan."""
    if current_job(world, plan) is not None:
        return []
    items = members_of(world, plan)
    allowed = [set(allowed_operations(item)) for item in items]
    shared = set.intersection(*allowed) if allowed else set()
    if any("TestFailoverCleanup" in one for one in allowed):
        shared = {"TestFailoverCleanup"}
    return [operation for operation in _ASKED if operation in shared]


def current_job(world: World, plan: Body) -> str | None:
    """The name of the job that works on a plan."""
    job = find_job(world, vault_of(plan["id"]), plan["job"]) if plan.get("job") else None
    return job.name if job is not None and standing_of(world, job).state in OPEN else None


def show_plan(world: World, plan: Body) -> Body:
    fabrics = [str((world.store.get(plan[side]) or {}).get("location", "")) for side in ("primary", "recovery")]
    properties: Body = {
        "friendlyName": plan["name"],
        "primaryFabricId": plan["primary"],
        "primaryFabricFriendlyName": region_name(fabrics[0]),
        "recoveryFabricId": plan["recovery"],
        "recoveryFabricFriendlyName": region_name(fabrics[1]),
        "failoverDeploymentModel": "ResourceManager",
        "replicationProviders": ["A2A"],
        "allowedOperations": plan_operations(world, plan),
        **plan["times"],
        **_scenario(world, plan),
        "groups": [_show_group(group) for group in plan["groups"]],
        "providerSpecificDetails": plan["zones"],
    }
    return {"id": plan["id"], "name": plan["name"], "type": PLANS, "properties": properties}


def show_listed_plan(world: World, plan: Body) -> Body:
    shown = show_plan(world, plan)
    return {**shown, "properties": {**shown["properties"], "groups": []}}


def _scenario(world: World, plan: Body) -> Body:
    name = current_job(world, plan)
    job = find_job(world, vault_of(plan["id"]), name) if name else None
    if job is None:
        return {"currentScenario": None, "currentScenarioStatus": None, "currentScenarioStatusDescription": None}
    state = standing_of(world, job).state
    return {
        "currentScenario": {"scenarioName": job.scenario, "jobId": job.id, "startTime": stamp(job.started)},
        "currentScenarioStatus": state,
        "currentScenarioStatusDescription": state,
    }


def _show_group(group: Body) -> Body:
    """The virtual machine of a member is told by its inner guid, whatever was sent."""
    members = [
        {"id": member["id"], "virtualMachineId": entity_guid(member["id"])}
        for member in group["replicationProtectedItems"]
    ]
    return {**group, "replicationProtectedItems": members}
