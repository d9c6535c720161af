"""Drills, failovers and the way home against a running emulator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from reconciler.apply.events import ApplyProgress
from reconciler.apply.result import Status
from reconciler.errors import ExitCode
from tests.operate.estate import MACHINES, account, estate

Operating = Callable[..., Any]
TESTS = sorted(f"{name}-test" for name in MACHINES)


def verbs(outcome: Any) -> list[tuple[str, Status]]:
    return [(ending.step.verb, ending.status) for ending in outcome.result.endings]


async def test_a_drill_of_a_vm_is_checked_and_cleaned_up(operating: Operating) -> None:
    seen: list[list[str]] = []
    async with operating(estate()) as site:
        site.witness = lambda _: seen.append(site.machines())
        check = 'test "$RECONCILER_VM $RECONCILER_TEST_ADDRESS" = "web-01 10.3.0.4"'
        outcome = await site.act("drill", "web-01", check=check)
        assert outcome.result.exit_code is ExitCode.OK, [one.message for one in outcome.result.failed]
        assert site.machines() == []
        assert site.posts() == {"web-01/testFailover": 1, "web-01/testFailoverCleanup": 1}
    assert ["web-01-test"] in seen
    told = {event.status for event in site.events if isinstance(event, ApplyProgress)}
    assert any(text.startswith("task 1 of 4: ") for text in told), told


async def test_a_drill_of_a_plan(operating: Operating) -> None:
    async with operating(estate()) as site:
        plan = await site.plan("drill", "rp-shop")
        assert [step.verb for step in plan.steps()] == ["test-failover", *["check-running"] * 3, "clean-up"]
        outcome = await site.act("drill", "rp-shop")
        assert outcome.result.exit_code is ExitCode.OK, [one.message for one in outcome.result.failed]
        assert site.posts() == {"rp-shop/testFailover": 1, "rp-shop/testFailoverCleanup": 1}


async def test_over_commit_and_home_again(operating: Operating) -> None:
    async with operating(estate()) as site:
        for verb, more in (
            ("failover", {"to": "northeurope", "shutdown": True}),
            ("commit", {}),
            ("reprotect", {"account": account("cacheneu", "rg-dr")}),
            ("failback", {"shutdown": True}),
            ("commit", {}),
            ("reprotect", {}),
        ):
            plan = await site.plan(verb, "rp-shop", **more)
            assert plan.errors == (), (verb, plan.errors)
            outcome = await site.act(verb, "rp-shop", **more)
            assert outcome.result.exit_code is ExitCode.OK, (verb, [one.message for one in outcome.result.failed])
        assert site.machines("rg-app") == sorted(MACHINES)
