"""Ninety days of hourly runs: what the schedules promise is in Azure, and nothing that was not ours is gone.

Every hour somebody runs apply until it says that all is done, as a pipeline that repeats a failed job does. Azure fails
now and then in every way the emulator knows, one run a week is killed in the middle of a write (SIGKILL, a process of
its own), and one night a week nobody runs anything. `promise.py` says what must be there.

`make test` takes ten days of twelve disks, `make ninety-days` all of it (LONG_DAYS, LONG_DISKS, LONG_SEED).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.stories.long_estate import DAY, GROUP, HOUR, LOOK_ALIKES, SCHEDULES
from tests.stories.long_story import DAYS, DISK, Story, story


@pytest.fixture
def tell(request: pytest.FixtureRequest) -> Iterator[list[str]]:
    lines: list[str] = []
    yield lines
    with request.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        print("", *lines, sep="\n")


async def test_after_ninety_days_exactly_the_promised_snapshots_exist(tmp_path: Path, tell: list[str]) -> None:
    async with story(tmp_path) as told:
        start = told.now
        others = {f"{GROUP}/snapshots/{one['name']}" for one in LOOK_ALIKES}
        before = {identity: told.world.store.get(identity) for identity in others}
        for number in range(DAYS * 24):
            day, hour = divmod(number, 24)
            if day % 7 == 3 and 2 <= hour <= 9:  # one night a week nobody runs anything
                told.figures.asleep += 1
                continue
            await told.sleep(start + number * HOUR + timedelta(minutes=5))
            if number == DAYS * 8:
                before |= await look_alike(told)
            if number == DAYS * 12:
                await make_another(told)
            if number == DAYS * 16:
                await delete_machine(told)
            at_midnight = day % 7 == 5 and told.now.hour == 0
            await told.hour(dies_at=told.chance.randint(3, 40) if at_midnight else 0)
            if at_midnight or hour == 23:
                told.check()
                told.figures.requests += sum(told.served.emulator.log.counts().values())
                told.served.emulator.log.clear()
        told.check()
        assert told.figures.killed == len([day for day in range(DAYS) if day % 7 == 5])
        assert {identity: told.world.store.get(identity) for identity in before} == before
        tell.append(told.figures.told(told.promises))


async def look_alike(told: Story) -> dict[str, dict[str, Any] | None]:
    """Somebody makes a snapshot by hand that has the very name of one that we would make in two days."""
    schedule = next(one for one in SCHEDULES if one.name == "six-hourly")
    disk = told.world.store.get(f"{GROUP}/disks/six-hourly-1-os")
    assert disk is not None
    unique = disk["properties"]["uniqueId"]
    digits = hashlib.sha256(f"{schedule.name}|{unique}".encode()).hexdigest()[:6]
    slot = schedule.slot(told.now) + DAY
    identity = f"{GROUP}/snapshots/{disk['name']}-{slot:%Y%m%dT%H%MZ}-{digits}"
    source = {"creationData": {"createOption": "Copy", "sourceResourceId": disk["id"]}, "incremental": True}
    await told.arm("PUT", identity, {"location": disk["location"], "properties": source})
    told.promises[schedule.name, unique, ""].blocked.add(slot)
    return {identity: told.world.store.get(identity)}


async def make_another(told: Story) -> None:
    """The data disk of a VM is deleted, and another one made under its name: the snapshots of the first run out."""
    vm_id, disk_id = f"{GROUP}/virtualMachines/aged-2", f"{GROUP}/disks/aged-2-data"
    vm, disk = told.world.store.get(vm_id), told.world.store.get(disk_id)
    assert vm is not None
    assert disk is not None
    storage = vm["properties"]["storageProfile"]
    body = {
        "location": vm["location"],
        "tags": vm["tags"],
        "properties": {"storageProfile": {**storage, "dataDisks": []}},
    }
    await told.arm("PUT", vm_id, body)
    await told.arm("DELETE", disk_id)
    new = {"diskSizeGB": 64, "creationData": {"createOption": "Empty"}}
    await told.arm("PUT", disk_id, {"location": vm["location"], "properties": new})
    attached = {"createOption": "Attach", "lun": 0, "managedDisk": {"id": disk_id}}
    body["properties"]["storageProfile"]["dataDisks"] = [attached]
    await told.arm("PUT", vm_id, body)
    for key, promise in told.promises.items():
        promise.ended |= key[1] == disk["properties"]["uniqueId"]
    another = told.world.store.get(disk_id)
    assert another is not None
    assert another["properties"]["uniqueId"] != disk["properties"]["uniqueId"]
    told.promise(another)


async def delete_machine(told: Story) -> None:
    """A VM and its disks are gone: their snapshots are kept as long as the schedule says, and the last one for good."""
    vm_id = f"{GROUP}/virtualMachines/hourly-5"
    disks = [disk for disk in told.world.store.list(DISK) if disk.get("managedBy", "").lower() == vm_id.lower()]
    await told.arm("DELETE", vm_id)
    assert len(disks) == 2
    for disk in disks:
        if told.world.store.get(disk["id"]):
            await told.arm("DELETE", disk["id"])
    for key, promise in told.promises.items():
        promise.ended |= key[1] in {disk["properties"]["uniqueId"] for disk in disks}
