"""What can be known before the first write: missing permissions, and steps that a Resource Guard will hold back."""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING

import msgspec

from reconciler.errors import AbsentError, AzureError
from reconciler.model.arm_id import ArmId
from reconciler.plan.change import Change, Step
from reconciler.plan.finding import Finding, Severity
from reconciler.plan.plan import Plan

if TYPE_CHECKING:
    from reconciler.azure.clients import Azure

PERMISSIONS_API = "2022-04-01"
_LANE_SEGMENTS = 8
"""`/subscriptions/…/resourceGroups/…/providers/…/vaults/…`: the part of an id that roles are commonly given on."""


class Permission(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What one role assignment allows: its actions less its own notActions (learn.microsoft.com, Role definitions)."""

    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()

    def allows(self, action: str) -> bool:
        return _matches(action, self.actions) and not _matches(action, self.not_actions)


def allowed(action: str, permissions: Iterable[Permission]) -> bool:
    """True where any one of the assignments allows the action: notActions of one do not take from another."""
    return any(permission.allows(action) for permission in permissions)


async def preflight(azure: Azure, plan: Plan) -> tuple[Finding, ...]:
    """Findings about the steps of the plan; errors among them mean that a step would be refused.

    One request a vault (BP-110, BP-111), or a resource group for what is in no vault. A permission list that cannot be
    read is reported and stops nothing: Azure itself has the last word. Deny assignments and conditions of roles are not
    seen by it.
    """
    needed: dict[ArmId, dict[str, list[Step]]] = defaultdict(lambda: defaultdict(list))
    for change in plan.actionable:
        for step in change.steps:
            scope = _scope(change, step)
            if scope is not None and step.permission:
                needed[scope][step.permission].append(step)
    found = await asyncio.gather(*(_check(azure, scope, needed[scope]) for scope in sorted(needed)))
    return (*(finding for group in found for finding in group), *_guarded(plan.steps()))


async def _check(azure: Azure, scope: ArmId, needed: Mapping[str, list[Step]]) -> list[Finding]:
    try:
        held = await _permissions(azure, scope)
    except AzureError as error:
        return [
            Finding(
                code="preflight-unread",
                severity=Severity.WARNING,
                message=f"your permissions on {scope} could not be read: {error.message}",
                advice="apply goes on; Azure refuses what is not allowed",
            )
        ]
    return [_missing(scope, action, steps) for action, steps in needed.items() if not allowed(action, held)]


async def _permissions(azure: Azure, scope: ArmId) -> list[Permission]:
    """Of the vault, or of its resource group while the vault is not there yet."""
    try:
        return await _list(azure, scope)
    except AbsentError:
        return await _list(azure, scope.parent(2 if scope.segment("providers") else 1))


async def _list(azure: Azure, scope: ArmId) -> list[Permission]:
    path = f"{scope}/providers/Microsoft.Authorization/permissions"
    return [item async for item in azure.list(path, PERMISSIONS_API, Permission)]


def _missing(scope: ArmId, action: str, steps: list[Step]) -> Finding:
    first, others = steps[0], len(steps) - 1
    more = f" and {others} more step{'' if others == 1 else 's'} need" if others else " needs"
    return Finding(
        code="preflight-permission",
        message=f"the identity may not perform {action} on {scope}, which {first.title!r}{more}",
        address=first.address,
        advice=f"give it a role with {action} there; a role given minutes ago needs a new sign-in",
    )


def _guarded(steps: Iterable[Step]) -> list[Finding]:
    by_guard: dict[str, list[Step]] = defaultdict(list)
    for step in steps:
        if step.needs_approval:
            by_guard[step.needs_approval].append(step)
    return [
        Finding(
            code="BP-86",
            severity=Severity.WARNING,
            message=f"{len(held)} step{'' if len(held) == 1 else 's'} will wait for the approval of the Resource Guard "
            f"{guard}: each is sent once, and not retried",
            address=held[0].address,
            advice="ask the owner of the Resource Guard for approval, then run apply again",
        )
        for guard, held in by_guard.items()
    ]


def _scope(change: Change, step: Step) -> ArmId | None:
    """The vault whose lane the step takes, spelled as the change's own id spells it; of any other lane, as that of a
    disk, the resource group that is written to: there may be thousands of disks, and roles are given on groups."""
    if not step.lane.startswith("/subscriptions/"):
        return None
    lane = ArmId(step.lane)
    if not lane.segment("vaults"):
        return _group(ArmId(change.arm_id) if change.arm_id else lane)
    spelled = ArmId("/".join(str(ArmId(change.arm_id)).split("/")[: _LANE_SEGMENTS + 1]))
    return spelled if spelled == lane else lane


def _group(place: ArmId) -> ArmId:
    return ArmId(f"/subscriptions/{place.subscription}/resourceGroups/{place.resource_group}")


def _matches(action: str, patterns: Iterable[str]) -> bool:
    return any(_pattern(pattern).fullmatch(action) for pattern in patterns)


@cache
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, text.split("*"))), re.IGNORECASE)
