"""Which of Site Recovery's jobs a step that was cut off may have started."""

from __future__ import annotations

from datetime import datetime

from reconciler.azure.clients import Azure
from reconciler.azure.operations import Operation
from reconciler.kinds.replication.jobs import find_open_job
from reconciler.model.address import Address
from reconciler.model.arm_id import ArmId
from reconciler.plan.change import Step

SCENARIOS = {
    "enable": "EnableDr",
    "networks": "UpdateVmProperties",
    "update": "UpdateVmProperties",
    "add-disks": "AddDisks",
    "remove-disks": "RemoveDisks",
    "disable": "DisableDr",
}


async def find_running(azure: Azure, step: Step, since: datetime) -> Operation | None:
    """The job that this step started at or after `since`, if it still runs. It names the VM, not its group: that of a
    namesake may be waited for as well, which costs time and nothing else. Waiting for the copy starts no job."""
    scenario, item = SCENARIOS.get(step.verb), ArmId(step.arguments["id"])
    if scenario is None:
        return None
    return await find_open_job(azure, item, scenario, {Address.parse(step.address).name, item.name}, since)
