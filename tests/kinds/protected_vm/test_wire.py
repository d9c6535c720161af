"""Items as Azure answers them: one test for each trap of the wire, and every recorded body."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from reconciler.kinds.located_vault import LocatedVault
from reconciler.kinds.protected_vm.inventory import Speller, one_per_machine, resource_from
from reconciler.kinds.protected_vm.spec import ALL_DISKS, OS_DISK_ONLY, Disks, ProtectedVmSpec, normal_disks, wire_disks
from reconciler.kinds.protected_vm.wire import ItemBody, moment
from reconciler.model.arm_id import ArmId
from reconciler.model.document import Declared
from reconciler.model.observed import ItemFacts, ItemState
from reconciler.model.resource import Resource
from tests.kinds.conftest import PROD
from tests.kinds.protected_vm.bodies import item_body, vault_id, vm_id
from tests.kinds.protected_vm.conftest import Estate

RECORDED = Path(__file__).parents[3].parent / "shared" / "azure" / "wire" / "backup"
VAULT = LocatedVault("rsv-weu-01", "prod/rg-backup", "westeurope", ArmId(vault_id("rsv-weu-01")), declared=True)


def read(body: dict[str, Any], declared: Declared, vault: LocatedVault = VAULT) -> Resource:
    resource = resource_from(msgspec.json.decode(json.dumps(body), type=ItemBody), vault, Speller(declared))
    assert resource is not None
    return resource


def spec(resource: Resource) -> ProtectedVmSpec:
    assert isinstance(resource.spec, ProtectedVmSpec)
    return resource.spec


def facts(resource: Resource) -> ItemFacts:
    assert isinstance(resource.observed, ItemFacts)
    return resource.observed


@pytest.fixture
def declared(estate: Estate) -> Declared:
    return estate.declared()


@pytest.mark.parametrize(
    ("said", "state", "ours"),
    [
        ("IRPending", ItemState.FIRST_BACKUP_PENDING, "Protected"),
        ("Protected", ItemState.PROTECTED, "Protected"),
        ("ProtectionError", ItemState.FAILING, "Protected"),
        ("ProtectionStopped", ItemState.STOPPED, "Stopped"),
        ("BackupsSuspended", ItemState.SUSPENDED, "Suspended"),
        ("ProtectionPaused", ItemState.PAUSED, "Stopped"),
        ("Invalid", ItemState.UNKNOWN, "Unknown"),
        (None, ItemState.UNKNOWN, "Unknown"),
    ],
)
def test_states(said: str | None, state: ItemState, ours: str, declared: Declared) -> None:
    found = read(item_body(VAULT.arm_id.key, protectionState=said), declared)
    assert (facts(found).state, spec(found).state) == (state, ours)


def test_soft_deleted_says_stopped_and_goes_days_after_its_deletion(declared: Declared) -> None:
    found = read(item_body(str(VAULT.arm_id), deleted="2026-02-25T08:00:00.8045285Z"), declared)
    assert spec(found).state == "SoftDeleted"
    assert facts(found).gone_after == datetime(2026, 3, 11, 8, 0, 0, 804528, tzinfo=UTC)


def test_the_remaining_time_changes_with_every_answer_and_nothing_else(declared: Declared) -> None:
    once = read(item_body(str(VAULT.arm_id), deleted="2026-02-25T08:00:00Z"), declared)
    again = item_body(str(VAULT.arm_id), deleted="2026-02-25T08:00:00Z", deferredDeleteTimeRemaining="1.02:03:04")
    assert read(again, declared) == once


def test_a_retention_of_zero_is_that_of_an_item_that_is_not_deleted(declared: Declared) -> None:
    assert facts(read(item_body(str(VAULT.arm_id), softDeleteRetentionPeriod=0), declared)).gone_after is None


def test_one_vm_in_three_casings_is_one_address(declared: Declared) -> None:
    plain = read(item_body(str(VAULT.arm_id)), declared)
    body = item_body(
        str(VAULT.arm_id).upper().replace("/SUBSCRIPTIONS/", "/Subscriptions/"),
        sourceResourceId=vm_id("WEB-01", "RG-WEB", PROD.upper()),
        virtualMachineId=vm_id("web-01", "Rg-Web"),
    )
    found = read(body, declared)
    assert found.address == plain.address
    assert found.spec == plain.spec
    assert facts(found).machine_id == facts(plain).machine_id


def test_the_id_is_sent_back_as_it_came(declared: Declared) -> None:
    body = item_body(str(VAULT.arm_id))
    assert str(facts(read(body, declared)).item_id) == body["id"]


def test_a_group_outside_ascii_is_encoded_in_the_id_only(declared: Declared) -> None:
    plain = read(item_body(str(VAULT.arm_id), group="rg-Müller"), declared)
    encoded = item_body(str(VAULT.arm_id), group="rg-Müller", sourceResourceId=vm_id("web-01", "rg-M%C3%BCller"))
    assert read(encoded, declared).address == plain.address
    assert plain.address.scope == "prod/rg-Müller"


def test_the_policy_has_the_name_that_the_policies_give_it(declared: Declared) -> None:
    body = item_body(
        str(VAULT.arm_id), policyId=f"{str(VAULT.arm_id).lower()}/backuppolicies/DAILY", policyName="DAILY"
    )
    found = spec(read(body, declared)).policy
    assert found is not None
    assert str(found) == "backup_policy.prod/rg-backup/rsv-weu-01/daily"


@pytest.mark.parametrize("policy", ["", None])
def test_no_policy_is_none(policy: str | None, declared: Declared) -> None:
    assert spec(read(item_body(str(VAULT.arm_id), policyId=policy, policyName=policy), declared)).policy is None


def exclusion(luns: list[int] | None, included: bool | None) -> dict[str, Any]:
    return {"diskExclusionProperties": {"diskLunList": luns, "isInclusionList": included}}


@pytest.mark.parametrize(
    ("extended", "disks"),
    [
        (None, ALL_DISKS),
        ({}, ALL_DISKS),
        ({"linuxVmApplicationName": ""}, ALL_DISKS),
        ({"diskExclusionProperties": None}, ALL_DISKS),
        (exclusion([], False), ALL_DISKS),
        (exclusion(None, None), ALL_DISKS),
        (exclusion([], True), OS_DISK_ONLY),
        (exclusion([1, 0], True), Disks(mode="only", luns=(0, 1))),
        (exclusion([1], False), Disks(mode="except", luns=(1,))),
        (exclusion([3, 3], False), Disks(mode="except", luns=(3,))),
    ],
)
def test_disks(extended: dict[str, Any] | None, disks: Disks, declared: Declared) -> None:
    found = spec(read(item_body(str(VAULT.arm_id), extendedProperties=extended), declared)).disks
    assert found == disks
    included, luns = wire_disks(found)
    assert normal_disks(included=included, luns=luns) == disks


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2001-01-01T00:00:00Z", None),
        ("0001-01-01T00:00:00", None),
        ("", None),
        (None, None),
        ("soon", None),
        ("2026-03-01T22:00:59.6593666Z", datetime(2026, 3, 1, 22, 0, 59, 659366, tzinfo=UTC)),
        ("2026-03-01T22:00:59", datetime(2026, 3, 1, 22, 0, 59, tzinfo=UTC)),
    ],
)
def test_moments(text: str | None, found: datetime | None) -> None:
    assert moment(text) == found


def test_volatile_fields_and_fields_of_other_years_do_not_count(declared: Declared) -> None:
    plain = read(item_body(str(VAULT.arm_id)), declared)
    busy = item_body(
        str(VAULT.arm_id),
        kpisHealths={"BackupHealth": {"resourceHealthStatus": "Healthy"}},
        RPOTime=["x"],
        ConfiguredRPGenerationFrequency=24,
        sourceSideScanInfo=None,
        isDeferredDeleteScheduleUpcoming=True,
        softDeleteRetentionPeriod=None,
        healthStatus="ActionSuggested",
    )
    assert read(busy, declared).spec == plain.spec


def test_the_active_item_counts_whatever_the_order(declared: Declared) -> None:
    theirs = LocatedVault(
        "rsv-theirs", "prod/rg-theirs", "westeurope", ArmId(vault_id("rsv-theirs", "rg-theirs")), False
    )
    active = read(item_body(str(theirs.arm_id)), declared, theirs)
    stopped = read(item_body(str(VAULT.arm_id), state="ProtectionStopped"), declared)
    for order in ([active, stopped], [stopped, active]):
        (found,) = one_per_machine(order, {VAULT.arm_id: True})
        assert facts(found).vault_id == theirs.arm_id
        assert [item.vault_id for item in facts(found).others] == [VAULT.arm_id]


def test_of_two_old_items_ours_counts(declared: Declared) -> None:
    theirs = LocatedVault(
        "rsv-theirs", "prod/rg-theirs", "westeurope", ArmId(vault_id("rsv-theirs", "rg-theirs")), False
    )
    old = read(item_body(str(theirs.arm_id), state="ProtectionStopped"), declared, theirs)
    ours = read(item_body(str(VAULT.arm_id), state="ProtectionStopped"), declared)
    (found,) = one_per_machine([old, ours], {VAULT.arm_id: True})
    assert facts(found).vault_id == VAULT.arm_id


def test_an_item_of_something_else_than_a_vm_is_passed_over(declared: Declared) -> None:
    body = item_body(str(VAULT.arm_id), sourceResourceId=None, virtualMachineId=None)
    item = msgspec.json.decode(json.dumps(body), type=ItemBody)
    assert resource_from(item, VAULT, Speller(declared)) is None


def recorded() -> Iterator[tuple[str, dict[str, Any]]]:
    for file in sorted(RECORDED.glob("*.json")):
        for number, exchange in enumerate(json.loads(file.read_text())["exchanges"]):
            body = (exchange.get("response") or {}).get("body")
            items = body.get("value", [body]) if isinstance(body, dict) else []
            for item in items if isinstance(items, list) else []:
                properties = item.get("properties") if isinstance(item, dict) else None
                if isinstance(properties, dict) and "protectedItemType" in properties and "friendlyName" in properties:
                    yield f"{file.stem} {number}", item


def test_every_recorded_item_is_understood(declared: Declared) -> None:
    """Where the recordings are: each becomes a resource in a known state, addressed by its VM."""
    for place, body in recorded():
        properties = body["properties"]
        found = resource_from(msgspec.json.decode(json.dumps(body), type=ItemBody), VAULT, Speller(declared))
        if not properties.get("sourceResourceId") or "virtualmachines" not in properties["sourceResourceId"].lower():
            assert found is None, place
            continue
        assert found is not None, place
        assert found.address.name == properties["sourceResourceId"].rpartition("/")[2], place
        assert facts(found).state is not ItemState.UNKNOWN, place
        assert (spec(found).policy is None) == (not properties.get("policyId")), place
        deleted = bool(properties.get("isScheduledForDeferredDelete"))
        assert (facts(found).state is ItemState.SOFT_DELETED) == deleted, place
        assert (facts(found).gone_after is not None) == deleted, place
