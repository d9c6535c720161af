"""What the page holds, before any browser looks at it. How it behaves is tried in tests/browser."""

from __future__ import annotations

import re
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser

import msgspec
import pytest

from reconciler.model.arm_id import ArmId
from reconciler.model.disk import Attachment
from reconciler.model.explanation import Explanation
from reconciler.model.machine import Machine
from reconciler.plan.change import Action, Change, Reason, Step
from reconciler.plan.plan import Plan
from reconciler.render import text
from reconciler.render.html import render_drift, render_plan
from reconciler.render.page.machines import MOST_MACHINES, worth_explaining
from tests.render.conftest import snapshot, vm

VOID = {"meta", "link", "input", "br"}
RENDERERS = [render_plan, render_drift]


class Checked(HTMLParser):
    """Every element closed in its order; what is asked for from elsewhere; its text."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.outside: list[str] = []
        self.ids: list[str] = []
        self.targets: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name in ("src", "href", "action", "data", "srcset", "poster") and not (value or "").startswith("#"):
                self.outside.append(f"{tag} {name}={value}")
            if name == "href" and (value or "").startswith("#"):
                self.targets.append((value or "")[1:])
            if name == "id":
                self.ids.append(value or "")
            assert not name.startswith("on"), f"{tag} has {name}"
            assert name != "style", f"{tag} has a style of its own, which the policy of the page refuses"

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("style", "script"):
            self.text += data


def check(html: str) -> Checked:
    parser = Checked()
    parser.feed(html)
    parser.close()
    assert parser.open == []
    return parser


@pytest.mark.parametrize("render", RENDERERS)
@pytest.mark.parametrize("name", ["everything", "drifted", "scheduled", "hostile"])
def test_a_page_is_well_formed_and_asks_nobody(request: pytest.FixtureRequest, name: str, render: object) -> None:
    assert callable(render)
    page = check(render(request.getfixturevalue(name)))
    assert page.outside == ["link href=data:,"]
    assert len(page.ids) == len(set(page.ids))
    assert set(page.targets) <= set(page.ids)


@pytest.mark.parametrize("render", RENDERERS)
def test_only_its_own_style_and_script_are_allowed(everything: Plan, render: object) -> None:
    assert callable(render)
    html = render(everything)
    for tag, directive in (("style", "style-src"), ("script", "script-src")):
        (body,) = re.findall(f"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
        digest = b64encode(sha256(body.encode()).digest()).decode()
        assert f"{directive} &#39;sha256-{digest}&#39;" in html or f"{directive} 'sha256-{digest}'" in html
    assert "default-src 'none'" in html
    assert "unsafe" not in html.partition("<body>")[0].partition("<style>")[0]


@pytest.mark.parametrize("name", ["everything", "drifted", "scheduled"])
def test_it_says_what_the_text_says(request: pytest.FixtureRequest, name: str) -> None:
    """The same verdict, sections, resources, consequences and findings: nothing is left out of the page."""
    plan: Plan = request.getfixturevalue(name)
    flat = re.sub(r"\s+", " ", check(render_plan(plan)).text)
    for line in _sayings(text.render_plan(plan, verbose=True)):
        assert line in flat, line


def _sayings(report: str) -> Iterator[str]:
    """The lines that stand in the page as they are: not differences and headings, which are parted there, nor the
    figures, which are a list."""
    for line in report.splitlines():
        bare = line.strip()
        parted = bare[:2] in ("~ ", "+ ", "- ", "↺ ") or re.match(r"\d+\. ", bare) or bare.startswith("Plan:")
        if bare and not parted and line.startswith("  "):
            yield re.sub(r"\s+", " ", re.sub(r"^[!·→] ", "", bare))


def test_hostile_text_is_never_markup(hostile: Plan) -> None:
    for html in (render_plan(hostile), render_drift(hostile)):
        assert "<script>alert" not in html
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e]", html)
        assert html.count("<script") == 1
        assert "innerHTML" not in html


def test_who_wrote_last_stands_with_each_resource() -> None:
    from tests.browser import estate

    plan = estate.plan()
    page = check(render_plan(plan, estate.explanations()))
    told = page.text
    assert told.count("alex@contoso.example") >= len(plan.last_writes)
    assert "7d1c1f0e-3f64-4d4e-9d0c-0a4d4d1ad0b2" in told


def test_a_snapshot_is_found_with_the_vm_of_its_disk() -> None:
    from tests.browser import estate

    machine = estate.MACHINES[0]
    taken = snapshot(1, "20260302T0600Z", Action.CREATE, Reason.DUE)
    step = msgspec.structs.replace(taken.steps[0], lane=machine.disks[0].disk.upper())
    plan = Plan(created="2026-03-02T03:00:00Z", changes=(msgspec.structs.replace(taken, steps=(step,)),), machines=12)
    html = render_plan(plan, estate.explanations())
    assert f">why: {machine.name}</a>" in html


def test_a_large_estate_explains_those_of_which_there_is_something_to_tell() -> None:
    machines = [_machine(number) for number in range(MOST_MACHINES + 500)]
    changed = vm("vm-7", Action.UPDATE, Reason.DIFFERS)
    plan = Plan(created="2026-03-02T03:00:00Z", changes=(changed,), machines=len(machines))
    assert worth_explaining(plan, machines) == (machines[7],)
    assert worth_explaining(plan, machines[:50]) == tuple(machines[:50])
    every = tuple(vm(machine.name, Action.UPDATE, Reason.DIFFERS) for machine in machines)
    last = Change(address=every[-1].address, kind="protected_vm", action=Action.DELETE, reason=Reason.NOT_DECLARED,
                  consequences=_losing(), steps=(_step(every[-1].address),))  # fmt: skip
    crowded = msgspec.structs.replace(plan, changes=(*every[:-1], last))
    chosen = worth_explaining(crowded, machines)
    assert len(chosen) == MOST_MACHINES
    assert chosen[0] == machines[-1]
    few = tuple(Explanation(machine, (), (), ()) for machine in chosen[:3])
    assert "3 of 2,500 VMs are explained here" in render_plan(crowded, few)


def _machine(number: int) -> Machine:
    place = ArmId(f"/subscriptions/1/resourceGroups/rg-web/providers/Microsoft.Compute/virtualMachines/vm-{number}")
    return replace(
        Machine(place, "prod", "rg-web", f"vm-{number}", "westeurope"), disks=(Attachment(None, str(place)),)
    )


def _losing() -> tuple[object, ...]:
    from reconciler.plan.change import Consequence, Effect

    return (Consequence(effect=Effect.DELETES, text="deletes 3 recovery points"),)


def _step(address: str) -> Step:
    return Step(id=f"{address}#delete", kind="protected_vm", address=address, verb="delete", title="delete")


def test_the_engine_is_loaded_only_for_a_page() -> None:
    code = "import sys, reconciler.render.html; sys.exit('jinja2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
