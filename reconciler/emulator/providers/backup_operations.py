"""Long-running operations of Recovery Services: the shapes of two services that share one name (backup.md §1).

The vault service answers polls with an ARM id, a base64 name and CRLF; the backup service with bare guids, an
`endTime` of year 1 while it works and of the start once it is done, and a job id beside it.
"""

import base64
import json
from collections.abc import Mapping
from datetime import timedelta
from string import punctuation
from typing import Any
from urllib.parse import quote

from reconciler.emulator.failures import not_found
from reconciler.emulator.operations import Operation
from reconciler.emulator.polling import polling_headers, timing_headers
from reconciler.emulator.providers.backup_names import ITEM, VAULT, draw
from reconciler.emulator.providers.backup_refusals import not_in_vault
from reconciler.emulator.providers.backup_times import NEVER_ENDED, wire_time
from reconciler.emulator.router import Request, Response, Route
from reconciler.emulator.world import World

VAULT_KINDS = {"vault-create": 2047, "vault-update": 4095, "vault-delete": 1023}
OLD_VERSION = "2019-05-13-preview"
"""What refresh and cancel write into Azure-AsyncOperation, whatever version the caller speaks."""

LENGTHS: Mapping[str, tuple[float, float]] = {
    "enable": (32, 58),
    "change": (2, 8),
    "stop": (2, 8),
    "suspend": (2, 8),
    "resume": (2, 8),
    "undelete": (13, 15),
    "soft-delete": (13, 15),
    "delete": (104, 118),
    "backup": (0.5, 7),
    "cancel": (1, 5),
    "restore": (0.5, 7),
    "provision-ilr": (41, 46),
    "revoke-ilr": (2, 20),
    "refresh": (13, 19),
    "vault-create": (1, 3),
    "vault-update": (3, 60),
    "vault-delete": (3, 30),
}
"""Seconds from the request to Succeeded, lowest and highest recorded."""


def draw_length(world: World, kind: str) -> timedelta:
    low, high = LENGTHS[kind]
    return timedelta(seconds=round(world.random.uniform(low, high), 6))


def _in_header(path: str) -> str:
    """Paths are decoded; only ASCII fits into a header, and the rest of the spelling must stay."""
    return quote(path, safe=punctuation)


def vault_headers(world: World, request: Request, operation: Operation, vault_id: str) -> dict[str, str]:
    """Creation has only Azure-AsyncOperation; update and deletion have Location too."""
    name = _vault_name(operation)
    version = f"?api-version={request.api_version}"
    location = None if operation.kind == "vault-create" else f"{_in_header(vault_id)}/operationResults/{name}{version}"
    status = f"{_in_header(vault_id)}/operationStatus/{name}{version}"
    return polling_headers(world, request, operation=operation, async_url=status, location=location)


def _vault_name(operation: Operation) -> str:
    return base64.b64encode(f"{VAULT_KINDS[operation.kind]};{operation.guid}".encode()).decode()


def item_headers(world: World, request: Request, operation: Operation, path: str) -> dict[str, str]:
    """Of what is done to an item but its deletion: status and result lie below the URL that was called."""
    version = f"?api-version={request.api_version}"
    return polling_headers(
        world,
        request,
        operation=operation,
        async_url=f"{_in_header(path)}/operationsStatus/{operation.guid}{version}",
        location=f"{_in_header(path)}/operationResults/{operation.guid}{version}",
    )


def old_style_headers(world: World, request: Request, operation: Operation, path: str) -> dict[str, str]:
    """Of refresh and cancel: the status URL speaks a version of 2019."""
    headers = item_headers(world, request, operation, path)
    url = headers["Azure-AsyncOperation"]
    headers["Azure-AsyncOperation"] = url.replace(f"api-version={request.api_version}", f"api-version={OLD_VERSION}", 1)
    return headers


def vault_level_headers(world: World, request: Request, operation: Operation, vault_id: str) -> dict[str, str]:
    """Of the deletion of an item: `backupOperations` and `backupOperationResults` of the vault."""
    version = f"?api-version={request.api_version}"
    return polling_headers(
        world,
        request,
        operation=operation,
        async_url=f"{_in_header(vault_id)}/backupOperations/{operation.guid}{version}",
        location=f"{_in_header(vault_id)}/backupOperationResults/{operation.guid}{version}",
    )


SCRIPTS_APART_SINCE = "2026-08-01"
"""Until then the status of an operation that opens a point for files tells the scripts; now an action of its own."""


def show_operation(operation: Operation, api_version: str = SCRIPTS_APART_SINCE) -> dict[str, Any]:
    started = wire_time(operation.start)
    body: dict[str, Any] = {
        "id": operation.guid,
        "name": operation.guid,
        "status": operation.status,
        "startTime": started,
        "endTime": started if operation.done else NEVER_ENDED,
    }
    if operation.done and operation.job:
        body["properties"] = {"objectType": "OperationStatusJobExtendedInfo", "jobId": operation.job}
    target = operation.extra.get("recoveryTarget")
    if operation.done and target and api_version < SCRIPTS_APART_SINCE:
        body["properties"] = {"objectType": "OperationStatusProvisionILRExtendedInfo", "recoveryTarget": target}
    if operation.error:
        body["error"] = operation.error
    return body


def get_status(world: World, request: Request) -> Response:
    """One answer on every URL: clients take the guid out of a header and ask where they please."""
    operation = _poll(world, request)
    return Response(200, show_operation(operation, request.api_version), timing_headers(world, operation))


def get_result(world: World, request: Request) -> Response:
    """202 with Location again while it runs, then 204. Only an item's result has Azure-AsyncOperation, even then."""
    operation = _poll(world, request)
    headers: dict[str, str] = {}
    if "/protectedItems/" in request.path:
        asked = item_headers(world, request, operation, request.path.rpartition("/operationResults/")[0])
        headers["Azure-AsyncOperation"] = asked["Azure-AsyncOperation"]
    if operation.done:
        return Response(204, None, headers)
    return Response(202, None, headers | _same_url(world, request, operation))


def _same_url(world: World, request: Request, operation: Operation) -> dict[str, str]:
    url = f"{_in_header(request.path)}?api-version={request.api_version}"
    return polling_headers(world, request, operation=operation, location=url)


def _poll(world: World, request: Request) -> Operation:
    operation = world.poll(request.params["operation"])
    if operation is None:
        raise not_in_vault(f"Operation {request.params['operation']}")
    return operation


def get_vault_status(world: World, request: Request) -> Response:
    """Once a vault is gone, about half of its deletions answer 404 on their own polling URL (36 of 80 recorded)."""
    operation = _poll_vault(world, request)
    vault_id = request.path.rpartition("/")[0].rpartition("/")[0]
    if operation.kind == "vault-delete" and operation.done and not operation.error and draw(operation.guid) % 2:
        raise not_found(vault_id)
    headers = timing_headers(world, operation)
    if not operation.done:
        headers |= vault_headers(world, request, operation, vault_id)
    body: dict[str, Any] = {"id": request.path, "name": request.params["operation"], "status": operation.status}
    if operation.error:
        body["error"] = operation.error
    return Response(200, json.dumps(body, indent=2).replace("\n", "\r\n").encode(), headers)


def get_vault_result(world: World, request: Request) -> Response:
    operation = _poll_vault(world, request)
    vault_id = request.path.rpartition("/")[0].rpartition("/")[0]
    if operation.done:
        return Response(204)
    return Response(202, None, vault_headers(world, request, operation, vault_id))


def _poll_vault(world: World, request: Request) -> Operation:
    name = request.params["operation"]
    try:
        guid = base64.b64decode(name, validate=True).decode().partition(";")[2]
    except ValueError:
        guid = name
    operation = world.poll(guid)
    if operation is None:
        raise not_found(request.path)
    return operation


_FABRIC = VAULT + "/backupFabrics/{fabric}"

ROUTES: tuple[Route, ...] = (
    Route("GET", VAULT + "/operationStatus/{operation}", get_vault_status),
    Route("GET", VAULT + "/operationResults/{operation}", get_vault_result),
    Route("GET", ITEM + "/operationsStatus/{operation}", get_status),
    Route("GET", ITEM + "/operationResults/{operation}", get_result),
    Route("GET", VAULT + "/backupOperations/{operation}", get_status),
    Route("GET", VAULT + "/backupOperationResults/{operation}", get_result),
    Route("GET", _FABRIC + "/operationsStatus/{operation}", get_status),
    Route("GET", _FABRIC + "/operationResults/{operation}", get_result),
    Route("GET", VAULT + "/backupJobs/{job}/operationsStatus/{operation}", get_status),
    Route("GET", VAULT + "/backupJobs/{job}/operationResults/{operation}", get_result),
)
