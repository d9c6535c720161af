"""What a restore would be refused for, all at once; and what its caller must be allowed to do elsewhere."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.emulator.providers import authorization

SUBSCRIPTION = "/subscriptions/11111111-1111-4111-8111-111111111111"
GROUP, TARGET = f"{SUBSCRIPTION}/resourceGroups/rg-App", f"{SUBSCRIPTION}/resourceGroups/rg-target"


def validate(restorer: Any, vm: str, **changes: Any) -> Any:
    name = restorer.points(vm)[0]["name"]
    wish = {"recoveryPointId": name, **restorer.request(vm, **changes)}
    properties = {"objectType": "ValidateIaasVMRestoreOperationRequest", "restoreRequest": wish}
    point = f"{GROUP}/providers/Microsoft.RecoveryServices/vaults/{restorer.caller.item_path(vm)}/recoveryPoints/{name}"
    return restorer.caller.send("POST", "rsv-app/backupValidateOperation", {"id": point, "properties": properties})


def codes(answer: Any) -> list[str]:
    assert answer.status == 200, answer
    return [result["code"] for result in answer.body["validateOperationResponse"]["validationResults"]]


def test_what_would_be_accepted_has_nothing_to_tell_and_does_not_start(restorer: Any) -> None:
    assert codes(validate(restorer, "web-01", **restorer.new_machine())) == []
    assert restorer.caller.get("rsv-app/backupJobs", "operation eq 'Restore'")["value"] == []


def test_all_refusals_at_once(restorer: Any) -> None:
    wish = restorer.new_machine(subnetId=f"{TARGET}/subnets/none", zones=["3"])
    staging = f"{TARGET}/providers/Microsoft.Storage/storageAccounts/stnorth"
    assert codes(validate(restorer, "web-01", storageAccountId=staging, restoreDiskLunList=[7], **wish)) == [
        "UserErrorRestoreDiskLunNotFound",
        "UserErrorStagingStorageAccountInOtherRegion",
        "UserErrorTargetVirtualNetworkNotFound",
        "UserErrorCrossZonalRestoreNotSupported",
    ]


def test_a_request_of_a_wrong_form_has_no_other_fault(restorer: Any) -> None:
    assert codes(validate(restorer, "web-01", recoveryType="Offline", zones=["3"])) == ["BMSUserErrorInvalidInput"]


def test_what_is_told_is_what_the_restore_is_refused_with(restorer: Any) -> None:
    (told,) = codes(validate(restorer, "web-01", recoveryType="OriginalLocation"))
    assert restorer.send("web-01", recoveryType="OriginalLocation").code == told


def test_a_machine_that_the_vault_does_not_have(restorer: Any) -> None:
    elsewhere = f"{TARGET}/providers/Microsoft.Compute/virtualMachines/web-01"
    assert validate(restorer, "web-01", sourceResourceId=elsewhere).status == 404


VAULT_ROLE = {"scope": GROUP, "actions": ["*"]}
GRANTS = {
    "storage": {"scope": f"{TARGET}/providers/Microsoft.Storage", "actions": ["Microsoft.Storage/*"]},
    "network": {"scope": f"{TARGET}/providers/Microsoft.Network", "actions": ["Microsoft.Network/*"]},
    "group": {"scope": TARGET, "actions": ["Microsoft.Compute/*"]},
}


@pytest.mark.parametrize("missing", [*GRANTS, "nothing"])
def test_a_new_machine_needs_rights_where_it_goes(restorer: Any, missing: str) -> None:
    held = [VAULT_ROLE, *(grant for name, grant in GRANTS.items() if name != missing)]
    authorization.seed(restorer.world, held)
    answer = restorer.send("web-01", **restorer.new_machine())
    if missing == "nothing":
        assert answer.status == 202
        return
    assert (answer.status, answer.code) == (403, "LinkedAuthorizationFailed")
    lacked = {"storage": "storageAccounts/write", "network": "subnets/join/action", "group": "virtualMachines/write"}
    assert lacked[missing] in answer.body["error"]["message"]


def test_replaced_disks_need_rights_on_the_machine(restorer: Any) -> None:
    held = {"scope": GROUP, "actions": ["*"], "notActions": ["Microsoft.Compute/virtualMachines/write"]}
    authorization.seed(restorer.world, [held, GRANTS["storage"]])
    answer = restorer.send("off-01", recoveryType="OriginalLocation", targetResourceGroupId=None)
    assert (answer.status, answer.code) == (403, "LinkedAuthorizationFailed")
