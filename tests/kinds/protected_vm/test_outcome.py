"""Objectives and failing backups: what Azure really holds."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from reconciler.kinds.protected_vm.inventory import Speller, resource_from
from reconciler.kinds.protected_vm.kind import ProtectedVmKind
from reconciler.kinds.protected_vm.wire import ItemBody
from reconciler.model.scope import Objectives
from reconciler.plan.finding import Finding, Severity
from tests.kinds.conftest import NOW
from tests.kinds.protected_vm.bodies import item_body
from tests.kinds.protected_vm.conftest import Estate
from tests.kinds.protected_vm.test_wire import VAULT


def findings(estate: Estate, rpo: str | None = None, **item: Any) -> list[Finding]:
    body = msgspec.json.decode(json.dumps(item_body(str(VAULT.arm_id), **item)), type=ItemBody)
    resource = resource_from(body, VAULT, Speller(estate.declared()))
    assert resource is not None
    return list(ProtectedVmKind().outcome(resource, Objectives(rpo=rpo), NOW))


def ago(**span: float) -> str:
    return (NOW - timedelta(**span)).strftime("%Y-%m-%dT%H:%M:%S.0000000Z")


def test_all_is_well(estate: Estate) -> None:
    assert findings(estate, "24h", lastRecoveryPoint=ago(hours=10)) == []


@pytest.mark.parametrize(("hours", "missed"), [(23.9, False), (24, False), (24.1, True)])
def test_the_age_of_the_newest_point_against_the_objective(hours: float, missed: bool, estate: Estate) -> None:
    found = findings(estate, "24h", lastRecoveryPoint=ago(hours=hours))
    assert [item.code for item in found] == (["rpo-missed"] if missed else [])


def test_failing_for_three_days_is_said_with_the_last_error(estate: Estate) -> None:
    (found,) = findings(
        estate,
        state="ProtectionError",
        lastRecoveryPoint=ago(days=3, hours=2),
        lastBackupStatus="Failed",
        healthStatus="ActionRequired",
        healthDetails=[
            {"code": 400153, "title": "UserErrorGuestAgentStatusUnavailable", "message": "VM agent\r\nis silent."}
        ],
    )
    assert found.code == "backups-failing"
    assert "no successful backup for 3 d 2 h" in found.message
    assert "UserErrorGuestAgentStatusUnavailable: VM agent is silent." in found.message
    assert found.address == "protected_vm.prod/rg-web/web-01"


def test_never_backed_up_weighs_more_where_something_was_promised(estate: Estate) -> None:
    never = {"state": "IRPending", "lastRecoveryPoint": None, "lastBackupStatus": ""}
    (fresh,) = findings(estate, **never)
    (promised,) = findings(estate, "24h", **never)
    assert (fresh.code, fresh.severity) == ("never-backed-up", Severity.INFO)
    assert promised.severity is Severity.WARNING


def test_deleted_backups_have_no_outcome(estate: Estate) -> None:
    assert findings(estate, "24h", deleted=ago(days=5)) == []
