"""Jobs on one replicated machine: one at a time, noted on the machine while they run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.emulator.providers.replication_item_state import Item, allowed_operations, begin_underway, find_item
from reconciler.emulator.providers.replication_jobs import Target, Work, begin, is_free
from reconciler.emulator.providers.replication_names import below, entity_guid
from reconciler.emulator.providers.replication_operations import accept
from reconciler.emulator.providers.replication_refusals import refuse
from reconciler.emulator.providers.replication_scenarios import Scenario
from reconciler.emulator.router import Request, Response
from reconciler.emulator.world import World


def item_at(world: World, request: Request) -> Item:
    """The item that an action is called on."""
    return find_item(world, below(world, request).rpartition("/")[0])


def target_of(item: Item) -> Target:
    return Target(entity_guid(item.id), item.friendly)


def start(
    world: World,
    request: Request,
    item: Item,
    scenario: Scenario,
    completion: str,
    *,
    arguments: dict[str, Any] | None = None,
    seconds: float | None = None,
    details: dict[str, Any] | None = None,
    resource: str = "",
    skips: tuple[str, ...] = (),
) -> Response:
    """202 for a job on a machine. While another one runs it is accepted, and fails.

    ``resource`` is what the answer's Location speaks of, where that is not the machine; ``skips`` are tasks of the
    scenario that are left out.
    """
    if not is_free(world, item.id):
        return refuse_if_busy(world, request, item, scenario)
    work = Work(completion, arguments or {}, item.id, seconds, details, skips)
    operation = begin(world, scenario, target_of(item), work)
    begin_underway(world, item, scenario.name, operation.guid)
    return accept(world, request, resource or item.id, operation)


def refuse_if_busy(world: World, request: Request, item: Item, scenario: Scenario) -> Response:
    """202 for an operation that fails at once, because another one holds the machine."""
    work = Work("replication.busy", {}, f"{item.id}/waiting", 1)
    return accept(world, request, item.id, begin(world, scenario, target_of(item), work))


def check_allowed(item: Item, operation: str, what: str) -> None:
    """ASR-50: raises the refusal of an operation that the item does not list."""
    allowed = allowed_operations(item)
    if operation in allowed:
        return
    listed = ", ".join(allowed) or "nothing before the running job ends"
    message = f"{what} is not allowed on the protected item {item.friendly} in its current state."
    raise refuse("ASR-50", "OperationNotAllowed", message, causes=f"Allowed now: {listed}.")


def check_direction(properties: Mapping[str, Any]) -> None:
    """Raises the refusal of a direction that a single machine does not know (recorded of failbacks)."""
    if properties.get("failoverDirection") != "PrimaryToRecovery":
        message = "The failover direction must be PrimaryToRecovery: a reprotected item is failed back the same way."
        raise refuse("ASR-50", "InvalidFailoverDirection", message)
