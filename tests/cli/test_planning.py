"""What a command hands to the event loop at its end is short in words: asyncio spells it out."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from reconciler.cli.planning import Planned
from reconciler.cli.policies import read_policies
from reconciler.desired.expand import expand
from reconciler.kinds.base import Situation
from reconciler.kinds.registry import kinds
from reconciler.model.arm_id import ArmId
from reconciler.model.live import Live
from reconciler.model.machine import Machine
from reconciler.plan.plan import Plan
from reconciler.workflow import Picture

POLICIES = Path(__file__).parents[2] / "policies"


def test_the_result_of_a_plan_does_not_spell_out_the_estate() -> None:
    now = datetime(2026, 3, 2, tzinfo=UTC)
    _, declared = read_policies([POLICIES], now.date())
    vms = tuple(
        Machine(ArmId(f"/subscriptions/1/virtualMachines/vm-{n}"), "prod", "rg", f"vm-{n}", "uksouth")
        for n in range(50)
    )
    live = Live({}, vms)
    desired = expand(declared, live, kinds(), now)
    picture = Picture(declared, Situation(declared, desired.state, live, now), desired)
    assert len(repr(Planned(Plan(created="2026-03-02T00:00:00Z"), picture))) < 200
