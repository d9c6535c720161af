"""The inventory of what routes name: cache storage accounts and virtual networks, one read each. Never written.

Read only where the policies declare routes. Azure refuses many of these in the middle of an operation: a plan says so
before anything is begun.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

import msgspec

from reconciler.azure.clients import Azure
from reconciler.azure.failures import unreadable
from reconciler.errors import AbsentError, AzureError
from reconciler.kinds.adoption import is_survey
from reconciler.kinds.replication.route import located_routes
from reconciler.kinds.resource_group import group_regions
from reconciler.model.arm_id import ArmId
from reconciler.model.document import Declared
from reconciler.model.live import Unreadable
from reconciler.model.location import normalise_location
from reconciler.model.replication_site import CacheAccount, ReplicationSite, VirtualNetwork

ACCOUNT, NETWORK = "cache_account", "virtual_network"
_STORAGE_VERSION, _NETWORK_VERSION = "2024-01-01", "2024-05-01"
F = TypeVar("F")


class _Body(msgspec.Struct, frozen=True, rename="camel"):
    """Part of an answer: what we do not look at is left out."""


class AclBody(_Body, frozen=True):
    """`networkAcls`: `bypass` is a list in one string, as "AzureServices, Metrics"."""

    bypass: str | None = None
    default_action: str | None = None


class AccountProperties(_Body, frozen=True):
    """Shared keys are allowed unless it says otherwise."""

    allow_shared_key_access: bool | None = None
    network_acls: AclBody | None = None


class SkuBody(_Body, frozen=True):
    name: str = ""


class AccountBody(_Body, frozen=True):
    """A storage account."""

    id: str
    location: str = ""
    kind: str = ""
    sku: SkuBody = SkuBody()
    properties: AccountProperties = AccountProperties()


class RetentionBody(_Body, frozen=True):
    enabled: bool | None = None


class BlobProperties(_Body, frozen=True):
    delete_retention_policy: RetentionBody | None = None


class BlobServiceBody(_Body, frozen=True):
    """`blobServices/default` of an account."""

    properties: BlobProperties = BlobProperties()


class SubnetBody(_Body, frozen=True):
    name: str = ""


class NetworkProperties(_Body, frozen=True):
    subnets: tuple[SubnetBody, ...] | None = None


class NetworkBody(_Body, frozen=True):
    """A virtual network."""

    id: str
    location: str = ""
    properties: NetworkProperties = NetworkProperties()


async def read_site(azure: Azure, declared: Declared) -> tuple[ReplicationSite, list[Unreadable]]:
    """What the declared routes name, and what of it could not be read."""
    routes = [route for route in located_routes(declared) if not is_survey(route.value)]
    accounts = {ArmId(route.value.cache_storage_account) for route in routes}
    back = (route.value.failback_cache_storage_account for route in routes)
    accounts |= {ArmId(text) for text in back if text is not None}
    networks = {ArmId(text) for route in routes for pair in route.value.networks for text in (pair.from_, pair.to)}
    networks |= {ArmId(route.value.test_network) for route in routes if route.value.test_network}
    (found_accounts, account_gaps), (found_networks, network_gaps) = await asyncio.gather(
        _read_each(azure, declared, accounts, _read_account, ACCOUNT, "Microsoft.Storage/storageAccounts/read"),
        _read_each(azure, declared, networks, _read_network, NETWORK, "Microsoft.Network/virtualNetworks/read"),
    )
    groups = await _read_groups(azure, declared) if routes else {}
    return ReplicationSite(found_accounts, found_networks, groups), [*account_gaps, *network_gaps]


async def _read_groups(azure: Azure, declared: Declared) -> dict[str, str]:
    """From the lists that the reader of resource groups shares, and whose failures it reports."""
    found: dict[str, str] = {}
    for alias, subscription_id in declared.subscriptions.items():
        with contextlib.suppress(AzureError):
            regions = await group_regions(azure, subscription_id)
            found |= {f"{alias}/{name}".casefold(): region for name, region in regions.items()}
    return found


async def _read_each(
    azure: Azure,
    declared: Declared,
    wanted: Iterable[ArmId],
    read: Callable[[Azure, ArmId], Awaitable[F]],
    kind: str,
    action: str,
) -> tuple[dict[ArmId, F | None], list[Unreadable]]:
    async def one(arm_id: ArmId) -> F | Unreadable | None:
        try:
            return await read(azure, arm_id)
        except AbsentError:
            return None
        except AzureError as error:
            alias = declared.alias(arm_id.subscription) or arm_id.subscription
            what = f"the {kind.replace('_', ' ')} {arm_id.name}, which a route names,"
            return unreadable(error, kinds=(kind,), scope=alias, what=what, action=action)

    ordered = sorted(wanted)
    answers = dict(zip(ordered, await asyncio.gather(*(one(arm_id) for arm_id in ordered)), strict=True))
    gaps = [answer for answer in answers.values() if isinstance(answer, Unreadable)]
    return {key: answer for key, answer in answers.items() if not isinstance(answer, Unreadable)}, gaps


async def _read_account(azure: Azure, arm_id: ArmId) -> CacheAccount:
    """Soft delete is a setting of the account's blob service."""
    body = await azure.get(str(arm_id), _STORAGE_VERSION, AccountBody)
    service = await azure.get(str(arm_id.child("blobServices", "default")), _STORAGE_VERSION, BlobServiceBody)
    kept = service.properties.delete_retention_policy or RetentionBody()
    acl = body.properties.network_acls or AclBody()
    is_open = (acl.default_action or "Allow").lower() == "allow" or "azureservices" in (acl.bypass or "").lower()
    return CacheAccount(
        arm_id=ArmId(body.id),
        location=normalise_location(body.location),
        type=body.kind,
        sku=body.sku.name,
        shared_key=body.properties.allow_shared_key_access is not False,
        blobs_kept=bool(kept.enabled),
        open_to_azure=is_open,
    )


async def _read_network(azure: Azure, arm_id: ArmId) -> VirtualNetwork:
    body = await azure.get(str(arm_id), _NETWORK_VERSION, NetworkBody)
    names = tuple(subnet.name for subnet in body.properties.subnets or ())
    return VirtualNetwork(ArmId(body.id), normalise_location(body.location), names)
