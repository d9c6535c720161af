"""What a person reads of a restore from a vault, before saying yes and after, and of what there is."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path

import msgspec
import pytest

from reconciler.diff.engine import compare
from reconciler.kinds.base import Situation
from reconciler.kinds.registry import asked_kinds
from reconciler.model.arm_id import ArmId
from reconciler.model.document import Declared
from reconciler.model.live import Live
from reconciler.model.vault_point import VaultPoints
from reconciler.plan.plan import Plan
from reconciler.render.text import render_plan
from reconciler.render.vault_points import points_json, points_text
from reconciler.restore.network import Connection
from reconciler.restore.next_steps import next_steps
from reconciler.restore.vault import resource_of, spec_of
from reconciler.restore.vault_rules import Ask, check_restore
from tests.restore.conftest import APP, GROUP, NOW
from tests.restore.test_vault_rules import GONE, POINT, VAULT, ask

GOLDEN = Path(__file__).parents[1] / "golden"
ITEM = ArmId(
    f"{VAULT.vault}/backupFabrics/Azure/protectionContainers/IaasVMContainer;iaasvmcontainerv2;rg-app;app-01"
    "/protectedItems/VM;iaasvmcontainerv2;rg-app;app-01"
)
SUBNET = Connection(f"{GROUP}/providers/Microsoft.Network/virtualNetworks/vnet-app/subnets/app")


def plan_of(asked: Ask, declared: Declared) -> Plan:
    """The plan on an Azure that has done nothing of it yet."""
    wanted = resource_of(asked, spec_of(asked, ITEM, SUBNET))
    situation = Situation(declared, {wanted.address: wanted}, Live({}), NOW)
    plan = compare(situation, asked_kinds(), check_restore(asked))
    return msgspec.structs.replace(plan, restore=asked.request)


def check_golden(name: str, text: str) -> None:
    if os.environ.get("UPDATE_GOLDEN"):
        (GOLDEN / name).write_text(text, encoding="utf-8")
    assert (GOLDEN / name).read_text(encoding="utf-8") == text, f"{name} is not as it was: make golden, and look"


CASES = {
    "vault-restore-vm.txt": ask({"snapshot": False}, into="vm", name="back", zone="1"),
    "vault-restore-disks.txt": ask(disks=("0", "1")),
    "vault-restore-replace.txt": ask(into="replace", around={"power": "deallocated"}),
    "vault-restore-refused.txt": ask(GONE, into="replace", staging_account="", staging=None, disk_access="same"),
}


@pytest.mark.parametrize("name", CASES)
def test_the_plan_and_what_comes_after(name: str, declared: Declared) -> None:
    plan = plan_of(CASES[name], declared)
    after = next_steps(plan) if plan.applyable else ()
    check_golden(name, "\n".join((render_plan(plan), "", *after)).rstrip("\n") + "\n")


FOUND = VaultPoints(
    machine=ArmId(APP),
    label="prod/rg-app/app-01",
    gone=True,
    vault=VAULT.vault,
    region="westeurope",
    now=NOW,
    points=(
        dataclasses.replace(POINT, mounted=True),
        dataclasses.replace(POINT, name="100", taken=POINT.taken.replace(day=1, hour=1), included=2, attached=3),
        dataclasses.replace(POINT, name="99\x1b[31m", taken=POINT.taken.replace(month=2), snapshot=False, vault=False),
    ),
    unread=("vault rsv-2 could not be read",),
)


def test_what_there_is() -> None:
    check_golden("recovery-points.txt", points_text(FOUND) + "\n")
    check_golden("recovery-points.json", points_json(FOUND) + "\n")
    assert json.loads(points_json(FOUND))["recovery_points"][0]["files_open"] is True
    nothing = dataclasses.replace(FOUND, points=())
    assert "no recovery point in rg-app/rsv-app, westeurope" in points_text(nothing)
    assert "\x1b" not in points_text(FOUND)
