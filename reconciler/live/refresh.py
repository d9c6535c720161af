"""Azure → the live state: every collection at once, one list each. Unreadable is never absent."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Iterable
from typing import Any

from reconciler.azure.clients import Azure
from reconciler.azure.failures import NO_CREDENTIALS
from reconciler.errors import AzureError
from reconciler.kinds.base import Kind, Reading
from reconciler.kinds.managed_disk import read_disks
from reconciler.kinds.replication.site import read_site
from reconciler.kinds.resource_group import read_resource_groups
from reconciler.kinds.runbook import read_runbooks
from reconciler.kinds.virtual_machine import read_machines
from reconciler.model.address import Address
from reconciler.model.document import Declared
from reconciler.model.live import Live, Unreadable
from reconciler.model.resource import Resource


async def refresh(azure: Azure, declared: Declared, kinds: Iterable[Kind[Any]]) -> Live:
    """Everything that the policies can speak of, as it is now.

    A list that fails hides what may lie behind it and stops nothing else. Raises DeniedError where nobody is signed in.
    """
    azure.forget()
    before = azure.requests
    (
        (machines, machine_gaps),
        (groups, group_gaps),
        (disks, disk_gaps),
        (site, site_gaps),
        (runbooks, runbook_gaps),
        readings,
    ) = await asyncio.gather(
        read_machines(azure, declared),
        read_resource_groups(azure, declared),
        read_disks(azure, declared),
        read_site(azure, declared),
        read_runbooks(azure, declared),
        asyncio.gather(*(_read(kind, azure, declared) for kind in kinds)),
    )
    resources = (resource for reading in readings for resource in reading.resources)
    gaps = [
        *machine_gaps,
        *group_gaps,
        *disk_gaps,
        *site_gaps,
        *runbook_gaps,
        *(gap for reading in readings for gap in reading.unreadable),
    ]
    return Live(
        state=_state(resources),
        machines=tuple(sorted(machines, key=lambda one: one.arm_id.key)),
        resource_groups=groups,
        unreadable=_merge(gaps),
        requests=azure.requests - before,
        disks=tuple(disks),
        site=site,
        runbooks=runbooks,
    )


async def _read(kind: Kind[Any], azure: Azure, declared: Declared) -> Reading:
    reading = Reading()
    try:
        async for found in kind.read(azure, declared):
            if isinstance(found, Unreadable):
                reading.unreadable.append(found)
            else:
                reading.resources.append(found)
    except AzureError as error:
        if error.code == NO_CREDENTIALS:
            raise
        reading.unreadable.extend(
            Unreadable(
                kinds=(kind.name,),
                scope=alias,
                message=f"the {kind.title} resources of subscription {alias} could not be read",
                why=str(error),
                advice=error.advice,
            )
            for alias in declared.subscriptions
        )
    return reading


def _state(resources: Iterable[Resource]) -> dict[Address, Resource]:
    """By address; of two answers for one address (a list that changed while it was read) the first counts."""
    state: dict[Address, Resource] = {}
    for resource in resources:
        state.setdefault(resource.address, resource)
    return state


def _merge(gaps: Iterable[Unreadable]) -> tuple[Unreadable, ...]:
    """One gap for each failed list: kinds that share a list each report it."""
    merged: dict[Unreadable, tuple[str, ...]] = {}
    for gap in gaps:
        key = dataclasses.replace(gap, kinds=())
        merged[key] = (*merged.get(key, ()), *gap.kinds)
    return tuple(dataclasses.replace(gap, kinds=tuple(dict.fromkeys(kinds))) for gap, kinds in merged.items())
