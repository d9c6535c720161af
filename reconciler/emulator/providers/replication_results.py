"""``operationresults``: 202 while an operation runs, then the resource that it was on, or 204 where that is gone.

The bodies were not recorded; clients take them for the resource (site-recovery.md §3).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from reconciler.emulator.failures import ArmError
from reconciler.emulator.providers.recovery_plan_bodies import show_plan
from reconciler.emulator.providers.replication_container_mappings import show_mapping
from reconciler.emulator.providers.replication_containers import show_container
from reconciler.emulator.providers.replication_fabrics import show_fabric
from reconciler.emulator.providers.replication_item_bodies import show_item
from reconciler.emulator.providers.replication_job_bodies import show_job
from reconciler.emulator.providers.replication_jobs import OPEN, parse
from reconciler.emulator.providers.replication_names import (
    CONTAINER,
    CONTAINERS,
    FABRIC,
    FABRICS,
    ITEM,
    ITEMS,
    JOB,
    JOBS,
    MAPPING,
    MAPPINGS,
    NETWORK_MAPPING,
    NETWORK_MAPPINGS,
    PLAN,
    PLANS,
    POLICIES,
    POLICY,
    below,
)
from reconciler.emulator.providers.replication_networks import show_network_mapping
from reconciler.emulator.providers.replication_operations import poll, waiting_headers
from reconciler.emulator.router import Request, Response, Route
from reconciler.emulator.store import Body
from reconciler.emulator.world import World

VIEWS: Mapping[str, Callable[[World, Body], Body]] = {
    FABRICS: show_fabric,
    CONTAINERS: show_container,
    MAPPINGS: show_mapping,
    NETWORK_MAPPINGS: show_network_mapping,
    POLICIES: lambda _, body: body,
    ITEMS: show_item,
    JOBS: lambda world, body: show_job(world, parse(body)),
    PLANS: show_plan,
}


def get_result(world: World, request: Request) -> Response:
    operation, standing, _ = poll(world, request)
    resource = below(world, request).rpartition("/operationresults/")[0]
    if standing.state in OPEN:
        again = {"location": f"{request.base_url}{request.path}?api-version={request.api_version}"}
        return Response(202, None, again | waiting_headers(world, operation))
    if standing.error is not None:
        raise ArmError(409, str(standing.error["code"]), str(standing.error["message"]))
    body = world.store.get(resource)
    return Response(204) if body is None else Response(200, VIEWS[body["type"]](world, body))


ROUTES: tuple[Route, ...] = tuple(
    Route("GET", place + "/operationresults/{operation}", get_result)
    for place in (POLICY, FABRIC, CONTAINER, MAPPING, NETWORK_MAPPING, ITEM, JOB, PLAN)
)
