"""Laws over every registered kind. A new kind joins with its line in the registry and its `cases/<kind>/converge.yaml`.

Each case is carried out once against a running emulator; every law looks at what was seen of it.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from reconciler.apply.lock import Holder
from reconciler.apply.preflight import Permission
from reconciler.apply.result import Result
from reconciler.apply.run import Stop
from reconciler.azure.clients import Azure
from reconciler.azure.clouds import emulator_cloud
from reconciler.desired.validate import validate
from reconciler.diff.allowances import parse_allowances
from reconciler.diff.engine import compare
from reconciler.emulator.emulator import Pace
from reconciler.emulator.providers.authorization import action_of
from reconciler.emulator.serving import Served, running_server
from reconciler.kinds.registry import by_name, kinds
from reconciler.model.address import Address
from reconciler.model.resource import Resource
from reconciler.plan.change import BY_TIME, Action, Step
from reconciler.plan.file import decode, encode
from reconciler.plan.plan import Plan
from reconciler.workflow import Machinery, Picture, Wishes, apply, look, plan_of
from tests.kinds.conftest import NOW, PROD

CASES = Path(__file__).parents[1] / "cases"
ROLES = Path(__file__).parents[2] / "docs" / "roles"
BASE: dict[str, Any] = {
    "estate": "laws",
    "clock": NOW.isoformat(),
    "subscriptions": [{"id": PROD, "name": "Prod"}],
    "resourceGroups": [
        {"subscription": "Prod", "name": "rg-backup", "location": "westeurope"},
        {"subscription": "Prod", "name": "rg-app", "location": "westeurope"},
    ],
    "virtualMachines": [
        {"name": name, "resourceGroup": "rg-app", "os": "Linux", "dataDisks": [64, 64], "tags": {"env": "prod"}}
        for name in ("app-01", "app-02")
    ],
}
SCOPE = {"kind": "Scope", "name": "laws", "subscriptions": {"prod": PROD}}


@dataclass(frozen=True)
class Case:
    """One entry of a `converge.yaml`."""

    kind: str
    case: str
    documents: list[dict[str, Any]]
    steps: list[str]
    estate: dict[str, Any] = dataclasses.field(default_factory=dict)
    allow: list[str] = dataclasses.field(default_factory=list)

    def whole_estate(self) -> dict[str, Any]:
        """The estate of all cases, with the lists of this one after them."""
        lists = {key: [*BASE[key], *value] for key, value in self.estate.items() if key in BASE}
        return {**BASE, **self.estate, **lists}

    def write_policies(self, folder: Path) -> Path:
        documents = [{"apiVersion": "reconciler/v1", **one} for one in (SCOPE, *self.documents)]
        path = folder / "policies.yaml"
        path.write_text(yaml.safe_dump_all(documents, sort_keys=False), encoding="utf-8")
        return path

    def wishes(self) -> Wishes:
        return Wishes(allowances=parse_allowances(self.allow))


@dataclass(frozen=True)
class Seen:
    """What was seen of a case: both sides before and after, the plans, how apply went, the role actions it took."""

    case: Case
    before: Picture
    plan: Plan
    planned_again: Plan
    result: Result | None
    after: Picture
    last: Plan
    read_actions: frozenset[str]
    apply_actions: frozenset[str]

    @property
    def resources(self) -> list[Resource]:
        pictures = (self.before, self.after)
        sides = [side for one in pictures for side in (one.desired.state, one.situation.live.state)]
        return [resource for side in sides for resource in side.values()]


def load_cases() -> list[Any]:
    found = []
    for kind in kinds():
        entries = yaml.safe_load((CASES / kind.name / "converge.yaml").read_text(encoding="utf-8"))
        found += [pytest.param(Case(kind.name, **entry), id=f"{kind.name}: {entry['case']}") for entry in entries]
    return found


@pytest.fixture(scope="module", params=load_cases())
def seen(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Seen:
    return asyncio.run(carry_out(request.param, tmp_path_factory.mktemp("laws")))


@pytest.fixture(scope="module")
def roles() -> dict[str, Permission]:
    """The role definitions that the README hands out, by file name."""

    def read(name: str) -> Permission:
        role = json.loads((ROLES / f"{name}.json").read_text(encoding="utf-8"))
        return Permission(actions=tuple(role["Actions"]), not_actions=tuple(role["NotActions"]))

    return {name: read(name) for name in ("plan", "apply")}


async def carry_out(case: Case, folder: Path) -> Seen:
    """Plan, apply, plan again, on an emulator whose time passes when somebody waits."""
    pace = Pace(speed=0, auto_advance=True)
    async with running_server(folder, estate=case.whole_estate(), pace=pace) as served:
        world = served.emulator.world

        async def pause(seconds: float) -> None:
            world.advance(timedelta(seconds=seconds))

        cloud = emulator_cloud(served.running.endpoint, Path(served.running.ca), "header.e30.signature")
        async with Azure(cloud, clock=world.clock.now, pause=pause) as azure:
            checked = validate([case.write_policies(folder)], NOW.date(), kinds())
            assert checked.declared, checked.findings
            before = await look(azure, checked.declared)
            plan = plan_of(before, checked, case.wishes())
            read_actions = actions_so_far(served)
            result = await apply_plan(azure, plan, folder)
            apply_actions = actions_so_far(served)
            after = await look(azure, checked.declared)
        return Seen(
            case=case,
            before=before,
            plan=plan,
            planned_again=plan_of(before, checked, case.wishes()),
            result=result,
            after=after,
            last=plan_of(after, checked, Wishes()),
            read_actions=read_actions,
            apply_actions=apply_actions,
        )


async def apply_plan(azure: Azure, plan: Plan, folder: Path) -> Result | None:
    async def planning() -> Plan:
        return plan

    holder = Holder(pid=1, host="here", since=NOW, run="law")
    machinery = Machinery(lambda event: None, Stop(), folder / "journals", holder, "law", "0")
    return (await apply(azure, machinery, planning, lambda review: True)).result


def actions_so_far(served: Served) -> frozenset[str]:
    """The role actions that the requests took, as the emulator's gateway works them out, and an empty log."""
    log = served.emulator.log
    taken = frozenset(action_of(request.method, request.path)[0] for request in log.recent())
    log.clear()
    return taken


def steps_of(seen: Seen) -> list[Step]:
    return list(seen.plan.steps())


@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: kind.name)
def test_every_field_has_a_rule_and_every_kind_a_case_that_writes(kind: Any) -> None:
    assert set(kind.rules) == set(kind.spec.__struct_fields__)
    cases: list[Case] = [param.values[0] for param in load_cases()]
    assert any(case.steps for case in cases if case.kind == kind.name)


def test_the_case_does_what_it_says(seen: Seen) -> None:
    assert seen.plan.refusals == ()
    assert seen.plan.errors == ()
    verbs = sorted(step.verb for step in steps_of(seen) if step.kind == seen.case.kind)
    assert verbs == sorted(seen.case.steps)


def test_apply_then_plan_is_empty(seen: Seen) -> None:
    assert (seen.result is None) == (not seen.plan.actionable)
    if seen.result:
        assert [ending.message for ending in seen.result.endings if ending not in seen.result.done] == []
    assert [(change.address, change.why, change.fields) for change in seen.last.changes] == []
    assert seen.last.empty
    assert seen.last.complete


def test_normal_form_is_reached_at_once(seen: Seen) -> None:
    for resource in seen.resources:
        kind = by_name()[resource.address.kind]
        once = kind.normalise(resource.spec)
        assert kind.normalise(once) == once, resource.address


def test_what_is_the_same_is_no_change(seen: Seen) -> None:
    for picture in (seen.before, seen.after):
        wanted = picture.desired.state
        live = dataclasses.replace(picture.situation.live, state=wanted)
        same = dataclasses.replace(picture.situation, desired=wanted, live=live)
        assert compare(same, kinds()).changes == ()


def test_planning_is_pure_and_its_steps_are_plain_json(seen: Seen) -> None:
    assert seen.planned_again == seen.plan
    steps = steps_of(seen)
    assert len({step.id for step in steps}) == len(steps)
    for step in steps:
        assert msgspec.json.decode(msgspec.json.encode(step.arguments)) == step.arguments
        assert step.id.startswith(f"{step.address}#")
        assert (step.permission, step.lane, step.title) != ("", "", "")


def test_a_plan_is_read_from_its_file_as_it_was_written(seen: Seen) -> None:
    for plan in (seen.plan, seen.last):
        again = decode(encode(plan))
        assert again == plan
        assert again.digest == plan.digest


def test_nothing_is_deleted_unless_the_vault_says_so_and_the_guard_is_lifted(seen: Seen) -> None:
    """What only the clock asks for is another matter: its own kinds hold what must be true of it."""
    by_time = {change.address for change in seen.plan.changes if change.reason in BY_TIME}
    deleting = {change.address for change in seen.plan.changes if change.action is Action.DELETE} - by_time
    asked = [one for one in seen.case.documents if one.get("onRelease") in ("deleteData", "disable")]
    assert not deleting or (asked and any(text.startswith("G103") for text in seen.case.allow))
    for step in (step for step in steps_of(seen) if step.address not in by_time):
        deletes = (
            step.permission.lower().endswith("/delete") or deletes_backups(step.permission) or step.verb == "delete"
        )
        assert deletes == (step.address in deleting), step.id
    sent = {action for action in seen.apply_actions if deletes_backups(action)}
    assert bool(sent) == bool(deleting)


def test_what_expires_is_ours_and_can_be_used_and_what_is_discarded_cannot(seen: Seen) -> None:
    live = seen.before.situation.live.state
    for step in steps_of(seen):
        if step.verb in ("delete", "discard") and hasattr(facts := live[Address.parse(step.address)].observed, "slot"):
            assert facts.slot is not None
            assert facts.usable == (step.verb == "delete")


def test_the_role_to_plan_covers_what_planning_reads(seen: Seen, roles: dict[str, Permission]) -> None:
    assert seen.read_actions
    assert {action for action in seen.read_actions if not roles["plan"].allows(action)} == set()
    assert all(action.endswith("/read") for action in seen.read_actions)


def deletes_backups(action: str) -> bool:
    """Snapshots and restore points expire: deleting them is what their schedule asks for. To end a replication is to
    delete its recovery points."""
    action = action.lower()
    deletes = action.endswith(("/delete", "/replicationprotecteditems/remove/action"))
    return deletes and not action.startswith("microsoft.compute/")


def test_the_role_to_apply_covers_what_is_written_and_never_a_deletion_of_backups(
    seen: Seen, roles: dict[str, Permission]
) -> None:
    """Deleting backup data takes one action more than the role holds: that is its point."""
    for action in {*seen.read_actions, *seen.apply_actions, *(step.permission for step in steps_of(seen))}:
        assert roles["apply"].allows(action) != deletes_backups(action), action
