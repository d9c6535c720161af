"""Drills, failovers and the way home against a running emulator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from reconciler.apply.events import ApplyProgress
from reconciler.apply.result import Status
from reconciler.errors import ExitCode, UsageError
from tests.operate.estate import GROUPS, MACHINES, account, estate, network, policies

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


async def test_a_drill_that_fails_in_azure_is_cleaned_up_all_the_same(operating: Operating) -> None:
    async with operating(estate()) as site:
        fault = {"method": "POST", "path": "*/web-01/testFailover", "operation": "fails", "count": 1}
        site.served.emulator.world.faults.add(fault)
        outcome = await site.act("drill", "web-01")
        assert verbs(outcome) == [
            ("test-failover", Status.FAILED),
            ("check-running", Status.SKIPPED),
            ("clean-up", Status.DONE),
        ]
        assert site.machines() == []


async def test_the_point_that_was_asked_for_is_sent(operating: Operating) -> None:
    async with operating(estate()) as site:
        plan = await site.plan("failover", "web-01", to="northeurope", point="2026-03-02T06:00:00Z")
        (step, _) = plan.steps()
        assert "/recoveryPoints/" in step.arguments["point"]
        told = {detail.name: detail.after for detail in plan.changes[0].details}
        assert told["recoveryPoint"].startswith("2026-03-02 05:")
        with pytest.raises(UsageError, match="takes no recovery point of its own choice"):
            await site.plan("failover", "rp-shop", to="northeurope", point="2026-03-02T06:00:00Z")
        plan = await site.plan("failover", "rp-shop", to="northeurope", point="latest-app-consistent")
        assert next(iter(plan.steps())).arguments["point"] == "LatestApplicationConsistent"


@pytest.mark.parametrize("text", ["web-01", "rg-app/WEB-01", "prod/rg-app/web-01", f"{GROUPS}/RG-APP/providers/x/y/z"])
async def test_a_vm_is_found_by_name_group_and_id(operating: Operating, text: str) -> None:
    machine = text.replace("x/y/z", "Microsoft.Compute/virtualMachines/web-01")
    async with operating(estate()) as site:
        assert (await site.plan("drill", machine)).changes[0].address == "replicated_vm.prod/rg-app/web-01"


async def test_what_is_not_there_is_told_with_what_is(operating: Operating) -> None:
    async with operating(estate()) as site:
        with pytest.raises(UsageError) as error:
            await site.plan("drill", "web-02")
        assert "prod/rg-app/web-01" in error.value.advice
        assert "prod/rg-dr/rsv-dr/rp-shop" in error.value.advice


async def test_what_could_not_be_read_is_not_said_to_be_undeclared(operating: Operating) -> None:
    async with operating(estate()) as site:
        site.served.emulator.world.faults.add({"method": "GET", "path": "*/replicationProtectedItems*", "status": 403})
        with pytest.raises(UsageError) as error:
            await site.plan("failover", "web-01", to="northeurope")
    assert "that could be read" in error.value.message
    assert "it may be there" in error.value.why
    assert "declare" not in error.value.advice
    assert error.value.advice


REFUSED: list[tuple[str, str, dict[str, Any], str, str]] = [
    ("Protected", "commit", {}, "ASR-50", "does not allow Commit of web-01 now"),
    ("Protected", "reprotect", {}, "ASR-50", "does not allow ReverseReplicate"),
    ("Protected", "failback", {}, "failback-direction", "not replicated back"),
    ("Protected", "failover", {"to": "westeurope"}, "failover-region", "it is replicated to northeurope"),
    ("TestFailover", "drill", {}, "ASR-50", "it allows TestFailoverCleanup"),
    ("TestFailover", "failover", {"to": "northeurope"}, "ASR-50", "does not allow UnplannedFailover"),
    ("FailedOver", "failover", {"to": "northeurope"}, "ASR-50", "does not allow UnplannedFailover"),
    ("FailedOver", "reprotect", {}, "ASR-54", "is not committed"),
    ("Committed", "commit", {}, "ASR-50", "does not allow Commit"),
    ("Committed", "reprotect", {}, "ASR-20", "no cache storage account in northeurope"),
    ("Protected", "drill", {"network": network("vnet-neu", "rg-dr")}, "ASR-52", "a production network"),
    ("Protected", "drill", {"network": network("vnet-weu", "RG-APP")}, "ASR-52", "a production network"),
    ("Protected", "drill", {"network": f"/{network('vnet-neu', 'rg-dr')}/"}, "ASR-52", "a production network"),
    ("Protected", "drill", {"network": network("vnet%2Dneu", "rg-dr")}, "ASR-52", "a production network"),
    ("Protected", "drill", {"network": "vnet-neu"}, "ASR-52", "is not the ARM id of a virtual network"),
    ("Protected", "drill", {"network": f" {network('vnet-neu', 'rg-dr')}"}, "ASR-52", "is not the ARM id"),
    ("Protected", "drill", {"network": f"{network('vnet-neu', 'rg-dr')}/subnets/app"}, "ASR-52", "is not the ARM id"),
    ("Protected", "drill", {"network": f"{network('vnet-neu', 'rg-dr')}?a=b"}, "ASR-52", "is not the ARM id"),
    ("Committed", "reprotect", {"account": "cacheneu"}, "ASR-20", "is not the ARM id of a storage account"),
]


@pytest.mark.parametrize(("state", "verb", "more", "code", "words"), REFUSED)
async def test_what_speaks_against_it_is_told_before_anything_is_sent(
    operating: Operating, state: str, verb: str, more: dict[str, Any], code: str, words: str
) -> None:
    async with operating(estate(state)) as site:
        plan = await site.plan(verb, "web-01", **more)
        assert [item for item in plan.errors if item.code == code and words in item.message], plan.errors
        assert not plan.applyable
        outcome = await site.act(verb, "web-01", **more)
        assert (outcome.result, site.posts()) == (None, {})


def mixed(*states: str) -> dict[str, Any]:
    """Its VMs in a state each: sql-01, app-01, web-01."""
    whole = estate()
    for machine, state in zip(whole["siteRecovery"][0]["machines"], states, strict=True):
        machine["state"] = state
    return whole


@pytest.mark.parametrize(
    ("states", "verb", "more", "advice"),
    [
        (
            ("Protected", "Protected", "FailedOver"),
            "failover",
            {"to": "northeurope"},
            "--to northeurope sql-01, reconciler failover --to northeurope app-01, reconciler commit web-01",
        ),
        (("Protected", "Protected", "FailedOver"), "commit", {}, "by itself: reconciler commit web-01"),
        (("Protected", "Protected", "Protected"), "commit", {}, "`reconciler status` tells what runs"),
        (
            ("Committed", "Committed", "FailedOver"),
            "drill",
            {},
            "reconciler reprotect sql-01, reconciler reprotect app",
        ),
        (("Committed", "Committed", "Committed"), "failover", {"to": "northeurope"}, "reconciler reprotect rp-shop"),
        (("FailedOver", "FailedOver", "FailedOver"), "drill", {}, "over already: reconciler commit rp-shop"),
        (
            ("TestFailover",) * 3,
            "failover",
            {"to": "northeurope"},
            "not cleaned up: reconciler drill --cleanup rp-shop",
        ),
    ],
)
async def test_from_half_way_it_is_told_how_to_go_on(
    operating: Operating, states: tuple[str, ...], verb: str, more: dict[str, Any], advice: str
) -> None:
    async with operating(mixed(*states)) as site:
        plan = await site.plan(verb, "rp-shop", **more)
    refused = next(item for item in plan.errors if item.code == "ASR-50")
    assert advice in refused.advice
    assert f"reconciler {verb} rp-shop" not in refused.advice
    assert plan.changes == ()


async def test_a_plan_that_is_turned_round_in_part_is_turned_round_for_the_rest(operating: Operating) -> None:
    """Cut off between two VMs, the same command goes on with the others."""
    cache = account("cacheneu", "rg-dr")
    async with operating(mixed("Committed", "Committed", "Committed")) as site:
        await site.act("reprotect", "web-01", account=cache)
        plan = await site.plan("reprotect", "rp-shop", account=cache)
        assert plan.errors == ()
        assert [change.address.rpartition("/")[2] for change in plan.changes] == ["sql-01", "app-01"]
        assert [item.message for item in plan.findings] == [
            "web-01 is not failed over: it is replicated to westeurope, and stays so"
        ]
        outcome = await site.act("reprotect", "rp-shop", account=cache)
        assert outcome.result.exit_code is ExitCode.OK
        again = await site.plan("reprotect", "rp-shop", account=cache)
        assert {item.code for item in again.errors} == {"ASR-50"}


async def test_how_old_the_data_is_is_that_of_the_point(operating: Operating) -> None:
    """Not that of the newest one, when another is chosen."""
    async with operating(estate()) as site:
        chosen = await site.plan("failover", "web-01", to="northeurope", point="2026-03-02T04:00:00Z")
        newest = await site.plan("failover", "web-01", to="northeurope")
        of_plan = await site.plan("failover", "rp-shop", to="northeurope", point="latest-app-consistent")
    ages = [
        [one.figures["rpo_seconds"] for one in plan.changes[0].consequences if one.figures] for plan in (chosen, newest)
    ]
    assert ages[0][0] >= 4 * 3600
    assert ages[1][0] < 3600
    assert not any(one.figures for one in of_plan.changes[0].consequences)


async def test_without_the_old_vm_replication_cannot_be_turned_round(operating: Operating) -> None:
    async with operating(estate("Committed")) as site:
        gone = f"{GROUPS}/rg-app/providers/Microsoft.Compute/virtualMachines/web-01"
        site.served.emulator.world.store.delete(gone)
        plan = await site.plan("reprotect", "web-01", account=account("cacheneu", "rg-dr"))
    assert [item.code for item in plan.errors] == ["ASR-54"]
    assert "failed over from is gone" in plan.errors[0].message


async def test_a_drill_needs_an_isolated_network(operating: Operating) -> None:
    documents = policies()
    next(one for one in documents if one["kind"] == "ReplicationRoute").pop("testNetwork")
    async with operating(estate(), documents) as site:
        plan = await site.plan("drill", "rp-shop")
        assert "its route has no testNetwork" in plan.errors[0].message
        named = await site.plan("drill", "rp-shop", network=network("vnet-test", "rg-dr"))
        assert named.errors == ()


async def test_a_network_that_replicated_vms_fail_over_to_is_no_place_for_a_drill(operating: Operating) -> None:
    """Also where no declared route names it."""
    documents = policies()
    route = next(one for one in documents if one["kind"] == "ReplicationRoute")
    route["networks"], route["testNetwork"] = [], network("vnet-neu", "rg-dr")
    async with operating(estate(), documents) as site:
        plan = await site.plan("drill", "web-01")
    assert [item.code for item in plan.errors] == ["ASR-52"]
    assert "a production network" in plan.errors[0].message


async def test_a_lost_answer_begins_no_second_drill(operating: Operating) -> None:
    async with operating(estate()) as site:
        fault = {"method": "POST", "path": "*/web-01/testFailover", "reset": "after", "count": 1}
        site.served.emulator.world.faults.add(fault)
        outcome = await site.act("drill", "web-01")
        assert outcome.result.exit_code is ExitCode.OK, [one.message for one in outcome.result.failed]
        assert site.posts()["web-01/testFailoverCleanup"] == 1
