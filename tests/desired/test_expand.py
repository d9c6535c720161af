"""Selection, expansion and explanation, from documents as they are written to what a plan is made from."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.desired.expand import Desired, expand
from reconciler.desired.explain import explain, explain_all, find_machines
from reconciler.desired.validate import validate
from reconciler.kinds.base import Assignment, Kind
from reconciler.model.address import Address
from reconciler.model.arm_id import ArmId
from reconciler.model.document import Declared
from reconciler.model.explanation import Explanation, Setting
from reconciler.model.live import Live, Unreadable
from reconciler.model.machine import Machine
from reconciler.model.source import Source

Kinds = tuple[Kind[Any], ...]
CASES = yaml.safe_load((Path(__file__).parents[1] / "cases" / "desired" / "selection.yaml").read_text(encoding="utf-8"))
IDS = {"prod": "00000000-0000-0000-0000-00000000000a", "dev": "00000000-0000-0000-0000-00000000000b"}
BASE: list[dict[str, Any]] = [
    {"kind": "Scope", "name": "shop", "subscriptions": IDS, "defaults": {"objectives": {"rpo": "2d"}}},
    {"kind": "Lock", "name": "base", "strength": 1},
    {"kind": "Lock", "name": "other", "strength": 2},
]
NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)


def machine(path: str, tags: dict[str, str] | None = None, size: str = "") -> Machine:
    alias, group, name = path.split("/")
    vm = f"/subscriptions/{IDS[alias]}/resourceGroups/{group}/providers/Microsoft.Compute/virtualMachines/{name}"
    return Machine(ArmId(vm), alias, group, name, "westeurope", tags=tags or {}, size=size)


def declare(folder: Path, documents: list[dict[str, Any]], kinds: Kinds, today: dt.date) -> Declared:
    """What the documents say: the base in one file, the others in files of their own, one field a line."""

    def text(document: dict[str, Any]) -> str:
        fields = {"apiVersion": "reconciler/v1", **document}
        return "".join(f"{key}: {json.dumps(value)}\n" for key, value in fields.items())

    (folder / "0.yaml").write_text("---\n".join(text(document) for document in BASE))
    for index, document in enumerate(documents):
        (folder / f"{index + 1}.yaml").write_text(text(document))
    validation = validate([folder], today, kinds)
    assert validation.declared, [str(finding) for finding in validation.findings]
    return validation.declared


def unread(alias: str) -> Unreadable:
    return Unreadable(("virtual_machine",), alias, "403")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"])
def test_selection(case: dict[str, Any], policies: Path, kinds: Kinds, today: dt.date) -> None:
    declared = declare(policies, case["documents"], kinds, today)
    machines = tuple(machine(path, tags) for path, tags in case["machines"].items())
    live = Live({}, machines, unreadable=tuple(unread(alias) for alias in case.get("unread", ())))
    desired = expand(declared, live, kinds, NOW)
    assert {
        f"{item.machine.scope}/{item.machine.name}": f"{item.protection.name}:{item.value.lock}"
        for item in desired.assignments
    } == case["gives"]
    assert [f"{item.scope}/{item.name}" for item in desired.uncovered] == case.get("uncovered", [])
    assert [str(item) for item in desired.findings if item.code != "uncovered"] == case.get("findings", [])


def test_uncovered_vms_are_warnings_with_an_address(policies: Path, kinds: Kinds, today: dt.date) -> None:
    declared = declare(policies, [], kinds, today)
    desired = expand(declared, Live({}, (machine("prod/rg/a"),)), kinds, NOW)
    (finding,) = desired.findings
    assert (finding.code, finding.severity, finding.address) == ("uncovered", "warning", "virtual_machine.prod/rg/a")


def protection(name: str, lock: str, **fields: Any) -> dict[str, Any]:
    return {"kind": "Protection", "name": name, "select": {"names": ["*"]}, "locked": {"lock": lock}, **fields}


def test_only_wanted_resources_are_made_and_refer_to_each_other(policies: Path, kinds: Kinds, today: dt.date) -> None:
    declared = declare(policies, [protection("p", "base")], kinds, today)
    desired = expand(declared, Live({}, (machine("prod/rg/b"), machine("prod/rg/a"))), kinds, NOW)
    assert sorted(str(address) for address in desired.state) == [
        "lock.shop/base",
        "locked_vm.prod/rg/a",
        "locked_vm.prod/rg/b",
    ]
    resource = desired.state[Address("locked_vm", "prod/rg", "a")]
    assert resource.origins["lock"] == Source("policies/1.yaml", 5, 18)


def test_what_a_kind_finds_is_passed_on(policies: Path, kinds: Kinds, today: dt.date) -> None:
    declared = declare(policies, [protection("p", "base")], kinds, today)
    desired = expand(declared, Live({}, (machine("prod/rg/a", size="doorless"),)), kinds, NOW)
    assert [str(item) for item in desired.findings] == ["policies/1.yaml:5:9: LK-09 a has no door"]


def test_a_reference_to_what_no_kind_makes_is_an_error(policies: Path, kinds: Kinds, today: dt.date) -> None:
    phantom = {"kind": "Lock", "name": "phantom", "strength": 1}
    declared = declare(policies, [protection("p", "phantom"), phantom], kinds, today)
    desired = expand(declared, Live({}, (machine("prod/rg/a"),)), kinds, NOW)
    (finding,) = desired.findings
    assert (finding.code, str(finding.source)) == ("dangling", "policies/1.yaml:5:18")
    assert finding.message == "locked_vm.prod/rg/a refers to lock.shop/phantom, which nothing declares"


def test_two_vms_of_one_address_are_an_error(policies: Path, kinds: Kinds, today: dt.date) -> None:
    declared = declare(policies, [protection("p", "base")], kinds, today)
    desired = expand(declared, Live({}, (machine("prod/rg/a"), machine("prod/RG/A"))), kinds, NOW)
    (finding,) = desired.findings
    assert (finding.code, finding.message) == ("collision", "two declarations ask for locked_vm.prod/rg/a")


@pytest.mark.parametrize(
    ("own", "expected"), [({}, "2d"), ({"objectives": {}}, "2d"), ({"objectives": {"rpo": "4h"}}, "4h")]
)
def test_objectives_fall_back_on_those_of_the_scope(
    own: dict[str, Any], expected: str, policies: Path, kinds: Kinds, today: dt.date
) -> None:
    declared = declare(policies, [protection("p", "base", **own)], kinds, today)
    desired = expand(declared, Live({}, (machine("prod/rg/a"),)), kinds, NOW)
    assert [item.objectives.rpo for item in desired.assignments] == [expected]


class Story:
    """Two Protections, an Exemption, and the question why."""

    def __init__(self, folder: Path, kinds: Kinds, today: dt.date) -> None:
        self.kinds = kinds
        self.machines = (
            machine("prod/rg-Web/web-01", {"env": "prod"}),
            machine("prod/rg-web/web-02", {"env": "prod"}),
            machine("dev/rg-web/web-02", {"Env": "dev"}),
        )
        selector = {"any": [{"tags": {"env": ["prod", "uat"]}}, {"not": {"subscriptions": ["prod"]}, "names": ["x*"]}]}
        documents = [
            protection("wide", "base", select=selector),
            protection("narrow", "other", select={"resourceGroups": ["rg-*"], "names": ["web-01"]}, priority=7),
            {
                "kind": "Exemption",
                "name": "x",
                "select": {"subscriptions": ["dev"]},
                "reason": "only a trial",
                "until": "2027-01-01",
            },
        ]
        self.declared = declare(folder, documents, kinds, today)
        self.desired: Desired = expand(self.declared, Live({}, self.machines), kinds, NOW)

    def of(self, index: int) -> Explanation:
        return explain(self.machines[index], self.declared, self.desired, self.kinds, NOW)


@pytest.fixture
def story(policies: Path, kinds: Kinds, today: dt.date) -> Story:
    return Story(policies, kinds, today)


def test_every_selector_says_whether_it_matches_and_why(story: Story) -> None:
    wide, narrow, exemption = story.of(2).candidates
    assert [(item.kind, item.name, item.matched) for item in (wide, narrow, exemption)] == [
        ("Protection", "wide", False),
        ("Protection", "narrow", False),
        ("Exemption", "x", True),
    ]
    (alternatives,) = wide.conditions
    assert (alternatives.key, alternatives.met) == ("any", False)
    first, second = alternatives.parts
    assert [(item.key, item.wanted, item.actual, item.met) for item in first.parts] == [
        ("tags.env", "prod or uat", "dev", False)
    ]
    assert [(item.key, item.met) for item in second.parts] == [("not", True), ("names", False)]
    assert second.parts[0].parts[0].actual == "dev"
    assert [(item.key, item.wanted, item.actual, item.met) for item in narrow.conditions] == [
        ("names", "web-01", "web-02", False),
        ("resourceGroups", "rg-*", "rg-web", True),
    ]
    assert narrow.conditions[0].source.file == "policies/2.yaml"
    assert narrow.note == "priority 7"
    assert exemption.note == "until 2027-01-01: only a trial"


@pytest.mark.parametrize(
    ("index", "outcome", "document", "why"),
    [
        (0, "protected", "narrow", "`narrow` has priority 7, above `wide` (0)"),
        (1, "protected", "wide", "`wide` is the only Protection that matches and gives locked"),
        (2, "exempt", "x", "exemption `x` excuses it until 2027-01-01"),
    ],
)
def test_who_decided(story: Story, index: int, outcome: str, document: str, why: str) -> None:
    (decision,) = story.of(index).decisions
    assert (decision.outcome, decision.document, decision.why) == (outcome, document, why)


def test_many_are_explained_as_each_alone(story: Story) -> None:
    many = explain_all(reversed(story.machines), story.declared, story.desired, story.kinds, NOW)
    assert list(many) == [story.of(index) for index in reversed(range(len(story.machines)))]


def test_nobody_decided(policies: Path, kinds: Kinds, today: dt.date) -> None:
    declared = declare(policies, [], kinds, today)
    vm = machine("prod/rg/a")
    (decision,) = explain(vm, declared, expand(declared, Live({}, (vm,)), kinds, NOW), kinds, NOW).decisions
    assert (decision.outcome, decision.document) == ("uncovered", None)


def test_an_overlap_is_unclear(policies: Path, kinds: Kinds, today: dt.date) -> None:
    declared = declare(policies, [protection("p", "base"), protection("q", "base")], kinds, today)
    vm = machine("prod/rg/a")
    (decision,) = explain(vm, declared, expand(declared, Live({}, (vm,)), kinds, NOW), kinds, NOW).decisions
    assert (decision.outcome, decision.why) == ("unclear", "`p` and `q` (0) have the same priority")


def test_an_aspect_tells_what_it_comes_to_where_no_resource_of_the_vm_does(
    policies: Path, kinds: Kinds, today: dt.date
) -> None:
    def settings(_: Any, assignment: Assignment, declared: Declared) -> list[Setting]:
        return [Setting("locks.x", "lock", f"{assignment.value.lock} of {len(declared.documents)}", assignment.source)]

    first, *others = kinds
    telling = (type("Telling", (type(first),), {"settings": settings})(), *others)
    declared = declare(policies, [protection("p", "base")], telling, today)
    vm = machine("prod/rg/a")
    told = explain(vm, declared, expand(declared, Live({}, (vm,)), telling, NOW), telling, NOW).settings
    assert [item.address for item in told] == ["locked_vm.prod/rg/a"] * 2 + ["lock.shop/base", "locks.x"]
    assert (told[-1].value, str(told[-1].source)) == ("base of 3", "policies/1.yaml:5:9")


def test_each_value_knows_its_line(story: Story) -> None:
    assert [(item.address, item.path, item.value, item.source) for item in story.of(1).settings] == [
        ("locked_vm.prod/rg-web/web-02", "lock", "base", Source("policies/1.yaml", 5, 18)),
        ("locked_vm.prod/rg-web/web-02", "doors", "all", None),
        ("lock.shop/base", "strength", "1", Source("policies/0.yaml", 10, 11)),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("WEB-01", [0]),
        ("web-02", [1, 2]),
        ("rg-web/web-02", [1, 2]),
        ("dev/RG-web/web-02", [2]),
        ("eb-02", []),
        (f"/SUBSCRIPTIONS/{IDS['prod']}/resourcegroups/rg-web/providers/microsoft.compute/virtualmachines/web-02", [1]),
    ],
)
def test_find_machines(story: Story, text: str, expected: list[int]) -> None:
    assert [story.machines.index(item) for item in find_machines(story.machines, text)] == expected
