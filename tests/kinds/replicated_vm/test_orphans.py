"""A VM that is gone while it is replicated: told, and never let go of."""

from __future__ import annotations

import pytest

from reconciler.model.live import Unreadable
from reconciler.model.machine import Machine
from tests.kinds.replicated_vm.conftest import Estate, item, machine


def orphans(estate: Estate) -> list[str]:
    _, findings = estate.expand()
    return [finding.message for finding in findings if finding.code == "orphan"]


@pytest.fixture
def gone(estate: Estate) -> Machine:
    """A VM whose item is all that is left."""
    estate.add(machine("web-02"))
    vm = machine("web-01")
    estate.items.append(item(vm))
    return vm


def test_a_vm_that_is_gone_is_told_with_the_way_to_get_it_back(estate: Estate, gone: Machine) -> None:
    _, findings = estate.expand()
    (found,) = [finding for finding in findings if finding.code == "orphan"]
    assert found.severity == "warning"
    assert found.address == f"replicated_vm.prod/rg-app/{gone.name}"
    assert "vault rsv-dr still holds its replication to northeurope" in found.message
    assert "reconciler failover NAME --to northeurope" in found.advice


def test_one_that_is_there_or_that_people_are_at_work_on_is_none(estate: Estate, gone: Machine) -> None:
    estate.unasked.append(gone)
    assert orphans(estate) == []
    estate.unasked.clear()
    estate.items[:] = [item(gone, protectionState="UnplannedFailoverCommitted", activeLocation="Recovery")]
    assert orphans(estate) == []


def test_an_unread_list_of_vms_makes_no_orphans(estate: Estate, gone: Machine) -> None:
    assert len(orphans(estate)) == 1
    estate.unreadable = (Unreadable(("virtual_machine",), "Prod", "the list of VMs failed"),)
    assert orphans(estate) == []
