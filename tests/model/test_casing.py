"""Names that are one to Azure, and names that only look so."""

from __future__ import annotations

import pytest

from reconciler.model.address import Address
from reconciler.model.arm_id import ArmId
from reconciler.model.casing import fold


@pytest.mark.parametrize(
    ("one", "other"),
    [("rg-Web", "RG-WEB"), ("rg-DÜSSELDORF", "rg-düsseldorf"), ("ΟΔΟΣ", "οδος"), ("Жуки", "жУКИ"), ("", "")],
)
def test_one_name_in_two_casings(one: str, other: str) -> None:
    assert fold(one) == fold(other)


@pytest.mark.parametrize(("one", "other"), [("rg-straße", "rg-strasse"), ("ﬁle", "file"), ("\u212a", "k")])
def test_two_names(one: str, other: str) -> None:
    assert fold(one) != fold(other)


@pytest.mark.parametrize("name", ["rg-Straße", "DÜSSELDORF", "ΟΔΟΣ", "İ", "ŉ"])
def test_folding_twice_is_folding_once(name: str) -> None:
    assert fold(fold(name)) == fold(name)


def test_vms_of_two_groups_are_two_vms() -> None:
    path = "/subscriptions/0/resourceGroups/{}/providers/Microsoft.Compute/virtualMachines/vm"
    assert ArmId(path.format("rg-straße")) != ArmId(path.format("rg-strasse"))
    assert ArmId(path.format("rg-stra%C3%9Fe")) == ArmId(path.format("RG-STRAßE"))
    assert Address("protected_vm", "prod/rg-straße", "vm") != Address("protected_vm", "prod/rg-strasse", "vm")
