"""One VM's trouble costs no other its slot: what cannot be taken is blocked and told once, the rest is carried out."""

from __future__ import annotations

from reconciler.diff.engine import compare
from reconciler.kinds.base import Situation
from reconciler.kinds.snapshot.kind import SnapshotKind
from reconciler.plan.change import Action
from reconciler.plan.plan import Plan
from reconciler.render.view import view
from reconciler.render.wording import PlanWording
from tests.kinds.snapshot.estates import Estate, disk, machine, schedule


def planned(estate: Estate) -> Plan:
    expansion = estate.expansion()
    desired = {one.address: one for one in estate.outlook().resources.values()}
    return compare(Situation(expansion.declared, desired, expansion.live, expansion.now), [SnapshotKind()])


def test_the_others_go_on_and_those_that_are_blocked_are_told_together() -> None:
    disks = [disk(f"db-0{number}-os", "UltraSSD_LRS", uid=f"u{number}") for number in range(3)]
    estate = Estate(
        [schedule(incremental=False)],
        disks=[*disks, disk()],
        machines=[*(machine(f"db-0{number}", one) for number, one in enumerate(disks)), machine()],
    )
    plan = planned(estate)
    assert plan.applyable
    assert ([change.action for change in plan.actionable], plan.errors) == ([Action.CREATE], ())
    (section,) = [one for one in view(plan, PlanWording()).sections if one.title == "Blocked"]
    (group,) = section.groups
    assert len(group.changes) == 3
    assert "of UltraSSD_LRS disks Azure takes incremental ones only (SN-13)" in group.sentence
    assert group.changes[0].manual == "write incremental: true, or leave these disks out"


def test_a_missing_group_costs_only_the_vms_that_need_it() -> None:
    going = machine("web-01", disk("web-01-os"), resource_group="rg-web")
    estate = Estate(disks=[disk(), disk("web-01-os")], machines=[machine(), going])
    plan = planned(estate)
    assert [change.action for change in plan.changes] == [Action.CREATE, Action.BLOCKED]
    assert plan.blocked[0].manual.startswith("az group create --name rg-web --location westeurope")
    assert plan.applyable
