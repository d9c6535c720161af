"""Backup jobs: what a step that was cut off may have started."""

from __future__ import annotations

from datetime import datetime

import msgspec

from reconciler.azure.clients import Azure
from reconciler.azure.operations import Operation
from reconciler.kinds.protected_vm.inventory import API_VERSION
from reconciler.kinds.protected_vm.requests import ItemPath
from reconciler.kinds.protected_vm.wire import moment
from reconciler.model.arm_id import ArmId
from reconciler.plan.change import Step


class JobProperties(msgspec.Struct, frozen=True, rename="camel"):
    """What tells whether a job is that of a step."""

    entity_friendly_name: str = ""
    operation: str = ""
    status: str = ""
    start_time: str | None = None


class JobBody(msgspec.Struct, frozen=True):
    """One backup job of the list."""

    id: str
    properties: JobProperties


JOBS = {
    "protect": "ConfigureBackup",
    "update": "ConfigureBackup",
    "resume": "ConfigureBackup",
    "undelete": "Undelete",
    "stop": "DisableBackup",
    "suspend": "DisableBackup",
    "delete": "DeleteBackupData",
}


async def find_running(azure: Azure, step: Step, since: datetime) -> Operation | None:
    """The job that this step started at or after `since`, if it still runs; jobs name the VM without its group, so one
    of a namesake may be waited for as well: that costs time, nothing else."""
    vault, machine = ArmId(step.arguments["vault"]), ArmId(step.arguments["machine"])
    query = {"$filter": f"operation eq '{JOBS[step.verb]}' and status eq 'InProgress'"}
    async for job in azure.list(f"{vault}/backupJobs", API_VERSION, JobBody, **query):
        started = moment(job.properties.start_time)
        same = job.properties.entity_friendly_name.casefold() == machine.name.casefold()
        if same and started is not None and started >= since and job.properties.status == "InProgress":
            return Operation(
                url=f"{job.id}?api-version={API_VERSION}",
                via="job",
                resource=str(ItemPath.of(step).arm_id),
                job=job.id.rpartition("/")[2],
            )
    return None
