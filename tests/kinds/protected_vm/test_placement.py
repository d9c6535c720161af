"""In which vault a VM ends up, and what is said where it ends up in none."""

from __future__ import annotations

from collections.abc import Callable

from reconciler.kinds.protected_vm.kind import ProtectedVmKind
from reconciler.model.machine import Machine
from reconciler.model.resource import Resource
from reconciler.plan.finding import Finding, Severity
from tests.kinds.conftest import TEST
from tests.kinds.protected_vm.conftest import Estate

MakeMachine = Callable[..., Machine]


def placed(estate: Estate) -> dict[str, str]:
    """VM name → vault name."""
    found = [item for item in ProtectedVmKind().expand(estate.expansion()) if isinstance(item, Resource)]
    return {item.address.name: item.spec.settings.address.name for item in found}  # type: ignore[attr-defined]


def findings(estate: Estate, code: str) -> list[Finding]:
    found = ProtectedVmKind().expand(estate.expansion())
    return [item for item in found if isinstance(item, Finding) and item.code == code]


def wish(estate: Estate, *machines: Machine, **backup: object) -> None:
    estate.machines += machines
    estate.wishes += [(one, {"policy": "daily", **backup}) for one in machines]


def test_in_the_vault_of_its_region(estate: Estate, machine: MakeMachine) -> None:
    wish(estate, machine(), machine("web-02", location="northeurope"))
    assert placed(estate) == {"web-01": "rsv-weu-01", "web-02": "rsv-neu-01"}


def test_a_vault_that_is_declared_in_the_wrong_region_loses_no_vm(estate: Estate, machine: MakeMachine) -> None:
    estate.vaults = {"rsv-weu-01": {"location": "northeurope"}, "rsv-weu-02": {}}
    estate.items = [("rsv-weu-01", {})]
    wish(estate, machine(), machine("web-02"))
    assert placed(estate) == {"web-01": "rsv-weu-01", "web-02": "rsv-weu-02"}


def test_where_there_is_room_and_always_the_same(estate: Estate, machine: MakeMachine) -> None:
    estate.vaults["rsv-weu-02"] = {}
    estate.limits = {"vmsPerVault": 2}
    estate.items = [("rsv-weu-01", {"vm": "old-01"})]
    wish(estate, *(machine(f"web-0{number}") for number in (3, 1, 2)))
    first = placed(estate)
    assert first == {"web-01": "rsv-weu-01", "web-02": "rsv-weu-02", "web-03": "rsv-weu-02"}
    estate.wishes.reverse()
    assert placed(estate) == first


def test_old_items_take_room_and_those_that_come_back_take_none(estate: Estate, machine: MakeMachine) -> None:
    estate.limits = {"vmsPerVault": 2}
    estate.items = [("rsv-weu-01", {"vm": "gone-01", "state": "ProtectionStopped"}), ("rsv-weu-01", {})]
    wish(estate, machine())
    assert placed(estate) == {"web-01": "rsv-weu-01"}
    wish(estate, machine("web-02"))
    assert placed(estate) == {"web-01": "rsv-weu-01"}
    (full,) = findings(estate, "BP-50")
    assert "2 VMs each" in full.message
    assert "web-02" in full.message


def test_no_vault_in_the_region_is_one_error_for_all(estate: Estate, machine: MakeMachine) -> None:
    wish(estate, *(machine(f"web-{number:02}", location="eastus2") for number in range(1, 8)))
    assert placed(estate) == {}
    (error,) = findings(estate, "BP-60")
    assert error.severity is Severity.ERROR
    assert error.source is not None
    assert "web-01, web-02, web-03 and 4 more VMs" in error.message
    assert "northeurope, westeurope" in error.message


def test_another_subscription_only_by_name_and_with_a_doubt(estate: Estate, machine: MakeMachine) -> None:
    there = machine("lab-01", subscription="test", resource_group="rg-lab")
    assert TEST in str(there.arm_id)
    wish(estate, there)
    assert placed(estate) == {}
    estate.wishes = [(there, {"policy": "daily", "vault": "rsv-weu-01"})]
    assert placed(estate) == {"lab-01": "rsv-weu-01"}
    (doubt,) = findings(estate, "BP-61")
    assert doubt.severity is Severity.DOUBT


def test_a_named_vault_of_another_region_is_an_error_with_both_places(estate: Estate, machine: MakeMachine) -> None:
    wish(estate, machine(), vault="rsv-neu-01")
    (error,) = findings(estate, "BP-60")
    assert error.also
    assert placed(estate) == {}


def test_a_wrong_vault_does_not_release_what_is_protected(estate: Estate, machine: MakeMachine) -> None:
    estate.items = [("rsv-weu-01", {})]
    wish(estate, machine(), vault="rsv-neu-01")
    assert placed(estate) == {"web-01": "rsv-weu-01"}
    assert findings(estate, "BP-60")


def test_the_same_name_in_two_subscriptions_is_two_vms(estate: Estate, machine: MakeMachine) -> None:
    estate.vaults["rsv-test"] = {"subscription": "test"}
    wish(estate, machine(), machine(subscription="test"))
    found = [item.address for item in ProtectedVmKind().expand(estate.expansion()) if isinstance(item, Resource)]
    assert [str(address) for address in found] == [
        "protected_vm.prod/rg-web/web-01",
        "protected_vm.test/rg-web/web-01",
    ]


def test_origins_tell_where_each_value_was_written(estate: Estate, machine: MakeMachine) -> None:
    wish(estate, machine())
    (found,) = [item for item in ProtectedVmKind().expand(estate.expansion()) if isinstance(item, Resource)]
    assert set(found.origins) == {"policy", "settings", "disks"}


def test_many_vms_of_one_wish_share_one_spec(estate: Estate, machine: MakeMachine) -> None:
    wish(estate, *(machine(f"web-{number:03}") for number in range(120)))
    found = [item for item in ProtectedVmKind().expand(estate.expansion()) if isinstance(item, Resource)]
    assert len({id(item.spec) for item in found}) == 1
    (doubt,) = findings(estate, "BP-52")
    assert doubt.severity is Severity.DOUBT


def test_new_ones_go_where_their_policy_is_followed(estate: Estate, machine: MakeMachine) -> None:
    """Not into the vault that comes first by name and holds the VMs of others; if need be, there all the same."""
    estate.vaults = {"rsv-dba-team": {}, "rsv-weu-01": {}}
    estate.items = [("rsv-dba-team", {"vm": "db-01", "policy": "short"}), ("rsv-weu-01", {"vm": "old-01"})]
    wish(estate, machine(), machine("web-02"))
    assert placed(estate) == {"web-01": "rsv-weu-01", "web-02": "rsv-weu-01"}
    estate.limits = {"vmsPerVault": 2}
    assert placed(estate) == {"web-01": "rsv-weu-01", "web-02": "rsv-dba-team"}
