"""Who did it: the last writes to what drifted, out of the Azure Activity Log. It never fails the command.

A resource is asked for by its id; where more than ten of one resource group drifted, the group is listed once and its
entries are told apart here. What is written to a resource stands under its own id: a protected item under the item's. A
vault's settings and tags are resources of their own below it, so those are asked for as well.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from reconciler.azure.activity_log import REACH, READ, Event, Excerpt, read_group, read_resource
from reconciler.azure.clients import Azure
from reconciler.errors import AzureError, DeniedError
from reconciler.kinds.base import Kind
from reconciler.model.arm_id import ArmId
from reconciler.plan.plan import Plan
from reconciler.plan.provenance import LastWrites, Origin, Write

MOST_WRITES = 3
MOST_REQUESTS = 50
"""In one run: a report that is read by people is worth so much of the quota, and not more."""
PATIENCE = 60.0
"""Seconds: a throttled log may ask for an hour, and a report does not wait for that."""
_ALONE = 10
"""Up to so many resources of one resource group are asked for one by one."""
_GROUP_PAGES = 5
_RESOURCE_PAGES = 2
_NOTHING = "nothing in the Activity Log of the last 90 days"
_OF_A_VAULT = (
    ("backupconfig", "vaultconfig"),
    ("backupstorageconfig", "vaultstorageconfig"),
    ("backupResourceGuardProxies", "VaultProxy"),
    ("providers", "Microsoft.Resources", "tags", "default"),
)
_ENDED = ("succeeded", "failed", "canceled")


async def ask_last_writes(azure: Azure, plan: Plan, kinds: Iterable[Kind[Any]], *, drift: bool) -> Plan:
    """The plan with `last_writes` of what drifted: in a `drift` report of everything that differs, else of the changes
    whose origin is drift (or both). Of what is not in Azure nothing is told unless somebody wrote to it: most of it was
    never there."""
    changes = plan.drift if drift else plan.of_origin(Origin.DRIFT, Origin.BOTH)
    known = {kind.name: kind for kind in kinds}
    found_at = ((change.address, known[change.kind].logged_at(change)) for change in changes if change.kind in known)
    subjects = {address: subject for address, subject in found_at if subject}
    if not subjects:
        return plan
    found = await last_writes(azure, subjects.values())
    absent = {change.address for change in changes if change.before is None}
    told = {address: found[subject] for address, subject in subjects.items()}
    told = {address: item for address, item in told.items() if address not in absent or item.missing != _NOTHING}
    return msgspec.structs.replace(plan, last_writes=told)


async def last_writes(azure: Azure, ids: Iterable[ArmId], patience: float = PATIENCE) -> Mapping[ArmId, LastWrites]:
    """Of each resource the newest writes, at most three, or why they cannot be told. `patience` in seconds, for all."""
    since = azure.now() - REACH
    wanted = list(dict.fromkeys(ids))
    told: dict[ArmId, LastWrites] = {}
    asked: list[_Query] = []
    left = MOST_REQUESTS
    for query in _queries(wanted):
        if query.requests <= left:
            left -= query.requests
            asked.append(query)
            continue
        reason = f"not asked: {MOST_REQUESTS} requests to the Activity Log are the most that one run makes"
        told |= dict.fromkeys(query.subjects, LastWrites(missing=reason))
    for answered in await asyncio.gather(*(query.answer(azure, since, patience) for query in asked)):
        told |= answered
    return told


@dataclass(frozen=True, slots=True)
class _Query:
    """What is asked in one go: one resource with all its places, or (`group`) everything in a resource group."""

    subjects: tuple[ArmId, ...]
    group: str = ""

    @property
    def requests(self) -> int:
        return _GROUP_PAGES if self.group else len(_places(self.subjects[0]))

    async def answer(self, azure: Azure, since: datetime, patience: float) -> dict[ArmId, LastWrites]:
        try:
            async with asyncio.timeout(patience):
                excerpts = await self._read(azure, since)
        except TimeoutError:
            return dict.fromkeys(self.subjects, LastWrites(missing=f"no answer of the Activity Log in {patience:g} s"))
        except AzureError as error:
            return dict.fromkeys(self.subjects, LastWrites(missing=_why_not(error, self.subjects[0])))
        return {subject: _told(subject, excerpts) for subject in self.subjects}

    async def _read(self, azure: Azure, since: datetime) -> list[Excerpt]:
        first = self.subjects[0]
        if self.group:
            return [await read_group(azure, first.subscription, self.group, since, _GROUP_PAGES)]
        reads = (read_resource(azure, place, since, _RESOURCE_PAGES) for place in _places(first))
        return await asyncio.gather(*reads)


def _queries(ids: Iterable[ArmId]) -> Iterator[_Query]:
    groups: dict[tuple[str, str], list[ArmId]] = {}
    for arm_id in ids:
        groups.setdefault((arm_id.subscription, arm_id.resource_group.casefold()), []).append(arm_id)
    for (_, group), members in groups.items():
        if group and len(members) > _ALONE:
            yield _Query(tuple(members), members[0].resource_group)
        else:
            yield from (_Query((member,)) for member in members)


def _places(subject: ArmId) -> tuple[ArmId, ...]:
    """The ids under which writes to a resource are logged."""
    is_vault = subject == subject.parent().child("vaults", subject.name)
    return (subject, *(subject.child(*below) for below in _OF_A_VAULT)) if is_vault else (subject,)


def _told(subject: ArmId, excerpts: Iterable[Excerpt]) -> LastWrites:
    places = frozenset(_places(subject))
    excerpts = list(excerpts)
    events = [event for excerpt in excerpts for event in excerpt.events if event.resource in places]
    writes = _writes(events)
    if writes:
        return LastWrites(writes=writes)
    if all(excerpt.whole for excerpt in excerpts):
        return LastWrites(missing=_NOTHING)
    oldest = min((event.at for excerpt in excerpts for event in excerpt.events), default=None)
    reached = f"back to {oldest:%Y-%m-%d %H:%M} UTC" if oldest else "in its newest pages"
    return LastWrites(missing=f"nothing in the Activity Log {reached}; what is older was not read")


def _writes(events: Iterable[Event]) -> tuple[Write, ...]:
    """One write of each start and end, the newest first. One that failed changed nothing: it is told only where there
    is no other."""
    requests: dict[tuple[object, ...], list[Event]] = {}
    for event in events:
        of_one = event.correlation_id or (event.at, event.caller)
        requests.setdefault((of_one, event.resource, event.operation.casefold()), []).append(event)
    writes = sorted((_write(request) for request in requests.values()), key=lambda write: write.at, reverse=True)
    effective = [write for write in writes if write.status.casefold() != "failed"]
    return tuple((effective or writes)[:MOST_WRITES])


def _write(events: list[Event]) -> Write:
    """As of its first event, with the status of its last one."""
    first = min(events, key=lambda event: event.at)
    last = max(events, key=lambda event: (event.status.casefold() in _ENDED, event.at, event.status != "Started"))
    return Write(
        at=first.at,
        caller=first.caller or last.caller,
        operation=first.operation,
        correlation_id=first.correlation_id,
        status=last.status,
    )


def _why_not(error: AzureError, subject: ArmId) -> str:
    if isinstance(error, DeniedError):
        return f"your identity may not read the Activity Log ({READ}) of subscription {subject.subscription}"
    return f"the Activity Log could not be read: {error.why or error.message}"
