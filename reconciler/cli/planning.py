"""Policies and Azure → a plan, for the commands that show one."""

from __future__ import annotations

import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.cli.base import choose_base
from reconciler.cli.checkout import checkout
from reconciler.cli.cloud import connect
from reconciler.cli.console import hint, note
from reconciler.cli.journals import tell_unfinished
from reconciler.cli.policies import read_policies
from reconciler.desired.past import Policies
from reconciler.model.counting import count

if TYPE_CHECKING:
    from reconciler.azure.clients import Azure
    from reconciler.desired.past import Checkout
    from reconciler.plan.plan import Plan
    from reconciler.workflow import Picture, Wishes


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, and both sides that it was made from: reports explain VMs by them.

    Short in words: asyncio spells out the result of the main task when it ends (see `Plan.__repr__`).
    """

    plan: Plan
    picture: Picture = field(repr=False)


async def plan_now(
    policies: tuple[Path, ...],
    cloud: str,
    ca_file: Path | None,
    wishes: Wishes,
    journal: Path | None = None,
    base: str | None = None,
    *,
    activity_log: bool = True,
) -> Planned:
    """The plan as things are now, told apart by the base; says on standard error where an apply is under way or was cut
    off. `base` is --base; `activity_log`: whether Azure is asked who made what drifted."""
    async with connect(cloud, ca_file) as azure:
        validation, declared = read_policies(policies, azure.now().date())
        chosen = choose_base(base, os.environ, declared.scope.value.base)
        with checkout(Policies(declared, validation), policies, chosen, azure.now().date()) as found:
            planned = await compare(azure, found, wishes)
        if activity_log:
            planned = await _with_writers(azure, planned, drift=False)
        tell_unfinished(journal, azure.cloud.key)
        return planned


async def drift_now(
    policies: tuple[Path, ...],
    cloud: str,
    ca_file: Path | None,
    wishes: Wishes,
    journal: Path | None = None,
    *,
    activity_log: bool = True,
) -> Planned:
    """How Azure differs from what was last applied. Raises RevisionError where that cannot be told."""
    async with connect(cloud, ca_file) as azure:
        validation, declared = read_policies(policies, azure.now().date())
        with checkout(Policies(declared, validation), policies, None, azure.now().date()) as found:
            planned = await _comparing(azure, found, lambda: _drift(azure, found, wishes))
        if activity_log:
            planned = await _with_writers(azure, planned, drift=True)
        if found.repository and planned.plan.base is None:
            note("Measured by the policies here: no vault says what was last applied.")
        tell_unfinished(journal, azure.cloud.key)
        return planned


async def _with_writers(azure: Azure, planned: Planned, *, drift: bool) -> Planned:
    from reconciler.kinds.registry import kinds
    from reconciler.live.last_writes import ask_last_writes

    return replace(planned, plan=await ask_last_writes(azure, planned.plan, kinds(), drift=drift))


async def compare(azure: Azure, found: Checkout, wishes: Wishes, *, traced: bool = True) -> Planned:
    """The plan, and a line on standard error that says what was compared with what. `traced`: with the origin of each
    change."""
    return await _comparing(azure, found, lambda: _plan(azure, found, wishes, traced=traced))


async def _plan(azure: Azure, found: Checkout, wishes: Wishes, *, traced: bool) -> Planned:
    from reconciler.workflow import look, look_with_past, plan_of

    picture = await (look_with_past(azure, found) if traced else look(azure, found.declared))
    return Planned(plan_of(picture, found.here.validation, wishes), picture)


async def _drift(azure: Azure, found: Checkout, wishes: Wishes) -> Planned:
    from reconciler.workflow import look_for_drift, plan_of

    picture, validation = await look_for_drift(azure, found)
    return Planned(plan_of(picture, validation, wishes), picture)


async def _comparing(azure: Azure, found: Checkout, planning: Callable[[], Awaitable[Planned]]) -> Planned:
    where = f"{count(len(found.declared.subscriptions), 'subscription')} of Azure ({azure.cloud.name})"
    hint(f"Reading {where} ...")
    started, sent = time.monotonic(), azure.requests
    planned = await planning()
    files = count(len(found.here.validation.files), "policy file")
    note(
        f"Compared {files} with {count(planned.plan.machines, 'VM')} in {where}: "
        f"{count(azure.requests - sent, 'request')}, {time.monotonic() - started:.1f} s."
    )
    return planned
