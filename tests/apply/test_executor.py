from __future__ import annotations

import asyncio
import itertools
from datetime import timedelta
from typing import Any

import pytest

from reconciler.apply import events
from reconciler.apply.journal import FINISHED
from reconciler.apply.lanes import Bounds
from reconciler.apply.result import Ending, Status
from reconciler.apply.run import Stop
from reconciler.errors import (
    ConflictError,
    DeniedError,
    DoubtfulError,
    ExitCode,
    FailedError,
    GuardedError,
    JournalError,
    PlanGraphError,
    ReconcilerError,
    ThrottledError,
    UnreachableError,
)


def statuses(result: Any) -> dict[str, Status]:
    return {ending.step.id.removeprefix("widget.shop/"): ending.status for ending in result.endings}


def names(shop: Any, kind: type[events.Event]) -> list[str]:
    return [event.step.removeprefix("widget.shop/") for event in shop.events if isinstance(event, kind)]


async def turns(count: int = 50) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_everything_is_done_in_the_order_of_need(shop: Any, widget: Any) -> None:
    result = await shop.apply(
        (widget("vm", level=2, after=("policy",)), widget("policy", after=("vault",)), widget("vault"))
    )
    assert names(shop, events.ApplyComplete) == ["vault#to1", "policy#to1", "vm#to1", "vm#to2"]
    assert result.exit_code is ExitCode.OK
    assert shop.open_ids() == []
    assert [path.parent.name for path in shop.folder.rglob("*.jsonl")] == [FINISHED]


async def test_applied_again_there_is_nothing_left_to_send(shop: Any, widget: Any) -> None:
    widgets = (widget("vault"), widget("vm", level=3, after=("vault",)))
    await shop.apply(widgets)
    sent = dict(shop.cloud.sent)
    result = await shop.apply(widgets)
    assert (result.endings, result.exit_code, dict(shop.cloud.sent)) == ((), ExitCode.OK, sent)


async def test_a_failure_stops_only_what_depends_on_it(shop: Any, widget: Any) -> None:
    widgets = (
        widget("vault", error="BMSUserErrorBroken"),
        widget("policy", after=("vault",)),
        widget("vm", after=("policy",)),
        widget("other"),
    )
    result = await shop.apply(widgets)
    assert statuses(result) == {
        "vault#to1": Status.FAILED,
        "policy#to1": Status.SKIPPED,
        "vm#to1": Status.SKIPPED,
        "other#to1": Status.DONE,
    }
    assert {ending.because for ending in result.skipped} == {"widget.shop/vault#to1"}, "the culprit, not the messenger"
    assert {ending.message for ending in result.skipped} == {"because widget.shop/vault: Raise vault to 1 failed"}
    assert result.exit_code is ExitCode.INCOMPLETE
    assert shop.events[-1].text == "Apply incomplete: 1 done, 1 failed, 2 skipped (4 s)."
    assert "BMSUserErrorBroken: it broke" in next(e.why for e in shop.events if isinstance(e, events.ApplyErrored))
    assert shop.open_ids() == []


async def test_nothing_done_at_all_is_an_error(shop: Any, widget: Any) -> None:
    result = await shop.apply((widget("vault", error="Broken"), widget("vm", after=("vault",))))
    assert result.exit_code is ExitCode.ERROR


async def test_what_reads_back_otherwise_has_failed(shop: Any, widget: Any) -> None:
    shop.cloud.forgets.add("widget.shop/vm")
    result = await shop.apply((widget("vm", polls=0),))
    (ending,) = result.failed
    assert ending.message == "widget.shop/vm: level is 0, not 1"


async def test_a_guarded_step_waits_for_approval_and_is_sent_once(shop: Any, widget: Any) -> None:
    shop.cloud.faults["widget.shop/vm#to1"] = [GuardedError("held back", advice="ask")] * 3
    result = await shop.apply((widget("vm"), widget("dependant", after=("vm",)), widget("other")))
    assert statuses(result) == {
        "vm#to1": Status.NEEDS_APPROVAL,
        "dependant#to1": Status.SKIPPED,
        "other#to1": Status.DONE,
    }
    assert len(shop.cloud.faults["widget.shop/vm#to1"]) == 2, "one write, no second"
    assert result.exit_code is ExitCode.INCOMPLETE
    assert result.skipped[0].message.endswith("waits for approval")
    assert shop.open_ids() == []


@pytest.mark.parametrize(
    "error",
    [
        DeniedError("no"),
        ThrottledError("slower"),
        ConflictError("busy"),
        FailedError("refused", code="BadRequest"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_a_refused_write_has_failed_and_is_not_left_open(shop: Any, widget: Any, error: ReconcilerError) -> None:
    shop.cloud.faults["widget.shop/vm#to1"] = [error]
    result = await shop.apply((widget("vm"),))
    assert statuses(result) == {"vm#to1": Status.FAILED}
    assert shop.open_ids() == []


@pytest.mark.parametrize("error", [UnreachableError("reset"), FailedError("HTTP 504")], ids=["reset", "504"])
async def test_a_lost_answer_is_found_again_and_waited_for(shop: Any, widget: Any, error: ReconcilerError) -> None:
    shop.cloud.faults["widget.shop/vm#to1"] = [error]
    shop.cloud.lost.add("widget.shop/vm#to1")
    result = await shop.apply((widget("vm"),))
    assert statuses(result) == {"vm#to1": Status.DONE}
    assert shop.cloud.sent["widget.shop/vm#to1"] == 1


@pytest.mark.parametrize("error", [UnreachableError("reset"), DoubtfulError("HTTP 502")], ids=["reset", "502"])
async def test_a_write_of_which_nothing_is_seen_is_sent_again(shop: Any, widget: Any, error: ReconcilerError) -> None:
    shop.cloud.faults["widget.shop/vm#to1"] = [error, error, ConflictError("busy")]
    result = await shop.apply((widget("vm"),))
    assert statuses(result) == {"vm#to1": Status.DONE}
    assert shop.cloud.faults["widget.shop/vm#to1"] == []
    assert shop.cloud.sent["widget.shop/vm#to1"] == 1


async def test_a_server_that_never_recovers_is_a_failure(shop: Any, widget: Any) -> None:
    shop.cloud.faults["widget.shop/vm#to1"] = [DoubtfulError("HTTP 500")] * 9
    result = await shop.apply((widget("vm"),))
    assert statuses(result) == {"vm#to1": Status.FAILED}
    assert len(shop.cloud.faults["widget.shop/vm#to1"]) == 5, "four tries, no more"


async def test_no_answer_and_nothing_running_stays_in_doubt_until_the_next_apply(shop: Any, widget: Any) -> None:
    shop.cloud.faults["widget.shop/vm#to1"] = [UnreachableError("no answer")] * 4
    first = await shop.apply((widget("vm"), widget("next", after=("vm",))))
    assert statuses(first) == {"vm#to1": Status.OPEN, "next#to1": Status.SKIPPED}
    assert shop.open_ids() == ["widget.shop/vm#to1"]
    second = await shop.apply((widget("vm"), widget("next", after=("vm",))))
    assert statuses(second) == {"vm#to1": Status.DONE, "next#to1": Status.DONE}
    assert shop.open_ids() == []


async def test_an_operation_that_takes_too_long_is_left_open_and_never_started_again(shop: Any, widget: Any) -> None:
    shop.limit = timedelta(seconds=10)
    widgets = (widget("vm", polls=20), widget("next", after=("vm",)))
    first = await shop.apply(widgets)
    assert statuses(first) == {"vm#to1": Status.OPEN, "next#to1": Status.SKIPPED}
    second = await shop.apply(widgets)
    assert statuses(second) == {"vm#to1": Status.SKIPPED, "next#to1": Status.SKIPPED}
    assert "has not ended within" in second.skipped[0].message
    shop.limit = timedelta(hours=1)
    third = await shop.apply(widgets)
    assert statuses(third) == {"next#to1": Status.DONE}
    assert shop.cloud.sent == {"widget.shop/vm#to1": 1, "widget.shop/next#to1": 1}


async def test_a_poll_that_is_denied_does_not_end_the_operation(shop: Any, widget: Any) -> None:
    shop.cloud.poll_errors = [DeniedError("the token expired")]
    assert statuses(await shop.apply((widget("vm"),))) == {"vm#to1": Status.OPEN}
    shop.cloud.poll_errors = [DeniedError("still")]
    assert statuses(await shop.apply((widget("vm"),))) == {"vm#to1": Status.SKIPPED}
    await shop.apply((widget("vm"),))
    assert shop.cloud.levels == {"widget.shop/vm": 1}
    assert shop.cloud.sent["widget.shop/vm#to1"] == 1


async def test_progress_tells_how_long_in_azures_words_and_not_more_than_every_ten_seconds(
    shop: Any, widget: Any
) -> None:
    await shop.apply((widget("vm", polls=9),))
    polls = [event for event in shop.events if isinstance(event, events.ApplyProgress)]
    assert {poll.status for poll in polls} == {"InProgress"}
    moments = [poll.elapsed_seconds for poll in polls]
    assert len(moments) > 2
    assert all(later - earlier >= 10 for earlier, later in itertools.pairwise(moments))


class TestBounds:
    async def test_no_more_than_overall_run_at_once(self, shop: Any, widget: Any) -> None:
        shop.bounds = Bounds(overall=3)
        await shop.apply(tuple(widget(f"vm-{number}") for number in range(12)))
        assert busiest(shop) == 3

    async def test_no_more_than_five_share_a_vault(self, shop: Any, widget: Any) -> None:
        await shop.apply(tuple(widget(f"vm-{number}", lane="vault") for number in range(12)))
        assert busiest(shop) == 5

    async def test_an_exclusive_step_has_its_vault_alone_and_leaves_others_alone(self, shop: Any, widget: Any) -> None:
        widgets = (
            *(widget(f"vm-{number}", lane="vault") for number in range(3)),
            widget("settings", lane="vault", exclusive=True),
            *(widget(f"late-{number}", lane="vault") for number in range(3)),
            widget("elsewhere", lane="other", polls=9),
        )
        await shop.apply(widgets)
        running: set[str] = set()
        beside: set[str] = set()
        for event in shop.events:
            if isinstance(event, events.ApplyStart):
                running.add(event.address)
            elif isinstance(event, events.ApplyComplete):
                running.discard(event.address)
            if "widget.shop/settings" in running:
                beside |= running
        assert beside == {"widget.shop/settings", "widget.shop/elsewhere"}


def busiest(shop: Any) -> int:
    running = most = 0
    for event in shop.events:
        running += isinstance(event, events.ApplyStart) - isinstance(event, events.ApplyComplete)
        most = max(most, running)
    return most


class TestStop:
    async def test_once_waits_for_what_runs_and_starts_nothing(self, shop: Any, widget: Any) -> None:
        gate = shop.cloud.gates["widget.shop/first#to1"] = asyncio.Event()
        widgets = (widget("first"), widget("second", after=("first",)))
        apply = asyncio.ensure_future(shop.apply(widgets))
        await turns()
        shop.stop.request()
        await turns()
        assert not apply.done()
        gate.set()
        result = await apply
        assert statuses(result) == {"first#to1": Status.DONE, "second#to1": Status.NOT_TRIED}
        assert (result.stopped, result.exit_code) == (True, ExitCode.INCOMPLETE)
        (said,) = [event for event in shop.events if isinstance(event, events.Stopping)]
        assert said.text == "Stopping: nothing new is started, waiting for 1 running step. Once more to stop waiting."
        assert shop.open_ids() == []

    async def test_twice_gives_up_waiting_and_the_journal_keeps_it(self, shop: Any, widget: Any) -> None:
        shop.cloud.gates["widget.shop/first#to1"] = asyncio.Event()
        widgets = (widget("first"), widget("second", after=("first",)), widget("third"))
        apply = asyncio.ensure_future(shop.apply(widgets))
        await turns()
        shop.stop.request()
        shop.stop.request()
        result = await apply
        assert statuses(result) == {"first#to1": Status.OPEN, "second#to1": Status.SKIPPED, "third#to1": Status.DONE}
        assert shop.open_ids() == ["widget.shop/first#to1"]

    async def test_while_taking_up_an_earlier_run_leaves_it_open(self, shop: Any, widget: Any) -> None:
        shop.limit = timedelta(seconds=1)
        await shop.apply((widget("vm", polls=10**6),))
        shop.limit = timedelta(days=10_000)
        taking_up = asyncio.ensure_future(shop.resume())
        await turns()
        shop.stop.request()
        resumed = await taking_up
        assert list(resumed.held) == ["widget.shop/vm"]
        assert shop.open_ids() == ["widget.shop/vm#to1"]

    async def test_a_cancelled_run_cancels_its_steps(self, shop: Any, widget: Any) -> None:
        shop.cloud.gates["widget.shop/vm#to1"] = asyncio.Event()
        apply = asyncio.ensure_future(shop.apply((widget("vm"),)))
        await turns()
        apply.cancel()
        with pytest.raises(asyncio.CancelledError):
            await apply
        assert shop.open_ids() == ["widget.shop/vm#to1"]
        assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []


async def test_a_journal_that_cannot_be_written_stops_the_run_before_the_next_write(
    shop: Any, widget: Any, plan: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is full from the third line on: what runs is waited for, what was not noted is not sent."""
    import errno
    import os

    real, calls = os.fsync, []

    def full(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) > 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(descriptor)

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(JournalError, match="No space left"):
        await shop.execute(plan((widget("a"), widget("b"), widget("c")), {}))
    assert shop.cloud.sent == {"widget.shop/a#to1": 1}
    monkeypatch.undo()
    shop.stop = Stop()
    result = await shop.apply((widget("a"), widget("b"), widget("c")))
    assert result.exit_code is ExitCode.OK
    assert set(shop.cloud.sent.values()) == {1}


async def test_a_circle_is_refused_before_anything_is_sent(shop: Any, widget: Any) -> None:
    with pytest.raises(PlanGraphError):
        await shop.apply((widget("a", after=("b",)), widget("b", after=("a",))))
    assert not shop.cloud.sent


async def test_held_addresses_are_skipped_with_what_depends_on_them(shop: Any, widget: Any, plan: Any) -> None:
    widgets = (widget("a", level=2), widget("b", after=("a",)), widget("c"))
    step = next(plan(widgets, {}).steps())
    result = await shop.execute(plan(widgets, {}), {"Widget.shop/A": Ending(step, Status.OPEN, "it still runs")})
    assert statuses(result) == {
        "a#to1": Status.SKIPPED,
        "a#to2": Status.SKIPPED,
        "b#to1": Status.SKIPPED,
        "c#to1": Status.DONE,
    }


async def test_a_step_of_a_kind_that_this_version_lacks_says_which_version_to_use(shop: Any, widget: Any) -> None:
    shop.cloud.faults["widget.shop/vm#to1"] = [UnreachableError("no answer")] * 4
    await shop.apply((widget("vm"),))
    (path,) = shop.folder.glob("*.jsonl")
    path.write_bytes(path.read_bytes().replace(b'"kind":"widget"', b'"kind":"gadget"'))
    with pytest.raises(JournalError, match="no resource kind 'gadget'"):
        await shop.resume()
