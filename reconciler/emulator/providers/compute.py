"""Virtual machines: Microsoft.Compute/virtualMachines."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from reconciler.emulator.failures import bad_request, not_found
from reconciler.emulator.operations import Operation
from reconciler.emulator.paging import list_response
from reconciler.emulator.providers.compute_bodies import DiskShape, disk_body
from reconciler.emulator.providers.compute_bodies import offset_stamp as stamped
from reconciler.emulator.providers.compute_operations import accept
from reconciler.emulator.providers.resources import group_id
from reconciler.emulator.router import Request, Response, Route
from reconciler.emulator.store import Body
from reconciler.emulator.world import World

MACHINES = "Microsoft.Compute/virtualMachines"
DISKS = "Microsoft.Compute/disks"
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
    return Response(200, _with_view(world, _machine(world, request)))


def get_instance_view(world: World, request: Request) -> Response:
    return Response(200, instance_view(world, _machine(world, request)))


def put_machine(world: World, request: Request) -> Response:
    """201 for a new machine, 200 for one that is changed; both finish later."""
    given = request.body or {}
    existing = world.store.get(request.path)
    if not given.get("location"):
        raise bad_request("LocationRequired", "The location property is required for this definition.")
    if existing and existing["location"].lower() != str(given["location"]).replace(" ", "").lower():
        raise bad_request("PropertyChangeNotAllowed", "Changing property 'location' is not allowed.")
    body = _merge(existing, given) if existing else _new_machine(world, request, given)
    return _begin(world, request, body, "Updating" if existing else "Creating", 200 if existing else 201)


def patch_machine(world: World, request: Request) -> Response:
    body = _merge(_machine(world, request), request.body or {})
    return _begin(world, request, body, "Updating", 200)


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
    body = _machine(world, request)
    action = request.path.rsplit("/", 1)[-1].lower()
    state, duration = next(value for name, value in POWER.items() if name.lower() == action)
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


def complete_deletion(world: World, operation: Operation) -> None:
    body = world.store.get(operation.resource)
    if body is None:
        return
    storage = body["properties"].get("storageProfile", {})
    for attached in [storage.get("osDisk", {}), *storage.get("dataDisks", [])]:
        disk = world.store.get(attached.get("managedDisk", {}).get("id", ""))
        if disk is None:
            continue
        if attached.get("deleteOption") == "Delete":
            world.store.delete(disk["id"])
        else:
            disk.pop("managedBy", None)
            disk["properties"]["diskState"] = "Unattached"
            world.store.replace(disk["id"], disk)
    world.store.delete(operation.resource)


def complete_power(world: World, operation: Operation) -> None:
    if world.store.has(operation.resource):
        hidden = world.store.hidden(operation.resource)
        world.store.hide(operation.resource, {**hidden, "power": operation.arguments["state"]})


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


def _machine(world: World, request: Request) -> Body:
    """The machine that the path names, or is below; raises ArmError 404."""
    identity = "/".join(request.path.split("/")[:9])
    body = world.store.get(identity)
    if body is None:
        raise not_found(identity)
    return body


def _begin(world: World, request: Request, body: Body, state: str, status: int) -> Response:
    body["properties"]["provisioningState"] = state
    world.store.put(body["id"], MACHINES, body)
    operation = world.operations.start(
        f"{state.lower()}Machine",
        duration=CREATION if state == "Creating" else UPDATE,
        on_done=("machine.ready", {}),
        resource=body["id"],
        extra={"output": True},
    )
    headers = accept(world, request, operation, body["location"])
    headers.pop("Location")  # a PUT or PATCH ends at the resource itself
    return Response(status, body, headers)


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
    storage: dict[str, Any] = dict(properties.get("storageProfile") or {})
    os_disk = dict(storage.get("osDisk") or {})
    os_disk.setdefault("osType", "Windows" if "windowsConfiguration" in properties.get("osProfile", {}) else "Linux")
    storage["osDisk"] = _attach(world, body, os_disk, f"{name}_OsDisk_1_{world.new_guid().replace('-', '')}")
    storage["dataDisks"] = [
        _attach(world, body, dict(disk), f"{name}_disk{number}_{world.new_guid().replace('-', '')}")
        for number, disk in enumerate(storage.get("dataDisks") or [], 2)
    ]
    properties["storageProfile"] = storage
    return {**body, "properties": properties}


def _attach(world: World, machine: Body, attached: Body, name: str) -> Body:
    """Attaches the disk that is named by id, or makes one."""
    managed = attached.get("managedDisk") or {}
    disk = world.store.get(managed.get("id", ""))
    if disk is None and managed.get("id"):
        raise not_found(managed["id"])
    group = machine["id"].partition("/providers/")[0]
    if disk is None:
        default = 127 if attached.get("osType") == "Windows" else 30
        shape = DiskShape(
            size_gb=attached.get("diskSizeGB", default), sku=managed.get("storageAccountType", "Premium_LRS")
        )
        disk = disk_body(
            attached.get("name", name), shape, group, machine["location"], world.clock.now(), os=attached.get("osType")
        )
    disk["managedBy"] = machine["id"]
    disk["properties"]["diskState"] = "Attached"
    world.store.put(disk["id"], DISKS, disk)
    return {
        "createOption": "Empty",
        **attached,
        "name": disk["name"],
        "managedDisk": {"storageAccountType": disk["sku"]["name"], "id": disk["id"]},
        "diskSizeGB": disk["properties"]["diskSizeGB"],
    }


COMPLETIONS = {
    "machine.ready": complete_machine,
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
