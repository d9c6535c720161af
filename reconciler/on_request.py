"""Plans that no policy asks for, but a person by name: restores, drills, failovers. `workflow.py` carries them out."""

from __future__ import annotations

import asyncio
from datetime import UTC
from typing import TYPE_CHECKING, Any

import msgspec

from reconciler.diff.engine import compare, sort_findings
from reconciler.diff.guards import guard
from reconciler.kinds.base import Kind, Situation
from reconciler.kinds.registry import asked_kinds, kinds, operated_kinds
from reconciler.live.refresh import refresh
from reconciler.model.document import Declared
from reconciler.model.live import Live
from reconciler.model.operation_request import OperationRequest
from reconciler.model.restore_request import BackupRequest, RestoreRequest
from reconciler.model.snapshot_schedule import ASPECT as SNAPSHOTS
from reconciler.operate.resolve import resolve as undertake
from reconciler.plan.plan import Plan
from reconciler.restore.resolve import resolve
from reconciler.restore.wish import check_blocked, check_found

if TYPE_CHECKING:
    from reconciler.azure.clients import Azure

BACKUP = "backup"
"""The aspect of a Protection that vaults serve."""


async def plan_restore(azure: Azure, declared: Declared, request: RestoreRequest) -> Plan:
    """What was asked for, as resources → a plan: the same comparison, with everything that is to be made on the desired
    side, and on the live one what is there under those names. What it is made from is on both: the plan rests on it.

    Raises UsageError where what to restore from is not found.
    """
    from_vault = isinstance(request, BackupRequest)
    live = await (look_for_backups if from_vault else look_for_snapshots)(azure, declared)
    wish = await resolve(azure, declared, live, request)
    makers = {kind.name: kind for kind in asked_kinds()}
    looks = (makers[item.address.kind].look(azure, item) for item in wish.resources)
    there = [found for found in await asyncio.gather(*looks) if found]
    rests_on = {item.address: item for item in wish.sources}
    asked_for = {item.address: item for item in wish.resources}
    situation = Situation(
        declared,
        rests_on | asked_for,
        Live(rests_on | {item.address: item for item in there}, live.machines, requests=live.requests),
        azure.now(),
    )
    noted = (finding for found in there for finding in check_found(found, asked_for.get(found.address)))
    findings = (*wish.findings, *noted)
    compared = compare(situation, (*asked_kinds(), *_taking_snapshots()), findings)
    plan = guard(compared, situation, (*asked_kinds(), *_taking_snapshots()))
    told = (finding for finding in plan.findings if finding.topic != "objectives")  # those are drift's matter
    kept = sort_findings((*told, *check_blocked(plan.changes)))
    return msgspec.structs.replace(plan, findings=kept, unchanged=plan.unchanged - len(rests_on), restore=wish.request)


async def plan_operation(azure: Azure, declared: Declared, request: OperationRequest) -> Plan:
    """A drill, a failover or what follows one → a plan. Nothing is compared: Azure says what may be done now.

    Raises UsageError where the plan, the VM or the recovery point is not found.
    """
    live = await refresh(azure, declared, operated_kinds())
    undertaking = await undertake(azure, declared, live, request)
    created = azure.now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return Plan(created=created, changes=undertaking.changes, findings=sort_findings(undertaking.findings))


async def look_for_snapshots(azure: Azure, declared: Declared) -> Live:
    """The VMs, their disks, and all that these can be restored from; nothing else."""
    return await refresh(azure, declared, _taking_snapshots())


async def look_for_backups(azure: Azure, declared: Declared) -> Live:
    """The VMs, and what the vaults hold of them; nothing else."""
    return await refresh(azure, declared, _serving(BACKUP))


def _taking_snapshots() -> tuple[Kind[Any], ...]:
    return _serving(SNAPSHOTS)


def _serving(aspect: str) -> tuple[Kind[Any], ...]:
    return tuple(kind for kind in kinds() if aspect in (kind.serves, kind.aspect.name if kind.aspect else ""))
