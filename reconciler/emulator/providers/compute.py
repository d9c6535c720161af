"""Virtual machines: Microsoft.Compute/virtualMachines."""

from __future__ import annotations

from datetime import timedelta

from reconciler.emulator.failures import ArmError, bad_request, not_found
from reconciler.emulator.operations import Operation
from reconciler.emulator.paging import list_response
from reconciler.emulator.providers.compute_bodies import DISKS, MACHINES
from reconciler.emulator.providers.compute_bodies import offset_stamp as stamped
from reconciler.emulator.providers.compute_disks import (
    attached,
    disk_id,
    free_disk,
    plan_disks,
    take_disks,
)
from reconciler.emulator.providers.compute_operations import accept
from reconciler.emulator.providers.deleted_machines import remember_machine
from reconciler.emulator.providers.disk_states import check_closed, follow_power
from reconciler.emulator.providers.network_attachments import bind_interfaces, check_interfaces, release_interfaces
from reconciler.emulator.providers.resources import group_id
from reconciler.emulator.router import Request, Response, Route
from reconciler.emulator.store import Body
from reconciler.emulator.world import World

__all__ = ["DISKS", "MACHINES"]

CREATION, UPDATE, DELETION = timedelta(seconds=55), timedelta(seconds=12), timedelta(seconds=40)
POWER = {  # action -> (state afterwards, how long it takes)
    "deallocate": ("deallocated", timedelta(seconds=45)),
    "powerOff": ("stopped", timedelta(seconds=20)),
    "start": ("running", timedelta(seconds=25)),
    "restart": ("running", timedelta(seconds=30)),
}


def power_state(world: World, machine_id: str) -> str:
    """``running``, ``stopped`` or ``deallocated``; ``running`` for a machine of which nothing else is known."""
    return str(world.store.hidden(machine_id).get("power", "running"))


def list_machines(world: World, request: Request) -> Response:
    scope = request.path.partition("/providers/")[0]
    location = request.params.get("location", "").lower()
    return list_response(
        world,
        request,
        MACHINES,
        scope,
        where=(lambda body: body["location"].lower() == location) if location else None,
        view=(lambda body: _with_view(world, body)) if _wants_view(request) else None,
    )


def get_machine(world: World, request: Request) -> Response:
    if not _wants_view(request):
        raw = world.store.raw(request.path)
        if raw is None:
            raise not_found(request.path)
        return Response(200, raw)
    return Response(200, _with_view(world, machine_at(world, request)))


def get_instance_view(world: World, request: Request) -> Response:
    return Response(200, instance_view(world, machine_at(world, request)))


def put_machine(world: World, request: Request) -> Response:
    """201 for a new machine, 200 for one that is changed; both finish later."""
    given = request.body or {}
    existing = world.store.get(request.path)
    if not given.get("location"):
        raise bad_request("LocationRequired", "The location property is required for this definition.")
    if existing and existing["location"].lower() != str(given["location"]).replace(" ", "").lower():
        raise bad_request("PropertyChangeNotAllowed", "Changing property 'location' is not allowed.")
    body = _merge(existing, given) if existing else _new_machine(world, request, given)
    return _write(world, request, body, existing)


def patch_machine(world: World, request: Request) -> Response:
    existing = machine_at(world, request)
    return _write(world, request, _merge(existing, request.body or {}), existing)


def delete_machine(world: World, request: Request) -> Response:
    body = world.store.get(request.path)
    if body is None:
        return Response(204)
    body["properties"]["provisioningState"] = "Deleting"
    world.store.replace(body["id"], body)
    operation = world.operations.start(
        "deleteMachine", duration=DELETION, on_done=("machine.deleted", {}), resource=body["id"]
    )
    return Response(202, headers=accept(world, request, operation, body["location"]))


def change_power(world: World, request: Request) -> Response:
    body = machine_at(world, request)
    action = request.path.rsplit("/", 1)[-1].lower()
    state, duration = next(value for name, value in POWER.items() if name.lower() == action)
    if action == "start":
        check_closed(world, body)
    operation = world.operations.start(
        action, duration=duration, on_done=("machine.powered", {"state": state}), resource=body["id"]
    )
    return Response(202, headers=accept(world, request, operation, body["location"]))


# what takes effect later


def complete_machine(world: World, operation: Operation) -> None:
    body = world.store.get(operation.resource)
    if body is not None:
        body["properties"]["provisioningState"] = "Succeeded"
        world.store.replace(operation.resource, body)
    for identity in operation.arguments.get("leaving", []):
        free_disk(world, identity)


def fail_machine(world: World, operation: Operation) -> None:
    body = world.store.get(operation.resource)
    if body is not None:
        body["properties"]["provisioningState"] = "Failed"
        world.store.replace(operation.resource, body)


def complete_deletion(world: World, operation: Operation) -> None:
    body = world.store.get(operation.resource)
    if body is None:
        return
    remember_machine(world, body)
    for entry in attached(body):
        if entry.get("deleteOption") == "Delete":
            world.store.delete(disk_id(entry))
        else:
            free_disk(world, disk_id(entry))
    release_interfaces(world, body)
    world.store.delete(operation.resource)


def complete_power(world: World, operation: Operation) -> None:
    body = world.store.get(operation.resource)
    if body is not None:
        state = operation.arguments["state"]
        world.store.hide(operation.resource, {**world.store.hidden(operation.resource), "power": state})
        follow_power(world, body, state)


# bodies


def instance_view(world: World, machine: Body) -> Body:
    properties = machine["properties"]
    now = stamped(world.clock.now())
    power = power_state(world, machine["id"])
    windows = properties.get("storageProfile", {}).get("osDisk", {}).get("osType") == "Windows"
    ready = {"code": "ProvisioningState/succeeded", "level": "Info", "displayStatus": "Ready", "time": now}
    view: Body = {"computerName": properties.get("osProfile", {}).get("computerName", machine["name"])}
    if power == "running":
        view["osName"] = "Windows Server" if windows else "ubuntu"
        view["vmAgent"] = {"vmAgentVersion": "2.7.41491.1172" if windows else "2.13.1.1", "statuses": [ready]}
    provisioned = {"code": "ProvisioningState/succeeded", "level": "Info", "displayStatus": "Provisioning succeeded"}
    running = {"code": f"PowerState/{power}", "level": "Info", "displayStatus": f"VM {power}"}
    return {**view, "hyperVGeneration": "V2", "statuses": [{**provisioned, "time": now}, running]}


def _wants_view(request: Request) -> bool:
    return request.query.get("$expand", "").lower() == "instanceview"


def _with_view(world: World, body: Body) -> Body:
    return {**body, "properties": {**body["properties"], "instanceView": instance_view(world, body)}}


def machine_at(world: World, request: Request) -> Body:
    """The machine that the path names, or is below; raises ArmError 404."""
    identity = "/".join(request.path.split("/")[:9])
    body = world.store.get(identity)
    if body is None:
        raise not_found(identity)
    return body


def start_change(world: World, request: Request, body: Body, before: Body | None) -> Operation:
    """Checks all that a new or changed machine refers to, then takes it. Raises ArmError with nothing changed."""
    if before is not None:
        _check_not_deleting(before, request)
    change = plan_disks(world, body, before, power_state(world, body["id"]))
    check_interfaces(world, body, before)
    take_disks(world, body, change)
    bind_interfaces(world, body, before)
    state = "Updating" if before else "Creating"
    body["properties"]["provisioningState"] = state
    world.store.put(body["id"], MACHINES, body)
    return world.operations.start(
        f"{state.lower()}Machine",
        duration=UPDATE if before else CREATION,
        on_done=("machine.ready", {"leaving": change.leaving}),
        resource=body["id"],
        extra={"output": True},
    )


def _write(world: World, request: Request, body: Body, before: Body | None) -> Response:
    operation = start_change(world, request, body, before)
    headers = accept(world, request, operation, body["location"])
    headers.pop("Location")  # a PUT or PATCH ends at the resource itself
    return Response(200 if before else 201, body, headers)


def _check_not_deleting(machine: Body, request: Request) -> None:
    if machine["properties"]["provisioningState"] == "Deleting":
        message = (
            f"Operation '{request.method}' is not allowed on VM '{machine['name']}' since the VM is marked for "
            "deletion. You can only retry the Delete operation (or wait for an ongoing one to complete)."
        )
        raise ArmError(409, "OperationNotAllowed", message)


def _merge(existing: Body, given: Body) -> Body:
    """Top-level tags, identity and zones are replaced; each given profile is laid over the one there."""
    replaced: Body = {name: given[name] for name in ("tags", "identity") if name in given}
    properties = dict(existing["properties"])
    for name, value in (given.get("properties") or {}).items():
        before = properties.get(name)
        properties[name] = {**before, **value} if isinstance(before, dict) and isinstance(value, dict) else value
    return {**existing, **replaced, "properties": properties}


def _new_machine(world: World, request: Request, given: Body) -> Body:
    group = group_id(world, request)
    name = request.params["vm"]
    identity = f"{group}/providers/{MACHINES}/{name}"
    body: Body = {**given, "id": identity, "name": name, "type": MACHINES}
    body["location"] = str(given["location"]).replace(" ", "").lower()
    properties = dict(given.get("properties") or {})
    properties["vmId"] = world.new_guid()
    properties["timeCreated"] = stamped(world.clock.now())
    return {**body, "properties": properties}


COMPLETIONS = {
    "machine.ready": complete_machine,
    "machine.ready.failed": fail_machine,
    "machine.deleted": complete_deletion,
    "machine.powered": complete_power,
}

_S = "/subscriptions/{subscription}"
_VMS = "/providers/Microsoft.Compute/virtualMachines"
_VM = _S + "/resourceGroups/{group}" + _VMS + "/{vm}"
ROUTES: tuple[Route, ...] = (
    Route("GET", _S + _VMS, list_machines),
    Route("GET", _S + "/providers/Microsoft.Compute/locations/{location}/virtualMachines", list_machines),
    Route("GET", _S + "/resourceGroups/{group}" + _VMS, list_machines),
    Route("GET", _VM, get_machine),
    Route("GET", _VM + "/instanceView", get_instance_view),
    Route("PUT", _VM, put_machine),
    Route("PATCH", _VM, patch_machine),
    Route("DELETE", _VM, delete_machine),
    *(Route("POST", f"{_VM}/{action}", change_power) for action in POWER),
)
