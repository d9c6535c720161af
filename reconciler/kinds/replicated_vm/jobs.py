"""Site Recovery's jobs: what a step that was cut off may have started."""

from __future__ import annotations

from datetime import datetime

import msgspec

from reconciler.azure.clients import Azure
from reconciler.azure.operations import Operation
from reconciler.kinds.replicated_vm.wire import moment
from reconciler.kinds.replication_ids import vault_of
from reconciler.kinds.replication_list import API_VERSION
from reconciler.model.arm_id import ArmId
from reconciler.model.casing import fold
from reconciler.plan.change import Step

SCENARIOS = {
    "enable": "EnableDr",
    "networks": "UpdateVmProperties",
    "update": "UpdateVmProperties",
    "add-disks": "AddDisks",
    "remove-disks": "RemoveDisks",
    "disable": "DisableDr",
}
_ENDED = frozenset({"succeeded", "failed", "cancelled", "completedwithinformation", "other"})


class JobProperties(msgspec.Struct, frozen=True, rename="camel"):
    """What tells whether a job is that of a step. Right after its acceptance a job has no scenario yet (recorded)."""

    scenario_name: str | None = None
    state: str | None = None
    start_time: str | None = None
    target_object_name: str | None = None


class JobBody(msgspec.Struct, frozen=True):
    """One job of the list."""

    id: str
    name: str
    properties: JobProperties = JobProperties()


async def find_running(azure: Azure, step: Step, since: datetime) -> Operation | None:
    """The job that this step started at or after `since`, if it still runs. A job has the name of its operation; it
    names the VM, not its group: one of a namesake may be waited for as well, which costs time and nothing else."""
    item = ArmId(step.arguments["id"])
    vault, scenario = vault_of(item), SCENARIOS.get(step.verb)
    if scenario is None:
        return None
    machine = ArmId(step.arguments["machine"]).name if "machine" in step.arguments else step.address.rpartition("/")[2]
    known = {fold(machine), fold(item.name)}
    async for job in azure.list(f"{vault}/replicationJobs", API_VERSION, JobBody):
        properties = job.properties
        started = moment(properties.start_time)
        same = fold(properties.target_object_name or "") in known and properties.scenario_name in (scenario, None)
        open_ = (properties.state or "").lower() not in _ENDED
        if same and open_ and started is not None and started >= since:
            return Operation(
                url=f"{vault}/replicationOperationStatus/{job.name}?api-version={API_VERSION}",
                via="azure-async",
                resource=str(item),
                job=job.name,
            )
    return None
