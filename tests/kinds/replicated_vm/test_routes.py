"""What replicated VMs have in common, as a route says it."""

from __future__ import annotations

import pytest

from reconciler.kinds.replicated_vm.routes import target_groups
from reconciler.model.arm_id import ArmId
from reconciler.model.machine import Machine

SUBSCRIPTION = "/subscriptions/11111111-1111-4111-8111-111111111111"


def machine(group: str) -> Machine:
    arm_id = ArmId(f"{SUBSCRIPTION}/resourceGroups/{group}/providers/Microsoft.Compute/virtualMachines/x")
    return Machine(arm_id=arm_id, subscription="prod", resource_group=group, name="x", location="westeurope")


@pytest.mark.parametrize(
    ("pairs", "found"),
    [
        ([("rg-shop", "rg-shop-dr")], ["rg-shop-dr"]),
        ([("rg-shop", "rg-dr"), ("rg-web", "rg-dr")], ["rg-dr", "rg-dr"]),
        ([("rg-shop", "rg-shop-dr"), ("RG-web", "rg-WEB-dr")], ["{resourceGroup}-dr", "{resourceGroup}-dr"]),
        ([("rg-shop", "dr-rg-shop"), ("rg-web", "elsewhere")], ["dr-{resourceGroup}", "elsewhere"]),
    ],
)
def test_the_target_group_is_a_name_or_a_pattern(pairs: list[tuple[str, str]], found: list[str]) -> None:
    members = [(machine(group), f"{SUBSCRIPTION}/resourceGroups/{target}") for group, target in pairs]
    assert target_groups(members) == found
