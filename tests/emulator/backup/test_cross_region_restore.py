"""Restores in the secondary region, in the order of calls of `az backup restore … --use-secondary-region`."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

import pytest

SUBSCRIPTION = "11111111-1111-4111-8111-111111111111"
TARGET = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-target"
VAULT = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-App/providers/Microsoft.RecoveryServices/vaults/rsv-app"
LOCATIONS = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.RecoveryServices/locations"
NORTH = f"{LOCATIONS}/northeurope"
STAGING = f"{TARGET}/providers/Microsoft.Storage/storageAccounts/stnorth"
NETWORK = f"{TARGET}/providers/Microsoft.Network/virtualNetworks/vnet-neu"
PASSIVE = "2023-01-15"
INVALID = "BMSUserErrorInvalidInput"


@dataclass(frozen=True)
class Passive:
    """Speaks to the passive stamp about one VM."""

    restorer: Any
    vm: str = "web-01"

    def send(self, method: str, path: str, body: Any = None) -> Any:
        return self.restorer.caller.send(method, path, body, version=PASSIVE)

    def points(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.restorer.points(self.vm, PASSIVE)
        return found

    def access(self, point: str) -> Any:
        """The answer to a request for the right to restore a point."""
        properties = self.send("GET", f"{NORTH}/backupAadProperties").body
        item = self.restorer.caller.item_path(self.vm)
        return self.send("POST", f"{item}/recoveryPoints/{point}/accessToken", properties)

    def restore(self, point: str, region: str = NORTH, **changes: Any) -> Any:
        access = self.access(point).body["properties"]
        request = self.restorer.request(self.vm, region="northeurope", storageAccountId=STAGING, **changes)
        body = {"crossRegionRestoreAccessDetails": access, "restoreRequest": {"recoveryPointId": point, **request}}
        return self.send("POST", f"{region}/backupCrossRegionRestore", body)

    def finish(self, answer: Any) -> str:
        """Polls as the Azure CLI does: by the last segment of the header. Answers the id of the job."""
        assert answer.status == 202, answer
        name = answer.headers["Azure-AsyncOperation"].partition("?")[0].rpartition("/")[2]
        self.send("GET", f"{NORTH}/backupCrrOperationsStatus/{name}")
        done = self.send("GET", f"{NORTH}/backupCrrOperationsStatus/{name}").body
        assert done["status"] == "Succeeded"
        return str(done["properties"]["jobId"])

    def job(self, name: str) -> Any:
        return self.send("POST", f"{NORTH}/backupCrrJob", {"resourceId": VAULT, "jobName": name})


@pytest.fixture
def passive(restorer: Any) -> Passive:
    return Passive(restorer)


def test_points_arrive_after_a_day_and_a_half_and_without_snapshots(passive: Passive, restorer: Any) -> None:
    primary, secondary = restorer.points("web-01"), passive.points()
    assert [point["name"] for point in secondary] == [point["name"] for point in primary[2:]]
    tiers = [point["properties"]["recoveryPointTierDetails"] for point in secondary]
    assert tiers == [[{"type": "HardenedRP", "status": "Valid"}]] * len(secondary)
    newest = primary[0]["name"]
    assert newest not in [point["name"] for point in secondary]
    restorer.caller.wait(hours=36)
    assert newest in [point["name"] for point in passive.points()]


def test_the_disks_appear_in_the_other_region(passive: Passive, restorer: Any) -> None:
    job = passive.finish(passive.restore(passive.points()[0]["name"]))
    told = passive.job(job).body["properties"]
    assert (told["operation"], "actionsInfo" in told) == ("CrossRegionRestore", False)
    assert passive.job(job).body["properties"]["status"] == "Completed"
    made = list(restorer.disks().values())
    assert [disk["location"] for disk in made] == ["northeurope"] * 3
    assert not any("zones" in disk for disk in made)


def test_a_machine_in_the_other_region(passive: Passive, restorer: Any) -> None:
    place = {"virtualNetworkId": NETWORK, "subnetId": f"{NETWORK}/subnets/default"}
    passive.finish(passive.restore(passive.points()[0]["name"], **restorer.new_machine(**place)))
    restorer.caller.wait(hours=6)
    machine = restorer.world.store.get(f"{TARGET}/providers/Microsoft.Compute/virtualMachines/new-01")
    assert machine["location"] == "northeurope"
    assert "zones" not in machine


def test_jobs_of_the_other_region_are_in_no_list_of_the_vault(passive: Passive, restorer: Any) -> None:
    job = passive.finish(passive.restore(passive.points()[0]["name"]))
    assert job not in [entry["name"] for entry in restorer.caller.get("rsv-app/backupJobs")["value"]]
    assert restorer.caller.send("GET", f"rsv-app/backupJobs/{job}").status == 404
    path = f"{NORTH}/backupCrrJobs"
    filters = {"": [job], "?$filter=status eq 'InProgress'": [job], "?$filter=status eq 'Completed'": []}
    for filter_, names in filters.items():
        listed = passive.send("POST", f"{path}{filter_}", {"resourceId": VAULT}).body["value"]
        assert [entry["name"] for entry in listed] == names
        assert all("extendedInfo" not in entry["properties"] for entry in listed)


def test_the_name_of_an_operation_is_encoded_as_recorded(passive: Passive) -> None:
    answer = passive.restore(passive.points()[0]["name"])
    name = answer.headers["Location"].partition("?")[0].rpartition("/")[2]
    number, _, guid = base64.b64decode(name).decode().partition(";")
    assert number.isdecimal()
    results = [passive.send("GET", f"{NORTH}/backupCrrOperationResults/{known}").status for known in (name, guid)]
    assert results == [204, 204]


def test_a_result_waits(passive: Passive, restorer: Any) -> None:
    answer = passive.restore(passive.points()[0]["name"])
    restorer.world.clock.auto_advance = False
    url = answer.headers["Location"].removeprefix("https://localhost:9443").partition("&t=")[0]
    assert passive.send("GET", url).status == 202


def test_a_token_is_good_for_an_hour_and_is_not_kept(passive: Passive, restorer: Any) -> None:
    point = passive.points()[0]["name"]
    access = passive.access(point).body["properties"]
    request = {"recoveryPointId": point, **restorer.request("web-01", region="northeurope", storageAccountId=STAGING)}
    body = {"crossRegionRestoreAccessDetails": access, "restoreRequest": request}
    assert passive.send("POST", f"{NORTH}/backupCrossRegionRestore", body).status == 202
    assert access["accessTokenString"] not in str(restorer.world.store.documents("crr-tokens"))
    restorer.caller.wait(hours=1)
    forged = {**body, "crossRegionRestoreAccessDetails": {**access, "accessTokenString": "guessed"}}
    for stale in (body, forged, {"restoreRequest": request}):
        answer = passive.send("POST", f"{NORTH}/backupCrossRegionRestore", stale)
        assert (answer.status, answer.code) == (403, "UserErrorCrossRegionRestoreTokenInvalid")


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"region": f"{LOCATIONS}/francecentral"}, "BP-106", INVALID),
    ({"targetResourceGroupId": None}, "BP-104", INVALID),
    ({"objectType": "IaasVMRestoreWithRehydrationRequest"}, "BP-104", "UserErrorRecoveryPointNotArchived"),
    ({"recoveryType": "OriginalLocation"}, "BP-101", "UserErrorOriginalLocationRestoreNotSupported"),
]


@pytest.mark.parametrize(("changes", "rule", "code"), REFUSED)
def test_refused(passive: Passive, changes: dict[str, Any], rule: str, code: str) -> None:
    answer = passive.restore(passive.points()[0]["name"], **changes)
    assert (answer.status, answer.rule, answer.code) == (400, rule, code)


def test_staging_is_in_the_other_region_too(passive: Passive, restorer: Any) -> None:
    access = passive.access(point := passive.points()[0]["name"]).body["properties"]
    request = {"recoveryPointId": point, **restorer.request("web-01", region="northeurope")}
    body = {"crossRegionRestoreAccessDetails": access, "restoreRequest": request}
    answer = passive.send("POST", f"{NORTH}/backupCrossRegionRestore", body)
    assert answer.code == "UserErrorStagingStorageAccountInOtherRegion"


def test_a_point_that_has_not_arrived(passive: Passive, restorer: Any) -> None:
    assert passive.access(restorer.points("web-01")[0]["name"]).status == 404


def test_zones_of_the_other_region_are_for_pinned_machines(restorer: Any) -> None:
    """BP-103: web-01 is in a zone, off-01 in none."""
    answers = {}
    for vm in ("web-01", "off-01"):
        passive = Passive(restorer, vm)
        answers[vm] = passive.restore(passive.points()[0]["name"], zones=["2"]).status
    assert answers == {"web-01": 202, "off-01": 400}


def test_a_vault_without_cross_region_restore(passive: Passive, restorer: Any) -> None:
    point = passive.points()[0]["name"]
    body = restorer.world.store.get(VAULT)
    body["properties"]["redundancySettings"]["crossRegionRestore"] = "Disabled"
    restorer.world.store.replace(VAULT, body)
    answer = passive.access(point)
    assert (answer.rule, answer.code) == ("BP-91", "UserErrorCrossRegionRestoreNotEnabled")
    assert len(passive.points()) == len(restorer.points("web-01"))


def test_jobs_of_a_vault_elsewhere(passive: Passive) -> None:
    for path in ("backupCrrJobs", "backupCrrJob"):
        answer = passive.send("POST", f"{LOCATIONS}/francecentral/{path}", {"resourceId": VAULT, "jobName": "x"})
        assert (answer.rule, answer.code) == ("BP-106", INVALID)
    assert passive.job("nothing").status == 404
