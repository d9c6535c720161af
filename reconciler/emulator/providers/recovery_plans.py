"""Recovery plans: saving, reading, deleting (recorded: recovery_plan)."""

from __future__ import annotations

from reconciler.emulator.providers.backup_names import VAULT
from reconciler.emulator.providers.recovery_plan_bodies import current_job, show_listed_plan, show_plan
from reconciler.emulator.providers.recovery_plan_rules import check_fabrics, check_groups, check_plan_name
from reconciler.emulator.providers.replication_jobs import Target, Work, begin, check_used
from reconciler.emulator.providers.replication_lists import list_below
from reconciler.emulator.providers.replication_names import PLAN, PLANS, below, guid_of, name_of, same, vault_of
from reconciler.emulator.providers.replication_operations import accept
from reconciler.emulator.providers.replication_refusals import missing, refuse
from reconciler.emulator.providers.replication_scenarios import REMOVE_PLAN, SAVE_PLAN
from reconciler.emulator.router import Request, Response, Route
from reconciler.emulator.store import Body
from reconciler.emulator.world import World


def list_plans(world: World, request: Request) -> Response:
    return list_below(world, request, PLANS, view=lambda plan: show_listed_plan(world, plan))


def get_plan(world: World, request: Request) -> Response:
    return Response(200, show_plan(world, find_plan(world, below(world, request))))


def find_plan(world: World, plan_id: str) -> Body:
    """A kept plan. Raises 400 in a vault that was never used, 404 for one that is not there."""
    plan = world.store.get(plan_id)
    if plan is None or plan.get("type") != PLANS:
        check_used(world, vault_of(plan_id))
        raise missing("Recovery Plan", name_of(plan_id))
    return plan


def put_plan(world: World, request: Request) -> Response:
    """Fabrics of a plan that is there cannot be changed."""
    plan_id, properties = below(world, request), request.properties()
    check_plan_name(name_of(plan_id))
    primary, recovery = check_fabrics(world, vault_of(plan_id), properties)
    held = world.store.get(plan_id)
    if held is not None and not (same(held["primary"], primary) and same(held["recovery"], recovery)):
        message = f"The fabrics of the recovery plan {held['name']} cannot be changed."
        raise refuse("ASR-61", "RecoveryPlanAlreadyExists", message, action="Delete the recovery plan and retry.")
    plan = new_plan(plan_id, primary, recovery)
    plan["zones"] = [
        {"instanceType": "A2A", "primaryZone": one.get("primaryZone"), "recoveryZone": one.get("recoveryZone")}
        for one in properties.get("providerSpecificInput") or []
        if one.get("recoveryZone")
    ]
    plan["times"] = held["times"] if held else {}
    plan["groups"] = check_groups(world, plan, properties.get("groups") or [])
    return _save(world, request, plan)


def patch_plan(world: World, request: Request) -> Response:
    """All groups are sent again; nothing else can be changed."""
    plan = find_plan(world, below(world, request))
    plan["groups"] = check_groups(world, plan, request.properties().get("groups") or [])
    return _save(world, request, plan)


def _save(world: World, request: Request, plan: Body) -> Response:
    _check_idle(world, plan)
    work = Work("replication.stored", {"body": plan}, plan["id"])
    return accept(world, request, plan["id"], begin(world, SAVE_PLAN, plan_target(plan), work))


def delete_plan(world: World, request: Request) -> Response:
    plan = world.store.get(below(world, request))
    if plan is None:
        return Response(204)
    _check_idle(world, plan)
    operation = begin(world, REMOVE_PLAN, plan_target(plan), Work("replication.removed", {}, plan["id"]))
    return accept(world, request, plan["id"], operation)


def _check_idle(world: World, plan: Body) -> None:
    running = current_job(world, plan)
    if running is not None:
        message = f"The recovery plan {plan['name']} cannot be changed while the job {running} runs."
        raise refuse("wire", "RecoveryPlanBusy", message, action="Wait until the job is finished and retry.")


def new_plan(plan_id: str, primary: str, recovery: str) -> Body:
    """A plan without groups as it is kept."""
    return {
        "id": plan_id,
        "name": name_of(plan_id),
        "type": PLANS,
        "primary": primary,
        "recovery": recovery,
        "zones": [],
        "times": {},
        "job": "",
        "groups": [],
    }


def plan_target(plan: Body) -> Target:
    return Target(guid_of("plan", plan["id"]), plan["name"])


ROUTES: tuple[Route, ...] = (
    Route("GET", VAULT + "/replicationRecoveryPlans", list_plans),
    Route("GET", PLAN, get_plan),
    Route("PUT", PLAN, put_plan),
    Route("PATCH", PLAN, patch_plan),
    Route("DELETE", PLAN, delete_plan),
)
