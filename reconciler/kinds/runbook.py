"""Which of the runbooks that recovery plans name there are: one read each. Never written.

Azure saves a plan with a runbook that is gone, and fails at it in the middle of a failover.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import msgspec

from reconciler.azure.clients import Azure
from reconciler.azure.failures import unreadable
from reconciler.errors import AbsentError, AzureError
from reconciler.model.arm_id import ArmId
from reconciler.model.document import Declared
from reconciler.model.live import Unreadable
from reconciler.model.recovery_plan import DOCUMENT, Actions, RecoveryAction, RecoveryGroup, RecoveryPlan

API_VERSION = "2023-11-01"
NAME = "runbook"


class RunbookBody(msgspec.Struct, frozen=True):
    """That there is one is all we look at."""

    id: str


async def read_runbooks(azure: Azure, declared: Declared) -> tuple[dict[ArmId, bool], list[Unreadable]]:
    """Every runbook that the policies name, and whether it is there; those that could not be read are gaps only."""
    plans = declared.of(DOCUMENT, RecoveryPlan).values()
    wanted = sorted({ArmId(one.runbook) for plan in plans for one in _actions(plan.value) if one.runbook is not None})

    async def read(runbook: ArmId) -> bool | Unreadable:
        try:
            await azure.get(str(runbook), API_VERSION, RunbookBody)
        except AbsentError:
            return False
        except AzureError as error:
            return unreadable(
                error,
                kinds=(NAME,),
                scope=declared.alias(runbook.subscription) or runbook.subscription,
                what=f"the runbook {runbook.name}, which a RecoveryPlan names,",
                action="Microsoft.Automation/automationAccounts/runbooks/read",
            )
        return True

    answers = dict(zip(wanted, await asyncio.gather(*map(read, wanted)), strict=True))
    gaps = [answer for answer in answers.values() if isinstance(answer, Unreadable)]
    return {key: answer for key, answer in answers.items() if not isinstance(answer, Unreadable)}, gaps


def _actions(plan: RecoveryPlan) -> Iterator[RecoveryAction]:
    sections: tuple[Actions | RecoveryGroup, ...] = (plan.shutdown, plan.failover, *plan.groups)
    for around in sections:
        yield from (*around.before, *around.after)
