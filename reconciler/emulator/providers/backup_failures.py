"""Why backups and restores fail: the details that items (health) and jobs (errorDetails) carry."""

from collections.abc import Mapping
from typing import Any

Body = dict[str, Any]

VM_NOT_FOUND = "UserErrorVmNotFoundV2"
DEFAULT_FAILURE = "UserErrorGuestAgentStatusUnavailable"
CANCELLED = "UserErrorJobSuccessfullyCancelled"
RESTORE_FAILED = "RestoreOperationFailed"
STAGING_NOT_FOUND = "UserErrorBCMRestoreStorageAccountNotFound"

GREEN: Mapping[str, Any] = {
    "code": 400239,
    "title": "IaasVmHealthGreenDefault",
    "message": "Backup pre-check status of this virtual machine is OK.",
    "recommendations": [],
}

_FAILURES: Mapping[str, tuple[int, str, str]] = {
    VM_NOT_FOUND: (
        400136,
        "Virtual machine doesn't exist.",
        "Please make sure that virtual machine exists or select a different virtual machine.",
    ),
    DEFAULT_FAILURE: (
        400240,
        "VM agent is unable to communicate with the Azure Backup service.",
        "Make sure that the VM has network connectivity and that the VM agent is the latest and runs.",
    ),
    "ExtensionSnapshotFailedNoNetwork": (
        400022,
        "Snapshot operation failed since there is no network connectivity on the virtual machine.",
        "Make sure that the VM has network access.",
    ),
    "ExtensionFailedSnapshotLimitReachedError": (
        400115,
        "Snapshot operation failed as the snapshot limit is exceeded for some of the disks attached.",
        "Remove locks from the resource group of the restore points and delete the restore points there.",
    ),
    "UserErrorVmNotInDesirableState": (
        400112,
        "VM is not in a state that allows backups.",
        "Make sure that the VM is in a running or a shut-down state.",
    ),
    CANCELLED: (400158, "Job is cancelled.", ""),
    RESTORE_FAILED: (
        400003,
        "Restore failed with an internal error.",
        "Please retry the operation in a few minutes. If the problem persists, please contact Microsoft support.",
    ),
    STAGING_NOT_FOUND: (
        400048,
        "Storage Account specified for Restore operation doesn't exist.",
        "Make sure that the storage account specified in restore operation exists till restore operation is completed.",
    ),
}


def describe_failure(title: str) -> Body:
    """An entry of `healthDetails`. A code that is not listed here is passed on with a generic text."""
    code, message, advice = _FAILURES.get(title, (400001, "Command execution failed.", "Please retry the operation."))
    return {"code": code, "title": title, "message": message, "recommendations": [advice] if advice else []}


def describe_job_error(title: str) -> Body:
    """An entry of a job's `errorDetails`: the same facts under other names."""
    health = describe_failure(title)
    return {
        "errorCode": health["code"],
        "errorTitle": title,
        "errorString": health["message"],
        "recommendations": health["recommendations"],
    }
