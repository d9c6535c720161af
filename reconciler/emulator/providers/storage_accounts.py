"""Storage accounts: what Site Recovery asks of a cache account (region, kind, soft delete of blobs, shared keys).

Written from Azure's API specification and documentation; creating one was not recorded.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import msgspec

from reconciler.emulator.clock import stamp
from reconciler.emulator.failures import ArmError, bad_request, not_found
from reconciler.emulator.operations import Operation
from reconciler.emulator.paging import list_response
from reconciler.emulator.polling import polling_headers
from reconciler.emulator.providers.compute_estate import declared_group
from reconciler.emulator.providers.resources import group_id
from reconciler.emulator.router import Request, Response, Route
from reconciler.emulator.store import Body
from reconciler.emulator.world import Completion, World

ACCOUNTS = "Microsoft.Storage/storageAccounts"
BLOB_SERVICES = f"{ACCOUNTS}/blobServices"
CREATION = timedelta(seconds=17)
KINDS = ("Storage", "StorageV2", "BlobStorage", "FileStorage", "BlockBlobStorage")
_NAME = re.compile(r"[a-z0-9]{3,24}")
_SOFT_DELETE = {"enabled": True, "days": 7}
_NO_SOFT_DELETE = {"enabled": False}


class AccountShape(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """A line of an estate's ``storageAccounts``."""

    name: str
    resource_group: str
    subscription: str | None = None
    location: str | None = None
    kind: str = "StorageV2"
    sku: str = "Standard_LRS"
    soft_delete: bool = False
    tags: dict[str, str] | None = None


def list_accounts(world: World, request: Request) -> Response:
    """Those of a subscription or of a resource group."""
    return list_response(world, request, ACCOUNTS, request.path.partition("/providers/")[0])


def get_account(world: World, request: Request) -> Response:
    return Response(200, _find(world, request.path))


def _find(world: World, account_id: str) -> Body:
    body = world.store.get(account_id)
    if body is None:
        raise not_found(account_id)
    return body


def put_account(world: World, request: Request) -> Response:
    """202 without a body for a new account, whose name must be free in all of Azure; 200 for one that is there."""
    given = request.body or {}
    name, held = request.params["account"], world.store.get(request.path)
    if not _NAME.fullmatch(name):
        message = (
            f"{name} is not a valid storage account name. Storage account name must be between 3 and 24 characters"
        )
        raise bad_request("AccountNameInvalid", f"{message} in length and use numbers and lower-case letters only.")
    if not given.get("location"):
        raise bad_request("LocationRequired", "The location property is required for this definition.")
    if given.get("kind", "StorageV2") not in KINDS or not (given.get("sku") or {}).get("name"):
        raise bad_request("InvalidRequestPropertyValue", "The value of the property 'kind' or 'sku' is not valid.")
    if held is None and world.store.find(ACCOUNTS, name=name):
        raise ArmError(409, "StorageAccountAlreadyTaken", f"The storage account named {name} is already taken.")
    account_id = held["id"] if held else f"{group_id(world, request)}/providers/{ACCOUNTS}/{name}"
    body = account_body(world, account_id, given, held)
    world.store.put(account_id, ACCOUNTS, body, name=name)
    if held is not None:
        return Response(200, body)
    operation = world.operations.start(
        "createStorageAccount", duration=CREATION, on_done=("storage.created", {}), resource=account_id
    )
    subscription, place = request.params["subscription"], body["location"]
    path = (
        f"/subscriptions/{subscription}/providers/Microsoft.Storage/locations/{place}/asyncoperations/{operation.guid}"
    )
    location = f"{path}?monitor=true&api-version={request.api_version}"
    return Response(202, None, polling_headers(world, request, operation=operation, location=location))


def poll_account(world: World, request: Request) -> Response:
    """202 while the account is made, then the account."""
    operation = world.poll(request.params["operation"])
    if operation is None:
        raise ArmError(404, "ResourceNotFound", "The operation was not found.")
    if operation.error:
        raise ArmError(409, operation.error["code"], operation.error["message"])
    if operation.done:
        return Response(200, world.store.get(operation.resource))
    again = f"{request.path}?monitor=true&api-version={request.api_version}"
    return Response(202, None, polling_headers(world, request, operation=operation, location=again))


def patch_account(world: World, request: Request) -> Response:
    held, given = _find(world, request.path), request.body or {}
    properties = {**held["properties"], **request.properties()}
    body = {
        **held,
        **{name: given[name] for name in ("tags", "sku", "kind") if name in given},
        "properties": properties,
    }
    world.store.replace(held["id"], body)
    return Response(200, body)


def delete_account(world: World, request: Request) -> Response:
    if not world.store.has(request.path):
        return Response(204)
    world.store.delete_under(request.path)
    world.store.delete(request.path)
    return Response(200)


def list_blob_services(world: World, request: Request) -> Response:
    account = _find(world, request.path.rpartition("/")[0])
    return Response(200, {"value": [_blob_service(world, account["id"])]})


def get_blob_service(world: World, request: Request) -> Response:
    account = _find(world, request.path.partition("/blobServices/")[0])
    return Response(200, _blob_service(world, account["id"]))


def put_blob_service(world: World, request: Request) -> Response:
    """At once. What is not sent stays."""
    account = _find(world, request.path.partition("/blobServices/")[0])
    before = _blob_service(world, account["id"])
    body = {**before, "properties": {**before["properties"], **request.properties()}}
    world.store.put(body["id"], BLOB_SERVICES, body)
    return Response(200, body)


def _blob_service(world: World, account_id: str) -> Body:
    """A new account keeps deleted blobs only when the portal made it; here as the API makes it: not."""
    identity = f"{account_id}/blobServices/default"
    return world.store.get(identity) or {
        "sku": (world.store.get(account_id) or {}).get("sku"),
        "id": identity,
        "name": "default",
        "type": BLOB_SERVICES,
        "properties": {"cors": {"corsRules": []}, "deleteRetentionPolicy": _NO_SOFT_DELETE},
    }


def has_soft_delete(world: World, account_id: str) -> bool:
    """Whether deleted blobs are kept."""
    policy = _blob_service(world, account_id)["properties"].get("deleteRetentionPolicy") or {}
    return bool(policy.get("enabled"))


def account_body(world: World, account_id: str, given: Mapping[str, Any], held: Body | None = None) -> Body:
    """An account as it is kept and served."""
    name = account_id.rpartition("/")[2]
    location = str(given["location"]).replace(" ", "").lower()
    sku = given["sku"]["name"]
    created = held["properties"]["creationTime"] if held else stamp(world.clock.now())
    kept = held["properties"] if held else {}
    endpoints = {part: f"https://{name}.{part}.core.windows.net/" for part in ("blob", "queue", "table", "file")}
    return {
        "sku": {"name": sku, "tier": sku.partition("_")[0]},
        "kind": given.get("kind", "StorageV2"),
        "id": account_id,
        "name": name,
        "type": ACCOUNTS,
        "location": location,
        "tags": given.get("tags") or {},
        "properties": {
            "minimumTlsVersion": "TLS1_2",
            "allowBlobPublicAccess": False,
            "networkAcls": {
                "bypass": "AzureServices",
                "virtualNetworkRules": [],
                "ipRules": [],
                "defaultAction": "Allow",
            },
            "supportsHttpsTrafficOnly": True,
            "accessTier": "Hot",
            **kept,
            **(given.get("properties") or {}),
            "provisioningState": "Succeeded" if held else "Creating",
            "creationTime": created,
            "primaryEndpoints": endpoints,
            "primaryLocation": location,
            "statusOfPrimary": "available",
        },
    }


def complete_creation(world: World, operation: Operation) -> None:
    body = world.store.get(operation.resource)
    if body is not None:
        body["properties"]["provisioningState"] = "Succeeded"
        world.store.replace(body["id"], body)


def abandon_creation(world: World, operation: Operation) -> None:
    world.store.delete(operation.resource)


def seed(world: World, section: Any) -> None:
    """Accounts of an estate; raises ValueError for a line that is wrong."""
    for shape in msgspec.convert(section, list[AccountShape]):
        group = declared_group(world, shape.name, shape.resource_group, shape.subscription)
        if shape.kind not in KINDS:
            raise ValueError(f"{shape.name}: {shape.kind} is none of the kinds {', '.join(KINDS)}")
        location = shape.location or group["location"]
        given = {"location": location, "kind": shape.kind, "sku": {"name": shape.sku}, "tags": shape.tags}
        body = account_body(world, f"{group['id']}/providers/{ACCOUNTS}/{shape.name}", given)
        body["properties"]["provisioningState"] = "Succeeded"
        world.store.put(body["id"], ACCOUNTS, body, name=shape.name)
        if shape.soft_delete:
            service = _blob_service(world, body["id"])
            service["properties"]["deleteRetentionPolicy"] = _SOFT_DELETE
            world.store.put(service["id"], BLOB_SERVICES, service)


COMPLETIONS: Mapping[str, Completion] = {
    "storage.created": complete_creation,
    "storage.created.failed": abandon_creation,
}
SECTION = "storageAccounts"

_S = "/subscriptions/{subscription}"
_ACCOUNTS = "/providers/Microsoft.Storage/storageAccounts"
_ACCOUNT = _S + "/resourceGroups/{group}" + _ACCOUNTS + "/{account}"
ROUTES: tuple[Route, ...] = (
    Route("GET", _S + _ACCOUNTS, list_accounts),
    Route("GET", _S + "/resourceGroups/{group}" + _ACCOUNTS, list_accounts),
    Route("GET", _ACCOUNT, get_account),
    Route("PUT", _ACCOUNT, put_account),
    Route("PATCH", _ACCOUNT, patch_account),
    Route("DELETE", _ACCOUNT, delete_account),
    Route("GET", _ACCOUNT + "/blobServices", list_blob_services),
    Route("GET", _ACCOUNT + "/blobServices/default", get_blob_service),
    Route("PUT", _ACCOUNT + "/blobServices/default", put_blob_service),
    Route("GET", _S + "/providers/Microsoft.Storage/locations/{location}/asyncoperations/{operation}", poll_account),
)
