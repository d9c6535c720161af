"""Jobs of restores: which of them did, or does, what is asked for (backup.md §6).

A list tells whose jobs they are, one job what it restores to: recovery type, time of the recovery point, target.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import msgspec

from reconciler.azure.backup_jobs import JobBody
from reconciler.azure.clients import Azure
from reconciler.azure.failures import refusal
from reconciler.azure.operations import Operation
from reconciler.kinds.vault_restore.spec import DISKS, MACHINE, RECOVERY_TYPES, REPLACE, VaultRestoreSpec
from reconciler.model.arm_id import ArmId

API_VERSION = "2026-05-01"
PASSIVE_VERSION = "2023-01-15"
"""Of the service in the secondary region, which serves the same paths: the api-version tells which of them is meant."""
_LOOKED_AT = 40
"""Jobs of one VM, the newest first, that are read one by one: twice what Azure takes in a day (BP-54)."""


class JobList(msgspec.Struct, frozen=True):
    """What the secondary region answers; a list of its jobs is asked for by POST."""

    value: tuple[JobBody, ...] = ()


async def find_job(azure: Azure, spec: VaultRestoreSpec, *, since: datetime | None = None) -> JobBody | None:
    """The newest job that does or did what `spec` says, from `since` on; None where there is none, or where a newer
    one has put other disks into the VM since. A job of some disks does not tell which while it runs: it counts only
    where `since` says that it may be ours. Raises what the list raises."""
    looked_at = 0
    async for listed in _listed(azure, spec):
        started = listed.properties.start_time
        same = listed.properties.entity_friendly_name.casefold() == spec.machine_id.name.casefold()
        if not same or started is None or (since and started < since) or started <= _after(spec):
            continue
        looked_at += 1
        if looked_at > _LOOKED_AT:
            break
        job = await _read(azure, spec, listed.name)
        if not (job.running or job.completed) or not _is_into(job, spec):
            continue
        if is_of(job, spec, ours=since is not None):
            return job
        if spec.into == REPLACE:
            return None
    return None


def operation_of(job: JobBody, spec: VaultRestoreSpec) -> Operation:
    """What waits for a job that runs."""
    return Operation(
        url=job_url(spec).replace("{job}", job.name),
        via="job",
        resource=spec.item,
        job=job.name,
        asks={name: text.replace("{job}", job.name) for name, text in job_question(spec).items()},
    )


def job_url(spec: VaultRestoreSpec) -> str:
    """The address of one job, `{job}` for its id."""
    if spec.secondary:
        return f"{location_of(spec)}/backupCrrJob?api-version={PASSIVE_VERSION}"
    return f"{spec.vault}/backupJobs/{{job}}?api-version={API_VERSION}"


def job_question(spec: VaultRestoreSpec) -> dict[str, str]:
    """The body that the secondary region is asked with; {} for the vault itself."""
    return {"resourceId": str(spec.vault), "jobName": "{job}"} if spec.secondary else {}


def location_of(spec: VaultRestoreSpec) -> str:
    """Where the secondary region is asked."""
    return f"/subscriptions/{spec.vault.subscription}/providers/Microsoft.RecoveryServices/locations/{spec.region}"


def is_of(job: JobBody, spec: VaultRestoreSpec, *, ours: bool = False) -> bool:
    """Whether a job restores from the recovery point of `spec`, to where `spec` says. Names and seconds is all that a
    job tells; which disks, only once it has ended: until then those of `ours` are taken for granted."""
    if not _is_into(job, spec) or job.told("Recovery point time ") != us_time(spec.point_time):
        return False
    if not _same(job.told("Target Storage Account Name"), ArmId(spec.staging).name):
        return False
    if spec.into != REPLACE and not _same(job.told("Target resource group"), ArmId(spec.group).resource_group):
        return False
    if spec.into == MACHINE and not _same(job.told("Target VM Name"), ArmId(spec.target).name):
        return False
    return spec.into != DISKS or (ours and job.running) or _are_disks(job, spec)


def us_time(moment: datetime) -> str:
    """As jobs write times: `6/14/2024 12:00:00 AM`."""
    hour = moment.hour % 12 or 12
    return f"{moment.month}/{moment.day}/{moment.year} {hour}:{moment:%M:%S} {'PM' if moment.hour >= 12 else 'AM'}"


def _are_disks(job: JobBody, spec: VaultRestoreSpec) -> bool:
    """A job of all disks names none; one that runs does not name them yet."""
    named = job.told("Restored disk(s)")
    if not job.completed or not (named or spec.disks):
        return not spec.disks
    found = {name.strip().casefold() for name in named.split(";") if name.strip()}
    if len(spec.disk_names) != len(spec.disks):
        return len(found) == len(spec.disks)
    return found == {name.casefold() for name in spec.disk_names}


def _is_into(job: JobBody, spec: VaultRestoreSpec) -> bool:
    told = job.properties.extended_info
    bag = (told.internal_property_bag if told else None) or {}
    return (bag.get("restoreLocationType") or "") == RECOVERY_TYPES[spec.into]


def _same(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()


def _after(spec: VaultRestoreSpec) -> datetime:
    return datetime.fromisoformat(spec.after or "1970-01-01T00:00:00+00:00") + timedelta(seconds=1 if spec.after else 0)


async def _listed(azure: Azure, spec: VaultRestoreSpec) -> AsyncIterator[JobBody]:
    """The newest first."""
    if spec.secondary:
        filtered = f"{location_of(spec)}/backupCrrJobs?api-version={PASSIVE_VERSION}"
        answer = await azure.exchange("POST", filtered, {"resourceId": str(spec.vault)})
        if answer.status >= 400:
            raise refusal(answer.status, answer.body, str(spec.vault))
        for job in msgspec.convert(answer.body, JobList).value:
            yield job
        return
    query = {"$filter": "operation eq 'Restore'"}
    async for job in azure.list(f"{spec.vault}/backupJobs", API_VERSION, JobBody, **query):
        yield job


async def _read(azure: Azure, spec: VaultRestoreSpec, name: str) -> JobBody:
    if not spec.secondary:
        return await azure.get(f"{spec.vault}/backupJobs/{name}", API_VERSION, JobBody)
    body = {key: text.replace("{job}", name) for key, text in job_question(spec).items()}
    answer = await azure.send("POST", f"{location_of(spec)}/backupCrrJob", PASSIVE_VERSION, body)
    return msgspec.convert(answer.body, JobBody)
