"""Sending a restore: to the vault through its typed client, to its secondary region with the token that this asks for
(backup.md §1, §6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from reconciler.azure.clients import Azure
from reconciler.azure.failures import failure
from reconciler.azure.operations import Accepted, Operation, operation_from
from reconciler.errors import FailedError
from reconciler.kinds.vault_restore.jobs import PASSIVE_VERSION, job_question, job_url, location_of
from reconciler.kinds.vault_restore.spec import RECOVERY_TYPES, REPLACE, VaultRestoreSpec
from reconciler.model.arm_id import ArmId

if TYPE_CHECKING:
    from azure.mgmt.recoveryservicesbackup import models

_ACCESS = {"same": "SameAsOnSourceDisks", "public": "EnablePublicAccessForAllDisks"}
_PRIVATE = "EnablePrivateAccessForAllDisks"


async def send_restore(azure: Azure, spec: VaultRestoreSpec) -> Operation:
    """POST the restore, once. What is answered ends within seconds and hands over to a job."""
    operation = await (_send_across(azure, spec) if spec.secondary else _send(azure, spec))
    if operation is None:
        raise FailedError(
            f"Azure accepted the restore of {spec.machine_id.name} and told no operation",
            resource=spec.item,
            advice="run this again: it looks for the job before it sends anything",
        )
    return msgspec.structs.replace(operation, then_job=job_url(spec), asks=job_question(spec))


async def _send(azure: Azure, spec: VaultRestoreSpec) -> Operation | None:
    from azure.core.exceptions import AzureError as SdkError
    from azure.mgmt.recoveryservicesbackup import models

    accepted, item = Accepted(), ArmId(spec.item)
    try:
        await azure.backup(spec.vault.subscription).restores.begin_trigger(
            spec.vault.name,
            spec.vault.resource_group,
            item.segment("backupFabrics"),
            item.segment("protectionContainers"),
            item.name,
            spec.point,
            models.RestoreRequestResource(properties=request_of(spec)),
            polling=False,
            raw_response_hook=accepted,
        )
    except SdkError as error:
        raise failure(error, spec.item) from error
    return accepted.operation(spec.item)


async def _send_across(azure: Azure, spec: VaultRestoreSpec) -> Operation | None:
    """In the secondary region: whom that trusts, a token for this recovery point, then the restore. The token is a
    secret, good for an hour: it stays in this function."""
    location = location_of(spec)
    trusts = (await azure.send("GET", f"{location}/backupAadProperties", PASSIVE_VERSION)).body
    path = f"{spec.item}/recoveryPoints/{spec.point}/accessToken"
    access: Any = (await azure.send("POST", path, PASSIVE_VERSION, trusts)).body
    body = {
        "crossRegionRestoreAccessDetails": access["properties"],
        "restoreRequest": {"objectType": "IaasVMRestoreRequest", **request_of(spec).as_dict()},
    }
    answer = await azure.send("POST", f"{location}/backupCrossRegionRestore", PASSIVE_VERSION, body)
    return operation_from(answer.status, answer.headers, spec.item)


def request_of(spec: VaultRestoreSpec) -> models.IaasVMRestoreRequest:
    """The body, as both regions take it. A VM that is replaced names neither group nor network (F:restore-disks)."""
    from azure.mgmt.recoveryservicesbackup import models

    request = models.IaasVMRestoreRequest(
        recovery_point_id=spec.point,
        recovery_type=RECOVERY_TYPES[spec.into],
        source_resource_id=spec.machine,
        storage_account_id=spec.staging,
        region=spec.region,
        create_new_cloud_service=False,
        original_storage_account_option=False,
    )
    if spec.into != REPLACE:
        request.target_resource_group_id = spec.group
    if spec.target:
        request.target_virtual_machine_id = spec.target
        request.subnet_id = spec.subnet
        request.virtual_network_id = str(ArmId(spec.subnet).parent())
    if spec.luns is not None:
        request.restore_disk_lun_list = spec.luns
    if spec.zone:
        request.zones = [spec.zone]
    if spec.encryption_set:
        request.disk_encryption_set_id = spec.encryption_set
    if spec.disk_access:
        request.target_disk_network_access_settings = models.TargetDiskNetworkAccessSettings(
            target_disk_network_access_option=_ACCESS.get(spec.disk_access, _PRIVATE),
            target_disk_access_id=None if spec.disk_access in _ACCESS else spec.disk_access,
        )
    return request
