"""Policies and Azure → a plan, for the commands that show one."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.cli.cloud import connect
from reconciler.cli.console import hint, note
from reconciler.cli.journals import tell_unfinished
from reconciler.cli.policies import read_policies
from reconciler.model.counting import count

if TYPE_CHECKING:
    from reconciler.azure.clients import Azure
    from reconciler.desired.validate import Validation
    from reconciler.model.document import Declared
    from reconciler.plan.plan import Plan
    from reconciler.workflow import Picture, Wishes


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, and both sides that it was made from: reports explain VMs by them."""

    plan: Plan
    picture: Picture


async def plan_now(
    policies: tuple[Path, ...], cloud: str, ca_file: Path | None, wishes: Wishes, journal: Path | None = None
) -> Planned:
    """The plan as things are now; says on standard error where an apply is under way or was cut off."""
    async with connect(cloud, ca_file) as azure:
        validation, declared = read_policies(policies, azure.now().date())
        planned = await compare(azure, validation, declared, wishes)
        tell_unfinished(journal, azure.cloud.key)
        return planned


async def compare(azure: Azure, validation: Validation, declared: Declared, wishes: Wishes) -> Planned:
    """The plan, and a line on standard error that says what was compared with what."""
    from reconciler.workflow import look, plan_of

    where = f"{count(len(declared.subscriptions), 'subscription')} of Azure ({azure.cloud.name})"
    hint(f"Reading {where} ...")
    started, sent = time.monotonic(), azure.requests
    picture = await look(azure, declared)
    plan = plan_of(picture, validation, wishes)
    note(
        f"Compared {count(len(validation.files), 'policy file')} with {count(plan.machines, 'VM')} in {where}: "
        f"{count(azure.requests - sent, 'request')}, {time.monotonic() - started:.1f} s."
    )
    return Planned(plan, picture)
