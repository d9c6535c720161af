"""What a person reads before saying yes, and after."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from reconciler.diff.engine import compare
from reconciler.kinds.base import Situation
from reconciler.kinds.registry import by_name
from reconciler.model.document import Declared
from reconciler.model.live import Live
from reconciler.model.restore_request import DiskRequest, MachineRequest, RestoreRequest
from reconciler.plan.plan import Plan
from reconciler.render.text import render_plan
from reconciler.restore.disk import wish_for_disk
from reconciler.restore.next_steps import next_steps
from reconciler.restore.wish import Wish
from tests.restore.conftest import NOW
from tests.restore.test_choice import snapshot
from tests.restore.test_wish import DISK, PARTS, REQUEST, live, surroundings, wish_for

GOLDEN = Path(__file__).parents[1] / "golden"
REFUSED = MachineRequest(machine="app-01", slot="latest", name="back-", subnet="vnet-app/nope", size="Standard_D8s_v5")


def plan_of(wish: Wish, declared: Declared) -> Plan:
    """The plan on an Azure where all names are free."""
    situation = Situation(declared, {item.address: item for item in wish.resources}, Live({}), NOW)
    plan = compare(situation, by_name().values(), wish.findings)
    return msgspec.structs.replace(plan, restore=wish.request)


@pytest.mark.parametrize(
    ("name", "request_"),
    [
        ("restore-disk.txt", DiskRequest(snapshot="app-01-0-02T06", name="data-back", sku="PremiumV2_LRS")),
        ("restore-vm.txt", REQUEST),
        ("restore-refused.txt", REFUSED),
    ],
)
def test_the_plan_and_what_comes_after(name: str, request_: RestoreRequest, declared: Declared) -> None:
    seen = live(PARTS[0], snapshot("0", disk_id=DISK))
    wish = (
        wish_for_disk(request_, declared, seen)
        if isinstance(request_, DiskRequest)
        else wish_for(request_, seen, surroundings(), declared)
    )
    plan = plan_of(wish, declared)
    after = next_steps(plan) if plan.applyable else ()
    text = "\n".join((render_plan(plan), "", *after)).rstrip("\n") + "\n"
    if os.environ.get("UPDATE_GOLDEN"):
        (GOLDEN / name).write_text(text, encoding="utf-8")
    assert (GOLDEN / name).read_text(encoding="utf-8") == text, f"{name} is not as it was: make golden, and look"


def test_a_restore_that_is_done_says_so(declared: Declared) -> None:
    wish = wish_for(REQUEST, live(*PARTS), surroundings(), declared)
    done = Plan(created="2026-03-02T08:00:00Z", restore=wish.request, unchanged=4)
    assert render_plan(done) == "Nothing to do: what was to be made is there already, made of the same."
    assert next_steps(done) == ()
    assert next_steps(Plan(created="")) == ()
