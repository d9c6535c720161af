"""Why a VM gets what it gets."""

from __future__ import annotations

import json
from collections.abc import Callable

from reconciler.model.arm_id import ArmId
from reconciler.model.explanation import Candidate, Condition, Decision, Explanation, Setting
from reconciler.model.machine import Machine, OsType
from reconciler.model.source import Source
from reconciler.render.explain import explanation_json, explanation_text

PLACE = Source("policies/web.yaml", 4, 3)
MACHINE = Machine(
    ArmId("/subscriptions/1/resourceGroups/rg-web/providers/Microsoft.Compute/virtualMachines/vm-web-01"),
    "prod", "rg-web", "vm-web-01", "westeurope", OsType.LINUX, {"env": "prod", "x\x1b[31m": "y"},
)  # fmt: skip
INNER = Condition("tags.tier", "web", "web", True, PLACE)
EXPLANATION = Explanation(
    MACHINE,
    (
        Candidate("Protection", "web", PLACE, True, (Condition("all", "", "", True, PLACE, (INNER,)),), ("backup",)),
        Candidate("Exemption", "lab", PLACE, False, (Condition("names", "lab-*", "", False, PLACE),), (), "until May"),
    ),
    (
        Decision("backup", "protected", "the only one that matches", "web", PLACE),
        Decision("snapshots", "none", "no Protection that matches gives snapshots"),
    ),
    (
        Setting("protected_vm.prod/rg-web/vm-web-01", "policy", "daily-30d", PLACE),
        Setting("protected_vm.prod/rg-web/vm-web-01", "disks", "all disks", None),
    ),
    ("failed over since\x1b[31m Monday",),
)


def test_text(golden: Callable[[str, str], None]) -> None:
    shown = explanation_text(EXPLANATION)
    golden("explanation.txt", shown)
    assert all(line.isprintable() for line in shown.split("\n"))


def test_json() -> None:
    (entry,) = json.loads(explanation_json([EXPLANATION]))["explanations"]
    assert entry["machine"]["name"] == "vm-web-01"
    assert entry["remarks"] == ["failed over since\x1b[31m Monday"]
    assert entry["decisions"][0]["source"] == {"file": "policies/web.yaml", "line": 4, "column": 3}
    assert entry["candidates"][0]["conditions"][0]["parts"][0]["met"] is True
    assert entry["settings"][1] == {
        "address": "protected_vm.prod/rg-web/vm-web-01", "path": "disks", "value": "all disks", "source": None,
    }  # fmt: skip
