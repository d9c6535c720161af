"""Restores disks in the secondary region through the SDK that the Azure CLI uses for it, and prints what it was told.

Run by the Azure CLI's own Python; our own environment has no such SDK. Arguments: the address of Azure, a token, the
subscription, the location of the secondary region.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

from azure.mgmt.recoveryservicesbackup.passivestamp import RecoveryServicesBackupPassiveClient, models

VAULT, GROUP = "rsv-az", "rg-backup"
NAME = "iaasvmcontainerv2;rg-App;app-01"
ITEM = ("Azure", f"IaasVMContainer;{NAME}", f"VM;{NAME}")


class Token:
    """What was fetched with ``az account get-access-token``."""

    def __init__(self, token: str) -> None:
        self._token = token

    def get_token(self, *_scopes: str, **_options: Any) -> SimpleNamespace:
        return SimpleNamespace(token=self._token, expires_on=4_000_000_000)


def restore(client: RecoveryServicesBackupPassiveClient, subscription: str, region: str) -> Iterator[Any]:
    """The order of calls of ``az backup restore restore-disks --use-secondary-region``."""
    scope = f"/subscriptions/{subscription}/resourceGroups"
    points = list(client.recovery_points_crr.list(VAULT, GROUP, *ITEM, None))
    yield [tier.type for tier in points[0].properties.recovery_point_tier_details]
    trust = client.aad_properties.get(region)
    access = client.recovery_points.get_access_token(VAULT, GROUP, *ITEM, points[0].name, trust).properties
    access.object_type = "CrrAccessToken"
    wish = models.IaasVMRestoreRequest(
        recovery_point_id=points[0].name,
        recovery_type="RestoreDisks",
        source_resource_id=f"{scope}/rg-App/providers/Microsoft.Compute/virtualMachines/app-01",
        storage_account_id=f"{scope}/{GROUP}/providers/Microsoft.Storage/storageAccounts/stnorth",
        target_resource_group_id=f"{scope}/rg-restored",
        region=region,
        create_new_cloud_service=False,
        original_storage_account_option=False,
    )
    both = models.CrossRegionRestoreRequest(cross_region_restore_access_details=access, restore_request=wish)
    started = client.cross_region_restore.begin_trigger(
        region, both, cls=lambda *all_of_it: all_of_it[0], polling=False
    )
    header = started.result().http_response.headers["Azure-AsyncOperation"]
    operation = header.partition("?")[0].rpartition("/")[2]
    for _ in range(2):
        status = client.crr_operation_status.get(region, operation)
    yield status.status
    vault = f"{scope}/{GROUP}/providers/Microsoft.RecoveryServices/vaults/{VAULT}"
    asked = models.CrrJobRequest(resource_id=vault, job_name=status.properties.job_id)
    for _ in range(2):
        job = client.backup_crr_job_details.get(region, asked).properties
    yield [job.operation, job.status]
    yield [one.properties.status for one in client.backup_crr_jobs.list(region, asked)]


if __name__ == "__main__":
    address, token, subscription, region = sys.argv[1:]
    with RecoveryServicesBackupPassiveClient(Token(token), subscription, base_url=address) as opened:
        print(json.dumps(list(restore(opened, subscription, region))))
