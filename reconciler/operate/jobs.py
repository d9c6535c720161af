"""What the declared vaults are working on: the jobs of Azure Backup and of Site Recovery that have not ended."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

from reconciler.azure.clients import Azure
from reconciler.azure.job_progress import JobBody, progress_of
from reconciler.errors import AbsentError, AzureError
from reconciler.kinds.located_vault import LocatedVault, declared_vaults
from reconciler.kinds.protected_vm.inventory import API_VERSION as BACKUP_API
from reconciler.kinds.replication.jobs import job_time
from reconciler.kinds.replication.listing import API_VERSION, is_never_used
from reconciler.kinds.replication.route import replication_vaults
from reconciler.model.activity import RunningJob
from reconciler.model.document import Declared

_ENDED = frozenset({"succeeded", "failed", "cancelled", "canceled", "completedwithinformation", "other", "skipped"})


class BackupJobProperties(msgspec.Struct, frozen=True, rename="camel"):
    entity_friendly_name: str = ""
    operation: str = ""
    status: str = ""
    start_time: str | None = None


class BackupJobBody(msgspec.Struct, frozen=True):
    """One job of Azure Backup."""

    name: str
    properties: BackupJobProperties = BackupJobProperties()


@dataclass(frozen=True, slots=True)
class Found:
    """Jobs, and sentences about what could not be read."""

    jobs: list[RunningJob] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)


async def read_jobs(azure: Azure, declared: Declared) -> Found:
    """Of every declared vault the backup jobs, and of those that a route names the replication jobs with their tasks;
    oldest first. What cannot be read is said, and the rest told."""
    vaults = declared_vaults(declared).values()
    replicating = replication_vaults(declared)
    reads = [_backup_jobs(azure, vault) for vault in vaults]
    reads += [_replication_jobs(azure, vault) for vault in replicating.values()]
    found = Found()
    for one in await asyncio.gather(*reads):
        found.jobs.extend(one.jobs)
        found.unread.extend(one.unread)
    found.jobs.sort(key=lambda job: (job.since is None, job.since or azure.now(), job.vault, job.name))
    return found


async def _backup_jobs(azure: Azure, vault: LocatedVault) -> Found:
    query = {"$filter": "status eq 'InProgress'"}
    try:
        listed = azure.list(f"{vault.arm_id}/backupJobs", BACKUP_API, BackupJobBody, **query)
        bodies = [body async for body in listed if body.properties.status == "InProgress"]
    except AbsentError:
        return Found()
    except AzureError as error:
        return Found(unread=[f"the backup jobs of vault {vault.name} could not be read: {error.message}"])
    return Found([_of_backup(vault, body) for body in bodies])


def _of_backup(vault: LocatedVault, body: BackupJobBody) -> RunningJob:
    told = body.properties
    return RunningJob(
        vault=vault.name,
        service="Azure Backup",
        name=body.name,
        what=told.operation,
        of=told.entity_friendly_name,
        state=told.status,
        since=job_time(told.start_time),
    )


async def _replication_jobs(azure: Azure, vault: LocatedVault) -> Found:
    try:
        listed = azure.list(f"{vault.arm_id}/replicationJobs", API_VERSION, JobBody)
        running = [body async for body in listed if (body.properties.state or "").lower() not in _ENDED]
        whole = await asyncio.gather(*(_whole(azure, vault, body) for body in running))
    except AbsentError:
        return Found()
    except AzureError as error:
        if is_never_used(error):
            return Found()
        return Found(unread=[f"the Site Recovery jobs of vault {vault.name} could not be read: {error.message}"])
    return Found([_of_replication(vault, body) for body in _open(whole)])


async def _whole(azure: Azure, vault: LocatedVault, body: JobBody) -> JobBody:
    """With its tasks, which the list leaves out."""
    try:
        return await azure.get(f"{vault.arm_id}/replicationJobs/{body.name}", API_VERSION, JobBody)
    except AbsentError:
        return body


def _open(bodies: Iterable[JobBody]) -> list[JobBody]:
    return [body for body in bodies if (body.properties.state or "").lower() not in _ENDED]


def _of_replication(vault: LocatedVault, body: JobBody) -> RunningJob:
    told = body.properties
    return RunningJob(
        vault=vault.name,
        service="Site Recovery",
        name=body.name,
        what=told.friendly_name or told.scenario_name or "job",
        of=told.target_object_name or "",
        state=told.state or "",
        since=job_time(told.start_time),
        progress=progress_of(body),
    )
