"""Restores into the secondary region: an access token from one service, a restore and its job at the other.

No recording has more than the URL of a poll; paths and bodies are documented (Azure Backup REST API 2018-12-20,
"cross region restore"), the order of calls is that of the Azure CLI. The token is a secret: what is kept is its digest.
"""

import base64
import hashlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from reconciler.emulator.failures import ArmError
from reconciler.emulator.operations import Operation
from reconciler.emulator.polling import polling_headers, timing_headers
from reconciler.emulator.providers.backup_names import ITEM, draw, part, vm_name
from reconciler.emulator.providers.backup_operations import show_operation
from reconciler.emulator.providers.backup_refusals import not_in_vault, refuse, refuse_soft_deleted
from reconciler.emulator.providers.backup_times import parse_time, us_time
from reconciler.emulator.providers.protected_item_states import live_points
from reconciler.emulator.providers.recovery_points import POINTS, find_item, find_point
from reconciler.emulator.providers.restore_requests import find_source, point_time
from reconciler.emulator.providers.restore_rules import Ask
from reconciler.emulator.providers.restores import begin_restore
from reconciler.emulator.providers.secondary_regions import SECONDARY_REGIONS, arrived_points, has_cross_region_restore
from reconciler.emulator.providers.vaults import find_vault
from reconciler.emulator.router import Request, Response, Route
from reconciler.emulator.world import World

Body = dict[str, Any]

TOKEN_LASTS = timedelta(hours=1)
_TOKENS = "crr-tokens"


def get_aad_properties(world: World, request: Request) -> Response:
    """Whom the secondary region trusts; clients hand it on as it is."""
    region = request.params["location"].lower()
    properties = {
        "tenantId": world.configuration.tenant,
        "audience": f"https://RecoveryServices/IaasCoord/aadmgmt/{region}",
        "servicePrincipalObjectId": str(UUID(int=draw("aad", region) << 64, version=4)),
    }
    return Response(200, {"properties": properties})


def get_access_token(world: World, request: Request) -> Response:
    """The right to restore one point in the secondary region, for an hour."""
    vault = find_vault(world, request)
    item_id, protection = find_item(world, request.path.rpartition("/recoveryPoints/")[0])
    _check_vault(vault)
    if protection.deleted_at is not None:
        raise refuse_soft_deleted()
    name = request.params["point"]
    point = _find_arrived(world, item_id, name)
    token = f"{world.new_guid()}{world.new_guid()}".replace("-", "")
    known = {"item": item_id, "point": name, "expires": (world.clock.now() + TOKEN_LASTS).isoformat()}
    world.store.put_document(_TOKENS, _digest(token), known)
    properties: Body = {
        "objectType": "CrrAccessToken",
        "accessTokenString": token,
        "subscriptionId": request.params["subscription"],
        "resourceGroupName": part(vault["id"], "resourceGroups"),
        "resourceName": vault["name"],
        "resourceId": str(_number(vault)),
        "protectionContainerId": draw("container", protection.seed),
        "recoveryPointId": name,
        "recoveryPointTime": us_time(point_time(protection, point)),
        "containerName": vm_name(protection.vm),
        "containerType": "IaasVMContainer",
        "backupManagementType": "AzureIaasVM",
        "datasourceType": "VM",
        "datasourceName": part(protection.vm, "virtualMachines"),
        "datasourceId": str(draw("data", protection.seed)),
        "datasourceContainerName": vm_name(protection.vm),
        "rpTierInformation": {"HardenedRP": "Valid"},
        "rpOriginalSAOption": False,
        "rpIsManagedVirtualMachine": True,
        "bMSActiveRegion": vault["location"],
    }
    identity = f"{item_id}/recoveryPoints/{name}"
    return Response(200, {"id": identity, "name": name, "type": POINTS, "properties": properties})


def restore_across(world: World, request: Request) -> Response:
    """202. The access details are those of the token; the restore request is that of the primary region."""
    sent = request.body if isinstance(request.body, dict) else {}
    item_id, name = _read_token(
        world, str((sent.get("crossRegionRestoreAccessDetails") or {}).get("accessTokenString"))
    )
    item_id, protection = find_item(world, item_id)
    vault = world.store.get(protection.vault)
    if vault is None:
        raise not_in_vault("The vault")
    _check_vault(vault)
    region = request.params["location"].replace(" ", "").lower()
    if SECONDARY_REGIONS.get(vault["location"]) != region:
        message = f"The secondary region of a vault in {vault['location']} is not {region}."
        raise refuse("BP-106", "BMSUserErrorInvalidInput", message)
    restore = sent.get("restoreRequest") or {}
    if not restore.get("targetResourceGroupId"):
        message = "A restore in the secondary region needs targetResourceGroupId."
        raise refuse("BP-104", "BMSUserErrorInvalidInput", message)
    source = find_source(world, vault, item_id, protection, _find_arrived(world, item_id, name))
    operation = begin_restore(world, Ask(source, restore, name, region, secondary=True), request.principal)
    return Response(202, None, _headers(world, request, operation, f"{_number(vault)};{operation.guid}"))


def _headers(world: World, request: Request, operation: Operation, name: str) -> dict[str, str]:
    base, version = request.path.rpartition("/")[0], f"?api-version={request.api_version}"
    encoded = base64.b64encode(name.encode()).decode()
    return polling_headers(
        world,
        request,
        operation=operation,
        async_url=f"{base}/backupCrrOperationsStatus/{encoded}{version}",
        location=f"{base}/backupCrrOperationResults/{encoded}{version}",
    )


def get_status(world: World, request: Request) -> Response:
    operation = _poll(world, request)
    return Response(200, show_operation(operation), timing_headers(world, operation))


def get_result(world: World, request: Request) -> Response:
    """202 while it runs, then 204."""
    operation = _poll(world, request)
    if operation.done:
        return Response(204)
    url = f"{request.path}?api-version={request.api_version}"
    return Response(202, None, polling_headers(world, request, operation=operation, location=url))


def _poll(world: World, request: Request) -> Operation:
    """By the name that the headers gave, or by the bare guid."""
    name = request.params["operation"]
    try:
        guid = base64.b64decode(name, validate=True).decode().rpartition(";")[2]
    except ValueError:
        guid = name
    operation = world.poll(guid)
    if operation is None:
        raise not_in_vault(f"Operation {name}")
    return operation


def _check_vault(vault: Mapping[str, Any]) -> None:
    if not has_cross_region_restore(vault):
        message = "Cross Region Restore is not enabled for this vault."
        raise refuse("BP-91", "UserErrorCrossRegionRestoreNotEnabled", message)


def _find_arrived(world: World, item_id: str, name: str) -> int:
    """Raises 404 for a point that the secondary region does not have, or not yet."""
    protection = find_item(world, item_id)[1]
    now = int(world.clock.now().timestamp())
    point = find_point(world, protection, name)
    if point not in arrived_points(live_points(world, protection, now), now):
        raise not_in_vault(f"The recovery point {name}")
    return point


def _read_token(world: World, token: str) -> tuple[str, str]:
    known = world.store.document(_TOKENS, _digest(token))
    if not known or parse_time(known["expires"]) <= world.clock.now():
        message = "The access token for the cross region restore is not valid, or has expired."
        raise ArmError(403, "UserErrorCrossRegionRestoreTokenInvalid", message)
    return known["item"], known["point"]


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _number(vault: Mapping[str, Any]) -> int:
    """What the service calls a vault among its own."""
    return draw("vault", vault["id"]) * 136_999_999


_LOCATION = "/subscriptions/{subscription}/providers/Microsoft.RecoveryServices/locations/{location}"

ROUTES: tuple[Route, ...] = (
    Route("GET", _LOCATION + "/backupAadProperties", get_aad_properties),
    Route("POST", ITEM + "/recoveryPoints/{point}/accessToken", get_access_token),
    Route("POST", _LOCATION + "/backupCrossRegionRestore", restore_across),
    Route("GET", _LOCATION + "/backupCrrOperationsStatus/{operation}", get_status),
    Route("GET", _LOCATION + "/backupCrrOperationResults/{operation}", get_result),
)
