"""Which set of disks is meant: by slot, region and completeness; and what is said where it is not whole."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from reconciler.errors import UsageError
from reconciler.model.address import Address
from reconciler.model.arm_id import ArmId
from reconciler.model.disk import Attachment
from reconciler.model.document import Declared
from reconciler.model.live import Live, Unreadable
from reconciler.model.machine import Machine
from reconciler.model.observed import DiskPoint, RestorePointFacts, SnapshotFacts
from reconciler.model.resource import Resource, Spec
from reconciler.model.restore_request import MachineRequest
from reconciler.model.slots import parse_slot, spell_slot
from reconciler.plan.finding import Severity
from reconciler.restore.choice import choose
from reconciler.restore.search import find_source, split_slot
from tests.restore.conftest import APP, GROUP

HOME, ABROAD = "westeurope", "northeurope"
OLD, NEW = "2026-03-02T00:00Z", "2026-03-02T06:00Z"
REQUEST = MachineRequest(machine="app-01", slot="latest", name="back")


def at(slot: str) -> datetime:
    found = parse_slot(slot)
    assert found is not None
    return found


def snapshot(place: str, slot: str = NEW, region: str = HOME, **fields: Any) -> Resource:
    copied = region != HOME
    name = f"app-01-{place}-{slot[8:13]}{'-neu' if copied else ''}"
    facts = SnapshotFacts(
        arm_id=ArmId(f"{GROUP}/providers/Microsoft.Compute/snapshots/{name}"),
        created=at(slot),
        size_gib=64,
        incremental=True,
        sku="Standard_ZRS",
        unique_id=name,
        schedule="six-hourly",
        slot=at(slot),
        disk_unique_id=place,
        place=place,
        machine_id=ArmId(APP),
        copy_of=ArmId("/original") if copied else None,
    )
    facts = replace(facts, **fields)
    return Resource(Address("snapshot", "prod/rg-app", name), Spec(), facts.arm_id, region, observed=facts)


def point(slot: str = NEW, **fields: Any) -> Resource:
    arm_id = ArmId(f"{GROUP}/providers/Microsoft.Compute/restorePointCollections/app-01/restorePoints/{slot[:10]}")
    disks = tuple(DiskPoint(place, arm_id.child("diskRestorePoints", place), "") for place in ("os", "0"))
    facts = RestorePointFacts(
        arm_id, at(slot), ArmId(APP), "ApplicationConsistent", "vm-wide", at(slot), disks=disks, size="Standard_D2s_v5"
    )
    return Resource(
        Address("restore_point", "prod/rg-app/app-01", slot[:10]),
        Spec(),
        arm_id,
        HOME,
        observed=replace(facts, **fields),
    )


def estate(*resources: Resource, gone: bool = False, places: Iterable[str] = ("os", "0")) -> Live:
    disks = tuple(
        Attachment(None if place == "os" else int(place), f"{GROUP}/providers/Microsoft.Compute/disks/d-{place}")
        for place in places
    )
    machine = Machine(ArmId(APP), "prod", "rg-app", "app-01", HOME, disks=disks)
    return Live({item.address: item for item in resources}, () if gone else (machine,))


WHOLE_OLD, WHOLE_NEW = (snapshot("os", OLD), snapshot("0", OLD)), (snapshot("os"), snapshot("0"))
COPIES = (snapshot("os", region=ABROAD), snapshot("0", region=ABROAD))


@pytest.mark.parametrize(
    ("resources", "slot", "region", "expected"),
    [
        (WHOLE_OLD + WHOLE_NEW, "latest", "", (NEW, HOME)),
        (WHOLE_OLD + WHOLE_NEW, "LATEST", "", (NEW, HOME)),
        (WHOLE_OLD + WHOLE_NEW, OLD, "", (OLD, HOME)),
        (WHOLE_OLD + WHOLE_NEW, "2026-03-02T00", "", (OLD, HOME)),
        (WHOLE_OLD + WHOLE_NEW[:1], "latest", "", (OLD, HOME)),
        ((*WHOLE_OLD, WHOLE_NEW[0], snapshot("0", completion=40.0)), "latest", "", (OLD, HOME)),
        (WHOLE_NEW + COPIES, "latest", "", (NEW, HOME)),
        (WHOLE_NEW + COPIES, "latest", ABROAD, (NEW, ABROAD)),
        (WHOLE_NEW + COPIES, "latest", "North Europe", (NEW, ABROAD)),
        (COPIES, "latest", "", (NEW, ABROAD)),
        (WHOLE_OLD + WHOLE_NEW[:1] + COPIES, "latest", "", (OLD, HOME)),
    ],
)
def test_the_set_that_is_meant(
    resources: tuple[Resource, ...], slot: str, region: str, expected: tuple[str, str], declared: Declared
) -> None:
    request = MachineRequest(machine="app-01", slot=slot, name="back", region=region)
    choice = choose(request, declared, estate(*resources))
    assert (spell_slot(choice.chosen.slot), choice.chosen.region) == expected
    assert [part.place for part in choice.parts] == ["os", "0"]


def test_a_restore_point_goes_before_snapshots_taken_one_by_one(declared: Declared) -> None:
    choice = choose(REQUEST, declared, estate(*WHOLE_NEW, point()))
    assert choice.chosen.consistency == "ApplicationConsistent"
    assert not choice.findings, "its disks fit each other: nothing to warn of"
    assert {finding.code for finding in choose(REQUEST, declared, estate(*WHOLE_NEW)).findings} == {"SN-15"}


def test_a_whole_set_goes_before_a_better_one_that_is_broken(declared: Declared) -> None:
    choice = choose(REQUEST, declared, estate(*WHOLE_NEW, point(state="Failed")))
    assert choice.chosen.schedule == "six-hourly"


@pytest.mark.parametrize(
    ("resources", "partial", "severity", "words"),
    [
        (WHOLE_NEW[:1], False, Severity.ERROR, "LUN 0 (d-0) is missing in slot 2026-03-02T06:00Z: it has no snapshot"),
        (WHOLE_NEW[:1], True, Severity.WARNING, "LUN 0 (d-0) is missing"),
        (WHOLE_NEW[1:], True, Severity.ERROR, "the OS disk (d-os) is missing"),
        ((WHOLE_NEW[0], snapshot("0", completion=40.0)), False, Severity.ERROR, "Azure has copied 40 % of it"),
        ((WHOLE_NEW[0], snapshot("0", state="Failed")), False, Severity.ERROR, "its state is Failed"),
        ((WHOLE_NEW[0], snapshot("0", copy_error="CopySourceNotFound")), False, Severity.ERROR, "its copy failed"),
    ],
)
def test_a_disk_that_is_missing_is_named(
    resources: tuple[Resource, ...], partial: bool, severity: Severity, words: str, declared: Declared
) -> None:
    request = MachineRequest(machine="app-01", slot=NEW, name="back", partial=partial)
    choice = choose(request, declared, estate(*resources))
    (missing,) = (finding for finding in choice.findings if finding.code == "disk-missing")
    assert missing.severity is severity
    assert words in missing.message


def test_of_a_vm_that_is_gone_the_slot_before_tells_which_disks_it_had(declared: Declared) -> None:
    whole = choose(REQUEST, declared, estate(*WHOLE_OLD, *WHOLE_NEW, gone=True))
    assert {finding.code for finding in whole.findings} == {"SN-15"}
    broken = choose(REQUEST, declared, estate(*WHOLE_OLD, WHOLE_NEW[0], gone=True))
    assert [finding.code for finding in broken.findings] == ["disk-missing"]
    assert "choose 2026-03-02T00:00Z, which holds all of them" in broken.findings[0].advice


def test_latest_says_that_a_newer_slot_is_not_whole(declared: Declared) -> None:
    choice = choose(REQUEST, declared, estate(*WHOLE_OLD, WHOLE_NEW[0]))
    assert "newer-incomplete" in {finding.code for finding in choice.findings}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"slot": "2026"}, "is the beginning of 2 slots"),
        ({"slot": "2027"}, "nothing was taken in slot"),
        ({"region": "eastus"}, "nothing of app-01 lies in eastus"),
        ({"machine": "app-1"}, "did you mean prod/rg-app/app-01?"),
        ({"machine": "rg-other/app-01"}, "no VM 'rg-other/app-01'"),
    ],
)
def test_what_is_not_found_is_told_with_what_there_is(change: dict[str, str], words: str, declared: Declared) -> None:
    request = MachineRequest(**{"machine": "app-01", "slot": NEW, "name": "back", **change})
    with pytest.raises(UsageError) as told:
        choose(request, declared, estate(*WHOLE_OLD, *WHOLE_NEW))
    assert words in str(told.value)


@pytest.mark.parametrize(
    "text",
    ["app-01-0-02T06", "APP-01-0-02T06", "rg-app/app-01-0-02T06", "prod/rg-app/app-01-0-02T06"],
)
def test_a_snapshot_is_found_by_its_names(text: str, declared: Declared) -> None:
    found = find_source(text, declared, estate(*WHOLE_OLD, *WHOLE_NEW))
    assert found is WHOLE_NEW[1]
    assert find_source(str(found.arm_id).upper(), declared, estate(*WHOLE_NEW)).address == found.address


def test_a_list_that_failed_is_why_nothing_was_found(declared: Declared) -> None:
    unread = replace(
        estate(), unreadable=(Unreadable(("snapshot",), "prod", "the list of snapshots could not be read"),)
    )
    with pytest.raises(UsageError, match="could not be read: it may be there"):
        find_source("x", declared, unread)
    with pytest.raises(UsageError, match="declare no SnapshotSchedule"):
        find_source("x", replace(declared, documents=()), estate())


@pytest.mark.parametrize("text", ["app-01", "@latest", "app-01@", ""])
def test_vm_and_slot_must_both_be_said(text: str) -> None:
    with pytest.raises(UsageError, match="which VM and which slot"):
        split_slot(text)
    assert split_slot("prod/rg/vm@home@latest") == ("prod/rg/vm@home", "latest")


def test_nothing_of_ours_leads_to_single_disks(declared: Declared) -> None:
    foreign = snapshot("os", slot=NEW, machine_id=None)
    with pytest.raises(UsageError, match="restore disk SNAPSHOT"):
        choose(REQUEST, declared, estate(foreign))


@pytest.mark.parametrize("gone", [False, True])
def test_nobody_is_sent_abroad_unasked_but_told_what_is_there(gone: bool, declared: Declared) -> None:
    """A VM with its disks in another region needs another subnet: that is for a person to say."""
    live = estate(WHOLE_NEW[0], *COPIES, gone=gone)
    choice = choose(MachineRequest(machine="app-01", slot=NEW, name="back"), declared, live)
    assert choice.chosen.region == HOME
    (missing,) = choice.findings
    assert (missing.code, missing.severity) == ("disk-missing", Severity.ERROR)
    assert "--region northeurope, which holds all of them" in missing.advice
