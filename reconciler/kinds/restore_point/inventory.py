"""The live restore points of our collections. Azure has no list over collections: one request each."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from reconciler.azure.clients import Azure
from reconciler.azure.failures import unreadable
from reconciler.errors import AbsentError, AzureError
from reconciler.kinds.owned_collections import API_VERSION, POINT, OwnedCollection, owned_collections, point_address
from reconciler.kinds.restore_point.spec import RestorePointSpec
from reconciler.kinds.restore_point.wire import ExpandedBody, PointBody, facts_from
from reconciler.model.document import Declared
from reconciler.model.live import Unreadable
from reconciler.model.resource import Ref, Resource

EXPAND = {"$expand": "restorePoints"}


async def read_points(azure: Azure, declared: Declared) -> AsyncIterator[Resource | Unreadable]:
    """Every restore point of every collection of ours, those that others put there included."""
    collections, gaps = await owned_collections(azure, declared, POINT)
    for gap in gaps:
        yield gap
    for answer in await asyncio.gather(*(_read_collection(azure, one) for one in collections)):
        if isinstance(answer, Unreadable):
            yield answer
        else:
            for resource in answer:
                yield resource


async def _read_collection(azure: Azure, collection: OwnedCollection) -> list[Resource] | Unreadable:
    try:
        body = await azure.get(str(collection.arm_id), API_VERSION, ExpandedBody, **EXPAND)
    except AbsentError:
        return []  # deleted since it was listed
    except AzureError as error:
        return unreadable(
            error,
            kinds=(POINT,),
            scope=collection.scope,
            what=f"the restore points of collection {collection.arm_id.name}",
            action="Microsoft.Compute/restorePointCollections/read",
        )
    return [resource_from(point, collection) for point in body.properties.restore_points or ()]


def resource_from(body: PointBody, collection: OwnedCollection) -> Resource:
    """One point as a live resource."""
    facts = facts_from(body, collection)
    spec = RestorePointSpec(
        collection=Ref.of(collection.address),
        state="failed" if facts.state.lower() == "failed" else "present",
        consistency=facts.consistency,
    )
    address = point_address(collection.scope, facts.arm_id.name)
    return Resource(address, spec, facts.arm_id, collection.location, observed=facts)
