"""Jobs of restores: their tasks, their progress, and what they say about where things went (backup.md §6)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from reconciler.emulator.operations import Operation
from reconciler.emulator.providers.backup_failures import CANCELLED, describe_job_error
from reconciler.emulator.providers.backup_job_bodies import job_body
from reconciler.emulator.providers.backup_names import JOBS, VAULTS, part
from reconciler.emulator.providers.backup_times import iso_duration, parse_time, us_time, wire_time
from reconciler.emulator.providers.restore_requests import NEW_MACHINE, REPLACE, Restore
from reconciler.emulator.providers.restored_disks import alphanumeric
from reconciler.emulator.world import World

Body = dict[str, Any]

CRR_JOBS = f"{VAULTS}/backupCrrJobs"
"""Jobs of the secondary region: no list of the vault shows them."""

TRANSFER = "Transfer data from vault"
SECOND_TASKS = {NEW_MACHINE: "Create the restored virtual machine", REPLACE: "Update the virtual machine"}
TITLES = {NEW_MACHINE: "Recover VM to an alternate location", REPLACE: "Replace disks"}
TRANSFER_SHARE = 0.9
"""The part of a restore after which its data is there and its VM is made. Not recorded."""


class Kept(msgspec.Struct):
    """The hidden state of a job. ``operation`` is what carries the restore out."""

    restore: Restore
    operation: str
    is_cancelling: bool = False
    cancelled: datetime | None = None
    restored: list[str] = []
    backed_up: list[str] = []


@dataclass(frozen=True)
class Progress:
    """How far a job is, and since when it is over."""

    status: str
    start: datetime
    seen: datetime
    share: float

    @property
    def is_running(self) -> bool:
        return self.status in ("InProgress", "Cancelling")


def open_restore_job(world: World, vault_id: str, guid: str, restore: Restore, run: Operation) -> str:
    """Stores the job; answers the id it is stored under."""
    body = job_body(vault_id, guid, restore.vm, "CrossRegionRestore" if restore.secondary else "Restore")
    body["properties"]["startTime"] = wire_time(run.start)
    key = f"{vault_id}/backupCrrJobs/{guid}" if restore.secondary else body["id"]
    hidden = msgspec.to_builtins(Kept(restore, run.guid))
    world.store.put(key, CRR_JOBS if restore.secondary else JOBS, body, hidden=hidden)
    return key


def read_restore(world: World, key: str) -> Kept | None:
    """What is known of the job of a restore; None for a job of another kind."""
    hidden = world.store.hidden(key)
    return msgspec.convert(hidden, Kept) if "restore" in hidden else None


def save_restore(world: World, key: str, kept: Kept) -> None:
    world.store.hide(key, msgspec.to_builtins(kept))


def run_of(world: World, kept: Kept) -> Operation:
    """The operation behind a job. Raises KeyError if a fault made the emulator forget it."""
    run = world.operations.get(kept.operation)
    if run is None:
        raise KeyError(kept.operation)
    return run


def _progress(world: World, body: Body, kept: Kept) -> Progress:
    run, start = run_of(world, kept), parse_time(body["properties"]["startTime"])
    status, seen = {"Succeeded": "Completed"}.get(run.status, run.status), world.clock.now()
    if kept.cancelled is not None:
        status, seen = "Cancelled", kept.cancelled
    elif kept.is_cancelling:
        status = "Cancelling"
    elif run.done and run.end:
        seen = run.end
    share = min(1.0, (seen - start).total_seconds() / kept.restore.seconds)
    return Progress(status, start, seen, 1.0 if status == "Completed" else share)


def show_restore(world: World, body: Body, kept: Kept, *, full: bool) -> Body:
    """`actionsInfo` stays on jobs that are over, and is not there in the secondary region, where nothing is cancelled.

    `extendedInfo` comes with a read of the job only.
    """
    progress = _progress(world, body, kept)
    actions = {} if kept.restore.secondary else {"actionsInfo": ["Cancellable"]}
    properties = {"jobType": "AzureIaaSVMJob", **actions, **body["properties"]}
    properties["duration"] = iso_duration(progress.seen - progress.start)
    properties["status"] = progress.status
    if not progress.is_running:
        properties["endTime"] = wire_time(progress.seen)
    run = run_of(world, kept)
    failed = CANCELLED if progress.status == "Cancelled" else (run.error or {}).get("code")
    if failed:
        properties["errorDetails"] = [describe_job_error(str(failed))]
    if full:
        properties["extendedInfo"] = {
            "tasksList": _show_tasks(kept.restore, progress),
            "propertyBag": _show_bag(body["name"], kept, progress),
            "internalPropertyBag": {"restoreLocationType": kept.restore.kind},
            **_show_share(progress),
        }
    return {**body, "properties": properties}


def _show_share(progress: Progress) -> Body:
    """Recorded: 1.0 right after the start, no percentage on a job that failed."""
    if progress.is_running:
        return {"progressPercentage": float(max(1, int(progress.share * 100))), "dynamicErrorMessage": ""}
    share = {"progressPercentage": 100.0} if progress.status == "Completed" else {}
    return {**share, "estimatedRemainingDuration": "PT0S"}


def _show_tasks(restore: Restore, progress: Progress) -> list[Body]:
    """A task takes no time of its own: its duration is always PT0S. Only the vault tells what it has moved."""
    second = SECOND_TASKS.get(restore.kind)
    is_moved = second is not None and progress.share >= TRANSFER_SHARE
    ended = "InProgress" if progress.is_running else progress.status
    transfer = {"taskId": TRANSFER, "duration": "PT0S", "status": "Completed" if is_moved else ended}
    moved = restore.size_gb if is_moved else round(progress.share * restore.size_gb, 2)
    if restore.from_vault and moved >= 1:
        transfer["taskExecutionDetails"] = f"{moved:g} GBs / {restore.size_gb} GBs Transferred"
    tasks = [{**transfer, "taskType": "Normal"}]
    if second is not None:
        status = ended if is_moved else "NotStarted"
        tasks.append({"taskId": second, "duration": "PT0S", "status": status, "taskType": "Normal"})
    return tasks


def _show_bag(guid: str, kept: Kept, progress: Progress) -> Body:
    """Everything is text; one key ends in a blank, and the VM that nobody asked for is called `vmName`."""
    restore, is_done = kept.restore, progress.status == "Completed"
    bag: Body = {"Job Type": TITLES.get(restore.kind, "Recover disks")}
    if restore.kind == NEW_MACHINE:
        network = f"Group {part(restore.network, 'resourceGroups')} {part(restore.network, 'virtualNetworks')}"
        bag["Original VM Name"] = part(restore.vm, "virtualMachines")
        bag["Target VM Name"], bag["Target VNet Name"] = part(restore.target_vm, "virtualMachines"), network
    elif restore.kind == REPLACE:
        bag["Target VM Name"] = part(restore.vm, "virtualMachines") if is_done else None
    else:
        bag["Target VM Name"] = "vmName"
    account = part(restore.staging, "storageAccounts")
    bag |= {"Target Storage Account Name": account, "Recovery point time ": us_time(restore.point_time)}
    if is_done and restore.kind not in SECOND_TASKS:
        bag |= _show_blobs(guid, restore, account)
    group = part(restore.vm if restore.kind == REPLACE else restore.target_group, "resourceGroups")
    if group:
        bag["Target resource group"] = group
    if is_done and restore.is_partial:
        bag |= {"Restored disk(s)": "; ".join(kept.restored), "Backed-up disk(s)": "; ".join(kept.backed_up)}
    return bag


def _show_blobs(guid: str, restore: Restore, account: str) -> Body:
    """Where the configuration of the VM and the template to deploy it with are. Plain URIs: who reads them signs in."""
    stem = alphanumeric(part(restore.vm, "virtualMachines"))
    container = f"{stem}-{guid.replace('-', '')}"
    address = f"https://{account}.blob.core.windows.net/{container}"
    return {
        "Config Blob Name": f"config-{stem}-{guid}.json",
        "Config Blob Container Name": container,
        "Config Blob Uri": f"{address}/config-{stem}-{guid}.json",
        "Template Blob Uri": f"{address}/azuredeploy{guid}.json",
    }
