"""Disks and snapshots that are open for reading."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.emulator.snapshots.conftest import HOST, SCOPE, WEST, refusal

READ = {"access": "Read", "durationInSeconds": 600}


def open_it(disks, path: str) -> str:
    output = disks.finish(disks.send("POST", f"{path}/beginGetAccess", READ))["properties"]["output"]
    return output["accessSAS"]


def close_it(disks, path: str) -> None:
    status = disks.finish(disks.send("POST", f"{path}/endGetAccess"))
    assert "properties" not in status


def state_of(disks, path: str) -> str:
    return disks.get(path)["properties"]["diskState"]


@pytest.fixture(params=["disk", "snapshot"])
def path(request, disks) -> str:
    disk = disks.make_disk("data")
    return disk if request.param == "disk" else disks.taken("one", disk)


def test_open_and_close(disks, path):
    url = open_it(disks, path)
    assert url.startswith(f"{HOST}/")
    assert "sig=none" in url
    assert state_of(disks, path) == "ActiveSAS"
    close_it(disks, path)
    assert state_of(disks, path) == "Unattached"
    close_it(disks, path)


def test_it_closes_by_itself(disks, path):
    open_it(disks, path)
    disks.world.advance(timedelta(seconds=599))
    assert state_of(disks, path) == "ActiveSAS"
    disks.world.advance(timedelta(seconds=1))
    assert state_of(disks, path) == "Unattached"


def test_the_end_of_an_earlier_access_does_not_close_a_later_one(disks, path):
    open_it(disks, path)
    close_it(disks, path)
    disks.world.advance(timedelta(seconds=300))
    open_it(disks, path)
    disks.world.advance(timedelta(seconds=400))
    assert state_of(disks, path) == "ActiveSAS"


def test_readers_do_not_wait_for_its_end_when_the_clock_jumps(disks, path):
    open_it(disks, path)
    disks.world.clock.auto_advance = True
    assert [state_of(disks, path) for _ in range(3)] == ["ActiveSAS"] * 3


def test_what_is_open_is_not_deleted(disks, path):
    open_it(disks, path)
    response = disks.send("DELETE", path)
    assert refusal(response) == (409, "OperationNotAllowed")
    assert "Call EndGetAccess" in response.body["error"]["message"]
    close_it(disks, path)
    assert disks.delete(path)["status"] == "Succeeded"


@pytest.mark.parametrize(
    ("change", "target"),
    [
        ({"access": "All"}, "access"),
        ({"durationInSeconds": 0}, "durationInSeconds"),
        ({"durationInSeconds": 5_184_001}, "durationInSeconds"),
        ({"durationInSeconds": "600"}, "durationInSeconds"),
    ],
)
def test_wrong_requests(disks, path, change, target):
    response = disks.send("POST", f"{path}/beginGetAccess", {**READ, **change})
    assert refusal(response) == (400, "InvalidParameter")
    assert response.body["error"]["target"] == f"grantAccessData.{target}"


def test_denied_by_policy(disks):
    path = disks.taken("one", disks.make_disk("data"), networkAccessPolicy="DenyAll")
    assert refusal(disks.send("POST", f"{path}/beginGetAccess", READ)) == (409, "OperationNotAllowed")


def test_five_of_a_family(disks):
    disk = disks.make_disk("data")
    family = [disks.taken(f"s{number}", disk) for number in range(6)]
    alone = disks.taken("alone", disks.make_disk("other"))
    for path in family[:5]:
        open_it(disks, path)
    assert refusal(disks.send("POST", f"{family[5]}/beginGetAccess", READ)) == (409, "OperationNotAllowed")
    open_it(disks, alone)
    open_it(disks, family[0])
    close_it(disks, family[0])
    open_it(disks, family[5])


def test_a_disk_of_a_running_machine_stays_closed(disks):
    machine = f"{WEST}/virtualMachines/vm"
    data = disks.make_disk("data")
    storage = {"dataDisks": [{"lun": 0, "createOption": "Attach", "managedDisk": {"id": data}}]}
    properties = {"hardwareProfile": {"vmSize": "Standard_B2s"}, "storageProfile": storage}
    body = {"location": "westeurope", "properties": properties}
    assert disks.send("PUT", machine, body).status == 201
    disks.world.advance(timedelta(minutes=2))
    assert state_of(disks, data) == "Attached"
    assert refusal(disks.send("POST", f"{data}/beginGetAccess", READ)) == (409, "OperationNotAllowed")
    assert refusal(disks.send("DELETE", data)) == (409, "OperationNotAllowed")
    disks.finish(disks.send("POST", f"{machine}/deallocate"))
    assert state_of(disks, data) == "Reserved"
    open_it(disks, data)
    assert refusal(disks.send("POST", f"{machine}/start")) == (409, "OperationNotAllowed")
    close_it(disks, data)
    assert state_of(disks, data) == "Reserved"
    disks.finish(disks.send("POST", f"{machine}/start"))
    assert state_of(disks, data) == "Attached"


def test_what_is_not_there(disks):
    assert disks.send("POST", f"{WEST}/snapshots/none/beginGetAccess", READ).status == 404
    assert disks.get(f"{SCOPE}/providers/Microsoft.Compute/snapshots") == {"value": []}
