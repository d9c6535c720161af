"""What is asked of a VM besides its power: data disks in one call, and commands that its agent runs."""

from __future__ import annotations

from datetime import timedelta

from reconciler.emulator.failures import ArmError
from reconciler.emulator.providers.compute import machine_at, power_state, start_change
from reconciler.emulator.providers.compute_disks import disk_id
from reconciler.emulator.providers.compute_operations import accept
from reconciler.emulator.router import Request, Response, Route
from reconciler.emulator.store import Body
from reconciler.emulator.world import World

RUN = timedelta(seconds=30)
SHELL, POWERSHELL = "RunShellScript", "RunPowerShellScript"
_TOLD = ("caching", "deleteOption", "writeAcceleratorEnabled")


def change_data_disks(world: World, request: Request) -> Response:
    """``attachDetachDataDisks``: 202, and the storage profile when it ends. Raises ArmError as a PUT does."""
    machine, given = machine_at(world, request), request.body or {}
    storage = machine["properties"]["storageProfile"]
    leaving = {str(one.get("diskId", "")).lower() for one in given.get("dataDisksToDetach") or []}
    held = {disk_id(entry).lower() for entry in storage["dataDisks"]}
    if strange := sorted(leaving - held):
        message = f"The disks {', '.join(strange)} are not attached to VM '{machine['name']}' as data disks."
        raise ArmError(400, "InvalidParameter", message, extra={"target": "dataDisksToDetach"})
    kept = [entry for entry in storage["dataDisks"] if disk_id(entry).lower() not in leaving]
    used = {entry["lun"] for entry in kept}
    coming = [_entry(one, used) for one in given.get("dataDisksToAttach") or []]
    properties = {**machine["properties"], "storageProfile": {**storage, "dataDisks": [*kept, *coming]}}
    changed = {**machine, "properties": properties}
    operation = start_change(world, request, changed, machine)
    world.operations.note(operation.guid, answer=changed["properties"]["storageProfile"])
    return Response(202, headers=accept(world, request, operation, machine["location"]))


def run_command(world: World, request: Request) -> Response:
    """202, and what the script wrote when it ends: the script itself, for there is no guest.

    Raises ArmError 409 for a VM that does not run, 400 for a command of another system.
    """
    machine, given = machine_at(world, request), request.body or {}
    if power_state(world, machine["id"]) != "running":
        message = "The operation requires the VM to be running (or set to run)."
        raise ArmError(409, "OperationNotAllowed", message)
    windows = machine["properties"]["storageProfile"]["osDisk"].get("osType") == "Windows"
    command = POWERSHELL if windows else SHELL
    if given.get("commandId") != command:
        message = f"The value '{given.get('commandId')}' of parameter 'commandId' is not one of this VM: '{command}'."
        raise ArmError(400, "InvalidParameter", message, extra={"target": "commandId"})
    written = "\n".join(str(line) for line in given.get("script") or [])
    operation = world.operations.start(
        "runCommand",
        duration=RUN,
        resource=machine["id"],
        extra={"answer": {"value": _windows_output(written) if windows else _linux_output(written)}},
    )
    return Response(202, headers=accept(world, request, operation, machine["location"]))


def _entry(wanted: Body, used: set[int]) -> Body:
    """An entry of a storage profile; without a LUN it gets the lowest free one."""
    lun = wanted.get("lun")
    if lun is None:
        lun = next(number for number in range(len(used) + 1) if number not in used)
    used.add(lun)
    told: Body = {
        name: wanted[name] for name in ("caching", "deleteOption", "writeAcceleratorEnabled") if name in wanted
    }
    return {"lun": lun, "createOption": "Attach", **told, "managedDisk": {"id": str(wanted.get("diskId") or "")}}


def _linux_output(written: str) -> list[Body]:
    message = f"Enable succeeded: \n[stdout]\n{written}\n\n[stderr]\n"
    status = {"code": "ProvisioningState/succeeded", "level": "Info", "displayStatus": "Provisioning succeeded"}
    return [{**status, "message": message}]


def _windows_output(written: str) -> list[Body]:
    return [
        {
            "code": f"ComponentStatus/{stream}/succeeded",
            "level": "Info",
            "displayStatus": "Provisioning succeeded",
            "message": message,
        }
        for stream, message in (("StdOut", written), ("StdErr", ""))
    ]


_VM = "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Compute/virtualMachines/{vm}"
ROUTES: tuple[Route, ...] = (
    Route("POST", f"{_VM}/attachDetachDataDisks", change_data_disks),
    Route("POST", f"{_VM}/runCommand", run_command),
)
