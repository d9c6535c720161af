"""Resource groups: read for preflight and for their spelling, never written."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import msgspec

from reconciler.azure.clients import Azure
from reconciler.azure.failures import unreadable
from reconciler.errors import AzureError
from reconciler.model.document import Declared
from reconciler.model.live import Unreadable
from reconciler.model.location import normalise_location

API_VERSION = "2024-11-01"
NAME = "resource_group"


class GroupBody(msgspec.Struct, frozen=True):
    """One resource group of the list."""

    name: str
    location: str = ""


async def group_names(azure: Azure, subscription_id: str) -> dict[str, str]:
    """Case-folded name → the name as it was created; asked once a refresh. Raises what the list raises."""
    return {group.name.casefold(): group.name for group in await _groups(azure, subscription_id)}


async def group_regions(azure: Azure, subscription_id: str) -> dict[str, str]:
    """Case-folded name → region, from the same list. Raises what the list raises."""
    groups = await _groups(azure, subscription_id)
    return {group.name.casefold(): normalise_location(group.location) for group in groups}


async def _groups(azure: Azure, subscription_id: str) -> tuple[GroupBody, ...]:
    async def read() -> tuple[GroupBody, ...]:
        path = f"/subscriptions/{subscription_id}/resourcegroups"
        return tuple([group async for group in azure.list(path, API_VERSION, GroupBody)])

    return await azure.shared(f"resource groups:{subscription_id.lower()}", read)


async def read_resource_groups(azure: Azure, declared: Declared) -> tuple[frozenset[str], list[Unreadable]]:
    """`alias/name`, case-folded, of every resource group of the Scope, and the subscriptions that could not be read."""

    async def read(alias: str, subscription_id: str) -> Iterable[str] | Unreadable:
        try:
            names = await group_names(azure, subscription_id)
        except AzureError as error:
            return unreadable(
                error,
                kinds=(NAME,),
                scope=alias,
                what=f"the list of resource groups in subscription {alias}",
                action="Microsoft.Resources/subscriptions/resourceGroups/read",
            )
        return [f"{alias}/{name}".casefold() for name in names]

    answers = await asyncio.gather(*(read(*pair) for pair in declared.subscriptions.items()))
    gaps = [answer for answer in answers if isinstance(answer, Unreadable)]
    names = (name for answer in answers if not isinstance(answer, Unreadable) for name in answer)
    return frozenset(names), gaps
