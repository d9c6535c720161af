from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from reconciler.apply.preflight import Permission, allowed, preflight
from reconciler.errors import AbsentError, AzureError, DeniedError
from reconciler.model.arm_id import ArmId
from reconciler.plan.change import Action, Change, Reason, Step
from reconciler.plan.finding import Severity
from reconciler.plan.plan import Plan

GROUP = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/RG-Straße"
VAULT = f"{GROUP}/providers/Microsoft.RecoveryServices/vaults/rsv-WEU"
WRITE = "Microsoft.RecoveryServices/vaults/backupPolicies/write"

CASES: list[tuple[str, list[tuple[list[str], list[str]]], bool]] = [
    ("owner", [(["*"], [])], True),
    ("exact", [([WRITE], [])], True),
    ("other casing", [([WRITE.upper()], [])], True),
    ("wildcard in the middle", [(["Microsoft.RecoveryServices/*/write"], [])], True),
    ("whole provider", [(["microsoft.recoveryservices/*"], [])], True),
    ("all writes", [(["*/write"], [])], True),
    ("reader", [(["*/read"], [])], False),
    ("nothing", [], False),
    ("a dot is a dot", [(["MicrosoftXRecoveryServices/*"], [])], False),
    ("only a prefix", [(["Microsoft.RecoveryServices/vaults"], [])], False),
    ("taken away", [(["*"], ["Microsoft.RecoveryServices/vaults/backupPolicies/*"])], False),
    ("taken away by one role and given by another", [(["*"], [WRITE]), ([WRITE], [])], True),
]


@pytest.mark.parametrize(("roles", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_role_allows_its_actions_less_its_own_not_actions(
    roles: list[tuple[list[str], list[str]]], expected: bool
) -> None:
    body = [{"actions": actions, "notActions": not_actions, "dataActions": []} for actions, not_actions in roles]
    assert allowed(WRITE, msgspec.convert(body, list[Permission])) is expected


class Directory:
    """Permission lists by path, as `Azure.list` yields them."""

    def __init__(self, answers: dict[str, list[str] | AzureError]) -> None:
        self.answers = answers
        self.asked: list[str] = []

    async def list(self, path: str, api_version: str, item: type[Any], **query: str) -> AsyncIterator[Any]:
        scope = path.removesuffix("/providers/Microsoft.Authorization/permissions")
        assert scope != path
        self.asked.append(scope)
        answer = self.answers.get(scope, AbsentError(f"{scope} does not exist"))
        if isinstance(answer, AzureError):
            raise answer
        yield msgspec.convert({"actions": answer, "notActions": []}, item)


def plan(*permissions: str, approval: str = "") -> Plan:
    changes = [
        Change(
            address=f"widget.prod/w{number}",
            kind="widget",
            action=Action.UPDATE,
            reason=Reason.DIFFERS,
            arm_id=f"{VAULT}/backupPolicies/daily",
            steps=(
                Step(
                    id=f"widget.prod/w{number}#put",
                    kind="widget",
                    address=f"widget.prod/w{number}",
                    verb="put",
                    title=f"Write w{number}",
                    lane=ArmId(VAULT).key,
                    permission=permission,
                    needs_approval=approval,
                ),
            ),
        )
        for number, permission in enumerate(permissions)
    ]
    return Plan(created="2026-03-01T08:00:00Z", changes=tuple(changes))


async def test_what_is_allowed_says_nothing_and_costs_one_request_a_vault() -> None:
    azure = Directory({VAULT: ["Microsoft.RecoveryServices/*"]})
    assert await preflight(azure, plan(WRITE, WRITE, "Microsoft.RecoveryServices/vaults/write")) == ()  # type: ignore[arg-type]
    assert azure.asked == [VAULT], "in the spelling of the resource, not of the lane"


async def test_what_is_in_no_vault_is_judged_by_the_group_that_is_written_to() -> None:
    """One request for all of its disks."""
    azure = Directory({GROUP: ["Microsoft.Compute/snapshots/write"]})
    wanted = plan("Microsoft.Compute/snapshots/write", "Microsoft.Compute/snapshots/write")
    changes = tuple(
        msgspec.structs.replace(
            change,
            arm_id=f"{GROUP}/providers/Microsoft.Compute/snapshots/s{number}",
            steps=tuple(
                msgspec.structs.replace(step, lane=f"/subscriptions/1/resourcegroups/other/disks/d{number}")
                for step in change.steps
            ),
        )
        for number, change in enumerate(wanted.changes)
    )
    assert await preflight(azure, msgspec.structs.replace(wanted, changes=changes)) == ()  # type: ignore[arg-type]
    assert azure.asked == [GROUP]


async def test_a_missing_action_is_named_with_what_needs_it() -> None:
    azure = Directory({VAULT: ["*/read"]})
    (finding,) = await preflight(azure, plan(WRITE, WRITE, WRITE))  # type: ignore[arg-type]
    assert finding.severity is Severity.ERROR
    assert finding.message == f"the identity may not perform {WRITE} on {VAULT}, which 'Write w0' and 2 more steps need"
    assert WRITE in finding.advice


async def test_a_vault_that_is_not_there_yet_is_judged_by_its_resource_group() -> None:
    azure = Directory({GROUP: ["*"]})
    assert await preflight(azure, plan(WRITE)) == ()  # type: ignore[arg-type]
    assert azure.asked == [VAULT, GROUP]


@pytest.mark.parametrize("error", [DeniedError("you may not look"), AbsentError("not served here")])
async def test_a_list_that_cannot_be_read_is_told_and_stops_nothing(error: AzureError) -> None:
    azure = Directory({VAULT: error, GROUP: error})
    (finding,) = await preflight(azure, plan(WRITE))  # type: ignore[arg-type]
    assert (finding.code, finding.severity) == ("preflight-unread", Severity.WARNING)
    assert error.message in finding.message


async def test_guarded_steps_are_counted_by_guard() -> None:
    azure = Directory({VAULT: ["*"]})
    (finding,) = await preflight(azure, plan(WRITE, WRITE, approval="/guards/g1"))  # type: ignore[arg-type]
    assert (finding.code, finding.severity) == ("BP-86", Severity.WARNING)
    assert finding.message.startswith("2 steps will wait for the approval of the Resource Guard /guards/g1")


async def test_steps_without_a_vault_or_a_permission_ask_nothing() -> None:
    azure = Directory({})
    assert await preflight(azure, plan("")) == ()  # type: ignore[arg-type]
    assert azure.asked == []
