"""What the policies come to: who is in which group, what speaks against a plan, and when it is left alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from reconciler.kinds.base import Comparison, Situation
from reconciler.kinds.recovery_plan.kind import RecoveryPlanKind
from reconciler.kinds.recovery_plan.spec import PlanAction, PlanGroup, RecoveryPlanSpec
from reconciler.model.arm_id import ArmId
from reconciler.model.live import Unreadable
from reconciler.model.recovery_plan import RecoveryPlanFacts
from reconciler.model.replication import Replication
from reconciler.model.resource import Ref, Resource
from reconciler.plan.change import Action
from reconciler.plan.finding import Finding
from tests.kinds.conftest import NOW
from tests.kinds.recovery_plan.conftest import (
    ADDRESS,
    APP,
    CONTAINER,
    GROUPS,
    MACHINES,
    RUNBOOK,
    SQL,
    VAULT,
    WEB_1,
    WEB_2,
    World,
    machine,
    replicated,
)

KIND = RecoveryPlanKind()
Make = Callable[..., World]


def expand(world: World) -> tuple[list[Resource], list[Finding]]:
    found = list(KIND.expand(world.expansion()))
    return [one for one in found if isinstance(one, Resource)], [one for one in found if isinstance(one, Finding)]


def spec_of(world: World) -> RecoveryPlanSpec:
    (resource,), findings = expand(world)
    assert findings == []
    return resource.spec  # type: ignore[return-value]


def live_plan(spec: RecoveryPlanSpec, **fields: Any) -> Resource:
    plan = VAULT.child("replicationRecoveryPlans", "rp-shop")
    items = tuple(CONTAINER.child("replicationProtectedItems", one.name) for one in MACHINES)
    seen = RecoveryPlanFacts(plan, VAULT, "westeurope", "northeurope", items, **fields)
    return Resource(ADDRESS, spec, plan, "northeurope", observed=seen)


def test_groups_are_in_order_and_hold_the_vms_that_their_selectors_match(world: Make) -> None:
    (resource,), findings = expand(world())
    assert findings == []
    assert (resource.address, resource.location) == (ADDRESS, "northeurope")
    assert str(resource.arm_id).endswith("/vaults/rsv-dr/replicationRecoveryPlans/rp-shop")
    spec = resource.spec
    assert isinstance(spec, RecoveryPlanSpec)
    assert spec.groups == (
        PlanGroup(members=(str(SQL.arm_id),)),
        PlanGroup(members=(str(WEB_1.arm_id), str(WEB_2.arm_id), str(APP.arm_id))),
    )
    assert {str(ref) for name, ref in spec.refs()} == {
        "fabric.prod/rg-dr/rsv-dr/westeurope",
        "fabric.prod/rg-dr/rsv-dr/northeurope",
        *(f"replicated_vm.prod/rg-app/{one.name}" for one in MACHINES),
    }


def test_actions_keep_their_order_and_say_all_that_azure_asks_for(world: Make) -> None:
    dns = {"name": "dns", "runbook": RUNBOOK, "timeout": "90m", "side": "primary", "directions": ["recoveryToPrimary"]}
    ask = {"name": "ask", "manual": "ask the owner", "failoverTypes": ["unplannedFailover"]}
    spec = spec_of(world(plan={"shutdown": {"before": [ask, dns]}}, runbooks={ArmId(RUNBOOK): True}))
    assert spec.shutdown.before == (
        PlanAction(name="ask", manual="ask the owner", failover_types=("unplannedFailover",)),
        PlanAction(name="dns", runbook=RUNBOOK, side="primary", minutes=90, directions=("recoveryToPrimary",)),
    )


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        pytest.param(
            {"unassigned": [WEB_2]},
            "ASR-61",
            "group front: VM web-02: not replicated by route weu-neu",
            id="not replicated",
        ),
        pytest.param(
            {"aspect": Replication(target_region="francecentral")},
            "ASR-61",
            "group data: VM sql-01: not replicated by route weu-neu",
            id="to another region",
        ),
        pytest.param(
            {"aspect": Replication(route="other")}, "ASR-61", "not replicated by route weu-neu", id="by another route"
        ),
        pytest.param(
            {"groups": [*GROUPS, {"name": "last", "members": {"names": ["web-01"]}}]},
            "ASR-61",
            "group last: VM web-01 would be in two groups: group front has them already",
            id="in two groups",
        ),
        pytest.param(
            {"groups": [*GROUPS, {"name": "last", "members": {"names": ["nobody"]}}]},
            "no-match",
            "group last: matches none of 4 VMs",
            id="an empty group",
        ),
        pytest.param(
            {"machines": [machine(f"sql-{number:03}", "sql") for number in range(101)], "groups": GROUPS[:1]},
            "ASR-60",
            "would have 101 VMs; Azure takes 100",
            id="too many VMs",
        ),
        pytest.param(
            {
                "plan": {"failover": {"after": [{"name": "dns", "runbook": RUNBOOK}]}},
                "runbooks": {ArmId(RUNBOOK): False},
            },
            "ASR-63",
            "action dns: there is no runbook",
            id="a runbook that is gone",
        ),
        pytest.param(
            {
                "route": {"to": "westeurope", "availability": {"zone": "2"}},
                "aspect": Replication(route="weu-neu"),
                "machines": [machine("sql-01", "sql", zones=("1",)), machine("web-01", "web", zones=("3",))],
            },
            "ASR-61",
            "its VMs are in zones 1, 3",
            id="from two zones",
        ),
    ],
)
def test_what_speaks_against_a_plan_is_told_with_the_line(
    world: Make, change: dict[str, Any], code: str, words: str
) -> None:
    _, findings = expand(world(**change))
    assert {finding.code for finding in findings} == {code}
    assert any(words in finding.message for finding in findings)
    assert all(finding.severity == "error" and finding.source and finding.advice for finding in findings)


def test_a_runbook_that_could_not_be_read_is_not_called_absent(world: Make) -> None:
    actions = {"failover": {"after": [{"name": "dns", "runbook": RUNBOOK}]}}
    assert spec_of(world(plan=actions, runbooks={})).failover.after[0].runbook == RUNBOOK


def test_an_empty_group_that_may_be_empty_holds_its_actions(world: Make) -> None:
    pause = {"name": "last", "members": {"names": ["nobody"]}, "allowEmpty": True}
    assert spec_of(world(groups=[*GROUPS, pause])).groups[2] == PlanGroup()


def test_from_zone_to_zone_the_plan_names_both(world: Make) -> None:
    spec = spec_of(
        world(
            route={"to": "westeurope", "availability": {"zone": "2"}},
            aspect=Replication(route="weu-neu"),
            machines=[machine("sql-01", "sql", zones=("1",)), machine("web-01", "web", zones=("1",))],
        )
    )
    assert (spec.primary_zone, spec.recovery_zone) == ("1", "2")


WORK = [
    pytest.param({"protection_state": "UnplannedFailoverCommitted", "active_location": "Recovery"}, id="failed over"),
    pytest.param({"test_failover_state": "WaitingForCompletion"}, id="in a drill"),
    pytest.param({"primary_region": "northeurope", "recovery_region": "westeurope"}, id="reversed"),
]


@pytest.mark.parametrize("seen", WORK)
def test_while_people_are_at_work_a_plan_is_desired_as_it_is(world: Make, seen: dict[str, Any]) -> None:
    """Whatever the selectors match meanwhile: the copy of a VM carries its tags."""
    live = live_plan(spec_of(world()))
    made = world(
        groups=[{"name": "data", "members": {"names": ["nobody"]}}],
        live=[live, replicated(SQL, **seen), *map(replicated, (WEB_1, WEB_2, APP))],
    )
    (resource,), (finding,) = expand(made)
    assert resource.spec == msgspec.structs.replace(live.spec, machines=())
    assert (finding.code, finding.severity, finding.address) == ("failed-over", "info", str(ADDRESS))
    assert finding.message.startswith("VM sql-01 is failed over, in a drill or on the way back")


def test_on_the_way_back_its_vms_are_known_by_their_items(world: Make) -> None:
    """The VM in the first region is gone, the one in the other carries its tags, and its item lies elsewhere."""
    live = live_plan(spec_of(world()))
    copy = dataclasses.replace(SQL, arm_id=ArmId(str(SQL.arm_id).replace("rg-app", "rg-dr")), location="northeurope")
    home = replicated(SQL, primary_region="northeurope", recovery_region="westeurope")
    item = VAULT.child("replicationFabrics", "neu", "replicationProtectionContainers", "neu").child(
        "replicationProtectedItems", "sql-01"
    )
    seen = dataclasses.replace(home.observed, item_id=item, machine_id=copy.arm_id, home_id=SQL.arm_id)
    made = world(machines=[copy, WEB_1, WEB_2, APP], live=[live, dataclasses.replace(home, observed=seen)])
    (resource,), (finding,) = expand(made)
    assert resource.spec == msgspec.structs.replace(live.spec, machines=())
    assert finding.code == "failed-over"


@pytest.mark.parametrize("seen", WORK)
def test_a_new_plan_waits_until_its_vms_are_back(world: Make, seen: dict[str, Any]) -> None:
    resources, (finding,) = expand(world(live=[replicated(SQL, **seen)]))
    assert (resources, finding.code) == ([], "failed-over")


def test_a_member_that_is_gone_stays_one_while_it_can_be_failed_over(world: Make) -> None:
    """Taking it out would take away the way to bring it up."""
    live = live_plan(spec_of(world()))
    made = world(machines=[WEB_1, WEB_2, APP], live=[live, *map(replicated, MACHINES)])
    (resource,), (finding,) = expand(made)
    assert resource.spec == msgspec.structs.replace(live.spec, machines=())
    assert (finding.code, finding.severity, finding.address) == ("orphan", "warning", str(ADDRESS))
    assert finding.message.startswith("VM sql-01 is gone and can still be failed over with it")
    assert "reconciler failover rp-shop --to northeurope" in finding.advice
    _, findings = expand(world(machines=[WEB_1, WEB_2, APP], live=[live, *map(replicated, (WEB_1, WEB_2, APP))]))
    assert [one.code for one in findings] == ["no-match"]


def test_members_that_stay_in_another_vault_block_it(world: Make) -> None:
    """A route may lead through another vault than the one that its VMs are in: those are never moved."""
    made = world(live=list(map(replicated, MACHINES)))
    (resource,), _ = expand(made)
    expansion = made.expansion()
    situation = Situation(expansion.declared, {ADDRESS: resource}, expansion.live, NOW)
    comparison = Comparison(ADDRESS, resource, None, (), situation)
    assert KIND.judge(comparison) is None
    other = ArmId(str(VAULT).replace("rsv-dr", "rsv-old"))
    seen = [replicated(SQL, vault_id=other), *map(replicated, (WEB_1, WEB_2, APP))]
    live = dataclasses.replace(expansion.live, state={one.address: one for one in seen})
    verdict = KIND.judge(dataclasses.replace(comparison, situation=dataclasses.replace(situation, live=live)))
    assert verdict is not None
    assert verdict.action is Action.BLOCKED
    assert verdict.why.startswith("VM sql-01 is replicated in vault rsv-old, and a recovery plan holds VMs of its own")


def test_copies_that_a_failover_of_another_vm_made_are_no_members(world: Make) -> None:
    copy = dataclasses.replace(machine("web-03", "web"), location="northeurope")
    other = replicated(machine("other", "batch"), active_location="Recovery", recovery_machine_id=copy.arm_id)
    assert spec_of(world(machines=(*MACHINES, copy), live=[other])) == spec_of(world())


def test_where_vms_could_not_be_read_nobody_loses_the_place_in_a_plan(world: Make) -> None:
    live = live_plan(spec_of(world()))
    gap = Unreadable(("virtual_machine",), "prod", "403")
    (resource,), (finding,) = expand(world(machines=[SQL], live=[live], unreadable=(gap,)))
    assert resource.spec == msgspec.structs.replace(live.spec, machines=())
    assert (finding.code, finding.severity) == ("cannot-tell", "warning")


def test_a_plan_of_another_casing_is_the_same(world: Make) -> None:
    spec = spec_of(world(plan={"failover": {"after": [{"name": "dns", "runbook": RUNBOOK}]}}))
    told = msgspec.structs.replace(
        spec,
        groups=tuple(
            PlanGroup(members=tuple(reversed([one.upper() for one in group.members]))) for group in spec.groups
        ),
        failover=msgspec.structs.replace(
            spec.failover,
            after=(msgspec.structs.replace(spec.failover.after[0], runbook=RUNBOOK.lower(), failover_types=TYPES),),
        ),
        machines=tuple(Ref(ref.to.upper()) for ref in reversed(spec.machines)),
    )
    assert KIND.normalise(told) == KIND.normalise(spec)
    swapped = msgspec.structs.replace(spec, groups=tuple(reversed(spec.groups)))
    assert KIND.normalise(swapped) != KIND.normalise(spec)


TYPES = ("plannedFailover", "unplannedFailover", "testFailover")
