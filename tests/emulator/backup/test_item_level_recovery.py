"""A recovery point opens for files, tells its scripts and password, and closes: by request or after twelve hours."""

from __future__ import annotations

import base64
from typing import Any

import pytest

OFFSET, LENGTH = 33, 15
"""Where the Azure CLI cuts the password out of the last part of the suffix."""


INLINE = "2024-04-01"
"""Until 2026-08-01 the status of the operation tells the scripts."""


def provision(restorer: Any, vm: str, point: int = 0, **changes: Any) -> Any:
    name = restorer.points(vm)[point]["name"]
    body = {"objectType": "IaasVMILRRegistrationRequest", "recoveryPointId": name, **changes}
    path = f"{restorer.caller.item_path(vm)}/recoveryPoints/{name}/provisionInstantItemRecovery"
    return restorer.caller.send("POST", path, {"properties": body}, version=INLINE)


def revoke(restorer: Any, vm: str, point: int = 0) -> Any:
    name = restorer.points(vm)[point]["name"]
    path = f"{restorer.caller.item_path(vm)}/recoveryPoints/{name}/revokeInstantItemRecovery"
    return restorer.caller.send("POST", path)


def scripts(done: dict[str, Any]) -> list[dict[str, str]]:
    assert done["status"] == "Succeeded"
    assert done["properties"]["objectType"] == "OperationStatusProvisionILRExtendedInfo"
    found: list[dict[str, str]] = done["properties"]["recoveryTarget"]["clientScripts"]
    return found


def password_of(script: dict[str, str]) -> str:
    key = script["scriptNameSuffix"].rpartition("_")[2]
    return ("_" + key)[OFFSET : OFFSET + LENGTH]


def is_open(restorer: Any, vm: str) -> list[bool]:
    return [point["properties"]["isInstantIlrSessionActive"] for point in restorer.points(vm)]


def poll_again(restorer: Any, answer: Any) -> Any:
    url = answer.headers["Azure-AsyncOperation"].removeprefix("https://localhost:9443").partition("&t=")[0]
    return restorer.caller.send("GET", url).body


def test_windows_gets_an_executable(restorer: Any) -> None:
    text, program = scripts(restorer.caller.finish(provision(restorer, "off-01")))
    assert (text["scriptExtension"], program["scriptExtension"]) == (".txt", ".exe")
    assert program["url"].startswith("https://download.microsoft.com/")
    assert program["scriptContent"] == "TkE="
    assert text["scriptNameSuffix"] == program["scriptNameSuffix"]
    assert program["scriptNameSuffix"].startswith("off-01_wes_")
    assert len(password_of(program)) == LENGTH


def test_linux_gets_a_script_with_the_password_that_clients_take_out(restorer: Any) -> None:
    (script,) = scripts(restorer.caller.finish(provision(restorer, "web-01")))
    content = base64.b64decode(script["scriptContent"]).decode()
    assert (script["scriptExtension"], script["osType"]) == (".py", "Linux")
    assert f'TargetPassword="{password_of(script)}"' in content


def ask_for_scripts(restorer: Any, operation: str) -> Any:
    path = f"{restorer.caller.item_path('web-01')}/recoveryPoints/{restorer.points('web-01')[0]['name']}"
    body = {"provisionInstantItemRecoveryOperationId": operation}
    return restorer.caller.send("POST", f"{path}/listInstantItemRecoveryOperationResult", body)


def test_since_2026_08_01_the_scripts_have_an_action_of_their_own(restorer: Any) -> None:
    done = restorer.caller.finish(provision(restorer, "web-01"))
    new_style = restorer.caller.send("GET", f"rsv-app/backupOperations/{done['name']}", version="2026-08-01").body
    assert (new_style["status"], "properties" in new_style) == ("Succeeded", False)
    assert ask_for_scripts(restorer, done["name"]).body["clientScripts"] == scripts(done)
    assert ask_for_scripts(restorer, "nothing").status == 404
    restorer.caller.finish(revoke(restorer, "web-01"))
    assert ask_for_scripts(restorer, done["name"]).status == 404


def test_every_session_has_a_password_of_its_own(restorer: Any) -> None:
    found = {password_of(scripts(restorer.caller.finish(provision(restorer, vm)))[0]) for vm in ("web-01", "off-01")}
    assert len(found) == 2


def test_the_point_says_that_it_is_open_until_it_is_revoked(restorer: Any) -> None:
    started = provision(restorer, "web-01", 2)
    restorer.caller.finish(started)
    assert is_open(restorer, "web-01") == [False, False, True] + [False] * 27
    assert restorer.caller.finish(revoke(restorer, "web-01", 2))["status"] == "Succeeded"
    assert not any(is_open(restorer, "web-01"))
    assert "properties" not in poll_again(restorer, started)


def test_twelve_hours(restorer: Any) -> None:
    started = provision(restorer, "web-01")
    restorer.caller.finish(started)
    restorer.caller.wait(hours=11, minutes=59)
    assert any(is_open(restorer, "web-01"))
    restorer.caller.wait(minutes=2)
    assert not any(is_open(restorer, "web-01"))
    assert "properties" not in poll_again(restorer, started)


def test_no_password_is_kept_once_a_session_is_over(restorer: Any) -> None:
    done = restorer.caller.finish(provision(restorer, "web-01"))
    password = password_of(scripts(done)[0])
    store = restorer.world.store

    def kept() -> str:
        return str([store.documents(name) for name in ("operations", "item-level-recovery")])

    assert password in kept()
    restorer.caller.wait(hours=13)
    assert password not in kept()


def test_one_point_a_machine(restorer: Any) -> None:
    restorer.caller.finish(provision(restorer, "web-01"))
    for point in (0, 1):
        answer = provision(restorer, "web-01", point)
        assert (answer.status, answer.code) == (400, "UserErrorItemLevelRecoverySessionActive")
    restorer.caller.finish(provision(restorer, "off-01"))
    restorer.caller.finish(revoke(restorer, "web-01"))
    assert provision(restorer, "web-01", 1).status == 202


def test_a_session_is_renewed_with_the_same_password(restorer: Any) -> None:
    first = password_of(scripts(restorer.caller.finish(provision(restorer, "web-01")))[0])
    restorer.caller.wait(hours=11)
    renewed = provision(restorer, "web-01", renewExistingRegistration=True)
    assert password_of(scripts(restorer.caller.finish(renewed))[0]) == first
    restorer.caller.wait(hours=11)
    assert any(is_open(restorer, "web-01"))
    restorer.caller.wait(hours=2)
    assert not any(is_open(restorer, "web-01"))


@pytest.mark.parametrize(
    "changes",
    [
        {"objectType": "AzureFileShareProvisionILRRequest"},
        {"recoveryPointId": "4711"},
        {"virtualMachineId": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/other"},
    ],
)
def test_refused(restorer: Any, changes: dict[str, Any]) -> None:
    answer = provision(restorer, "web-01", **changes)
    assert (answer.status, answer.code) == (400, "BMSUserErrorInvalidInput")


def test_closing_what_is_not_open_is_no_error(restorer: Any) -> None:
    assert restorer.caller.finish(revoke(restorer, "web-01"))["status"] == "Succeeded"


def test_what_is_soft_deleted_does_not_open(restorer: Any) -> None:
    restorer.caller.do("DELETE", restorer.caller.item_path("web-01"))
    assert provision(restorer, "web-01").code == "BMSUserErrorDataSourceInDeferredDeleteState"
