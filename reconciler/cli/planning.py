"""Policies and Azure → a plan, for the commands that show one."""

from __future__ import annotations

import time
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
    from reconciler.workflow import Wishes


async def plan_now(
    policies: tuple[Path, ...], cloud: str, ca_file: Path | None, wishes: Wishes, journal: Path | None = None
) -> Plan:
    """The plan as things are now; says on standard error where an apply is under way or was cut off."""
    async with connect(cloud, ca_file) as azure:
        validation, declared = read_policies(policies, azure.now().date())
        plan = await compare(azure, validation, declared, wishes)
        tell_unfinished(journal, azure.cloud.key)
        return plan


async def compare(azure: Azure, validation: Validation, declared: Declared, wishes: Wishes) -> Plan:
    """The plan, and a line on standard error that says what was compared with what."""
    from reconciler.workflow import make_plan

    where = f"{count(len(declared.subscriptions), 'subscription')} of Azure ({azure.cloud.name})"
    hint(f"Reading {where} ...")
    started, sent = time.monotonic(), azure.requests
    plan = await make_plan(azure, validation, declared, wishes)
    note(
        f"Compared {count(len(validation.files), 'policy file')} with {count(plan.machines, 'VM')} in {where}: "
        f"{count(azure.requests - sent, 'request')}, {time.monotonic() - started:.1f} s."
    )
    return plan
