"""Item-level recovery: a recovery point opened for twelve hours, with a script that mounts it and a password.

Recorded (2017 to 2020): Windows gets a text and an executable, the password is part of `scriptNameSuffix`; clients cut
it out from its place there. The password is a secret: it is in the answer to the poll of the operation, in the
emulator's state while the point is open, and nowhere else.
"""

import base64
import random
from collections.abc import Mapping
from typing import Any

from reconciler.emulator.operations import Operation
from reconciler.emulator.providers.backup_names import ITEM, draw, part
from reconciler.emulator.providers.backup_operations import draw_length, item_headers
from reconciler.emulator.providers.backup_refusals import not_in_vault, refuse, refuse_soft_deleted
from reconciler.emulator.providers.backup_runs import is_windows
from reconciler.emulator.providers.protected_item_states import Protection
from reconciler.emulator.providers.recovery_points import find_item, find_point
from reconciler.emulator.providers.recovery_sessions import (
    LASTS,
    Session,
    close_session,
    open_session,
    read_session,
)
from reconciler.emulator.providers.vaults import find_vault
from reconciler.emulator.router import Request, Response, Route
from reconciler.emulator.world import Completion, World

Body = dict[str, Any]

REQUEST = "IaasVMILRRegistrationRequest"
PASSWORD_OFFSET, PASSWORD_LENGTH = 33, 15
"""Where clients look for the password in the last part of the suffix."""

EXECUTABLE = (
    "https://download.microsoft.com/download/0/B/4/0B4C4191-DF3C-4142-9616-7234980B4777/IaaSVMILRExeForWindows.exe"
)
NOTHING = "TkE="
"""`NA`: the content of a script that is to be downloaded."""


def provision(world: World, request: Request) -> Response:
    """202; the scripts come when the operation has ended. One open point a VM, renewed if the request says so."""
    vault = find_vault(world, request)
    item_path, sent = request.path.rpartition("/recoveryPoints/")[0], request.properties()
    item_id, protection = find_item(world, item_path)
    if protection.deleted_at is not None:
        raise refuse_soft_deleted()
    find_point(world, protection, request.params["point"])
    _check_request(protection, request.params["point"], sent)
    held = read_session(world, item_id)
    renews = bool(sent.get("renewExistingRegistration")) and held is not None and held.point == request.params["point"]
    if held is not None and not renews:
        message = (
            "A recovery point of this virtual machine is already mounted for file recovery\r\n"
            "Unmount its disks and retry the operation."
        )
        raise refuse("item", "UserErrorItemLevelRecoverySessionActive", message)
    length = draw_length(world, "provision-ilr")
    arguments = {"item": item_id, "point": request.params["point"], "location": vault["location"]}
    operation = world.operations.start(
        "provision-ilr", duration=length, on_done=("ilr.provisioned", arguments), resource=f"{item_id}/ilr"
    )
    return Response(202, None, item_headers(world, request, operation, item_path))


def revoke(world: World, request: Request) -> Response:
    """202 without a body, and the same for a point that is not open."""
    find_vault(world, request)
    item_path = request.path.rpartition("/recoveryPoints/")[0]
    item_id, protection = find_item(world, item_path)
    find_point(world, protection, request.params["point"])
    arguments = {"item": item_id, "point": request.params["point"]}
    operation = world.operations.start(
        "revoke-ilr",
        duration=draw_length(world, "revoke-ilr"),
        on_done=("ilr.revoked", arguments),
        resource=f"{item_id}/ilr",
    )
    return Response(202, None, item_headers(world, request, operation, item_path))


def list_result(world: World, request: Request) -> Response:
    """The scripts of a session, since 2026-08-01 by an action of their own: the body names the operation."""
    find_vault(world, request)
    item_id, protection = find_item(world, request.path.rpartition("/recoveryPoints/")[0])
    find_point(world, protection, request.params["point"])
    guid = str((request.body or {}).get("provisionInstantItemRecoveryOperationId", ""))
    session, operation = read_session(world, item_id), world.operations.get(guid)
    if session is None or operation is None or session.operation != operation.guid:
        raise not_in_vault(f"The item level recovery operation {guid}")
    return Response(200, operation.extra["recoveryTarget"])


def _check_request(protection: Protection, point: str, sent: Mapping[str, Any]) -> None:
    machine = str(sent.get("virtualMachineId") or protection.vm)
    fits = machine.lower() == protection.vm.lower() and sent.get("recoveryPointId", point) == point
    if sent.get("objectType") != REQUEST or not fits:
        hint = f"{REQUEST} needs the VM and the recovery point of the URL"
        raise refuse("item", "BMSUserErrorInvalidInput", "Input provided for the call is invalid", hint=hint)


# what takes effect later


def _finish_provision(world: World, operation: Operation) -> None:
    item_id, point = operation.arguments["item"], operation.arguments["point"]
    if not world.store.has(item_id):
        return
    protection = find_item(world, item_id)[1]
    held = read_session(world, item_id)
    password = held.password if held else _draw_password(world.random)
    expires = world.clock.now() + LASTS
    open_session(world, item_id, Session(point, operation.guid, password, expires))
    suffix = _suffix(protection, operation.arguments["location"], point, password)
    machine = world.store.get(protection.vm)
    windows = machine is not None and is_windows(machine)
    target = {"clientScripts": _windows_scripts(suffix) if windows else _linux_script(suffix, password)}
    world.operations.note(operation.guid, recoveryTarget=target)
    world.operations.start(
        "ilr-session", duration=LASTS, on_done=("ilr.expired", {"item": item_id}), resource=f"{item_id}/ilr-session"
    )


def _finish_revoke(world: World, operation: Operation) -> None:
    held = read_session(world, operation.arguments["item"])
    if held is not None and held.point == operation.arguments["point"]:
        close_session(world, operation.arguments["item"])


def _finish_session(world: World, operation: Operation) -> None:
    """A session that was renewed in the meantime has a later end of its own."""
    if read_session(world, operation.arguments["item"]) is None:
        close_session(world, operation.arguments["item"])


# scripts


def _draw_password(chance: random.Random) -> str:
    return "".join(chance.choices("0123456789abcdef", k=PASSWORD_LENGTH))


def _suffix(protection: Protection, location: str, point: str, password: str) -> str:
    """`vm_region_vault_point_key`; the key is as long as clients expect, with the password at its place."""
    filling = f"{draw(protection.seed, point):032x}"[-PASSWORD_OFFSET + 1 :]
    key = f"{filling}{password}{draw(point):08x}"
    name = part(protection.vm, "virtualMachines")
    return f"{name}_{location[:3]}_{draw(protection.vault) * 1_000_003}_{point}_{key}"


def _windows_scripts(suffix: str) -> list[Body]:
    text = base64.b64encode(b"The executable asks for the password.").decode()
    common = {"osType": "Windows", "scriptNameSuffix": suffix}
    return [
        {"scriptContent": text, "scriptExtension": ".txt", **common},
        {"scriptContent": NOTHING, "scriptExtension": ".exe", "url": EXECUTABLE, **common},
    ]


def _linux_script(suffix: str, password: str) -> list[Body]:
    """One Python script; clients take the password out of it before they write it to a file."""
    lines = ["#! /usr/bin/python3", f'TargetPassword="{password}"', "print('This emulator has no data to mount.')"]
    content = base64.b64encode("\n".join(lines).encode()).decode()
    return [{"scriptContent": content, "scriptExtension": ".py", "osType": "Linux", "scriptNameSuffix": suffix}]


COMPLETIONS: Mapping[str, Completion] = {
    "ilr.provisioned": _finish_provision,
    "ilr.revoked": _finish_revoke,
    "ilr.expired": _finish_session,
}

ROUTES: tuple[Route, ...] = (
    Route("POST", ITEM + "/recoveryPoints/{point}/provisionInstantItemRecovery", provision),
    Route("POST", ITEM + "/recoveryPoints/{point}/listInstantItemRecoveryOperationResult", list_result),
    Route("POST", ITEM + "/recoveryPoints/{point}/revokeInstantItemRecovery", revoke),
)
