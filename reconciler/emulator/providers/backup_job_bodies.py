"""What all backup jobs have in common, whatever they do (backup.md §6)."""

from typing import Any

from reconciler.emulator.providers.backup_names import JOBS, draw, part, vm_name

Body = dict[str, Any]


def job_body(vault_id: str, guid: str, vm_id: str, kind: str) -> Body:
    """A job that has just begun; `startTime` is for the caller to fill in."""
    properties = {
        "jobType": "AzureIaaSVMJob",
        "containerName": vm_name(vm_id),
        "duration": "PT0S",
        "virtualMachineVersion": "Compute",
        "entityFriendlyName": part(vm_id, "virtualMachines"),
        "backupManagementType": "AzureIaasVM",
        "operation": kind,
        "status": "InProgress",
        "startTime": "",
        "activityId": f"{draw('activity', guid):08x}-0529-11ef-b99c-{draw(guid):012x}",
    }
    return {"id": f"{vault_id}/backupJobs/{guid}", "name": guid, "type": JOBS, "properties": properties}
