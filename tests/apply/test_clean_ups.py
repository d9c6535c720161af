"""Steps that take back what was begun, after failures, Ctrl-C and kill; and long ones that are not waited for."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from reconciler.apply import events
from reconciler.apply.result import Ending, Status
from reconciler.apply.resume import Resumed
from reconciler.apply.run import Stop
from reconciler.cli.happenings import recap
from reconciler.errors import DeniedError, ExitCode, FailedError, UnreachableError

DRILL, CHECK, CLEANED = "widget.shop/drill#to1", "widget.shop/check#to1", "widget.shop/cleaned#to1"


@pytest.fixture
def drill(widget: Any) -> Any:
    """Begun, checked, and taken back."""

    def make(**of_drill: Any) -> tuple[Any, ...]:
        check = of_drill.pop("check", {})
        return (
            widget("drill", **of_drill),
            widget("check", after=("drill",), polls=0, **check),
            widget("cleaned", after=("drill", "check"), always=True, undoes="drill"),
        )

    return make


def statuses(result: Any) -> list[Status]:
    return [ending.status for ending in result.endings]


async def turns() -> None:
    for _ in range(50):
        await asyncio.sleep(0)


async def test_what_was_begun_is_taken_back_when_all_is_done(shop: Any, drill: Any) -> None:
    result = await shop.apply(drill())
    assert result.exit_code is ExitCode.OK
    done = [event.step for event in shop.events if isinstance(event, events.ApplyComplete)]
    assert done == [DRILL, CHECK, CLEANED]
    assert shop.open_ids() == []


async def test_after_a_failed_check(shop: Any, drill: Any) -> None:
    shop.cloud.forgets.add("widget.shop/check")
    result = await shop.apply(drill())
    assert statuses(result) == [Status.DONE, Status.FAILED, Status.DONE]
    assert result.exit_code is ExitCode.INCOMPLETE


async def test_after_it_failed_itself_on_the_way(shop: Any, drill: Any) -> None:
    """What Azure accepted may have left something behind."""
    result = await shop.apply(drill(error="Broken"))
    assert statuses(result) == [Status.FAILED, Status.SKIPPED, Status.DONE]


async def test_what_azure_refused_is_not_taken_back(shop: Any, drill: Any) -> None:
    """There is nothing of it, and what is there is somebody else's."""
    shop.cloud.faults[DRILL] = [DeniedError("no")]
    result = await shop.apply(drill())
    assert statuses(result) == [Status.FAILED, Status.SKIPPED, Status.SKIPPED]
    assert result.endings[2].message == "Raise drill to 1 was not begun"
    assert (shop.open_ids(), result.exit_code) == ([], ExitCode.ERROR)


async def test_what_was_skipped_is_not_taken_back(shop: Any, widget: Any) -> None:
    widgets = (
        widget("vault", error="Broken"),
        widget("drill", after=("vault",)),
        widget("cleaned", after=("drill",), always=True, undoes="drill"),
    )
    result = await shop.apply(widgets)
    assert statuses(result) == [Status.FAILED, Status.SKIPPED, Status.SKIPPED]
    assert shop.open_ids() == []


async def test_after_an_answer_that_never_came(shop: Any, drill: Any) -> None:
    shop.cloud.faults[DRILL] = [UnreachableError("reset")] * 4
    result = await shop.apply(drill())
    assert statuses(result) == [Status.OPEN, Status.SKIPPED, Status.DONE]


async def test_after_ctrl_c_it_is_taken_back_and_nothing_else_is_begun(shop: Any, drill: Any, widget: Any) -> None:
    shop.cloud.gates[DRILL] = asyncio.Event()
    running = asyncio.ensure_future(shop.apply((*drill(), widget("other", after=("check",)))))
    await turns()
    shop.stop.request()
    await turns()
    shop.cloud.gates[DRILL].set()
    result = await running
    assert statuses(result) == [Status.DONE, Status.NOT_TRIED, Status.DONE, Status.NOT_TRIED]
    assert shop.open_ids() == []


async def test_ctrl_c_twice_leaves_it_to_the_next_run(shop: Any, drill: Any) -> None:
    shop.cloud.gates[DRILL] = asyncio.Event()
    running = asyncio.ensure_future(shop.apply(drill()))
    await turns()
    shop.stop.request()
    shop.stop.request()
    result = await running
    assert statuses(result) == [Status.OPEN, Status.SKIPPED, Status.NOT_TRIED]
    assert shop.open_ids() == [CLEANED, DRILL]

    shop.stop, shop.cloud.gates = Stop(), {}
    await shop.apply(())
    assert shop.cloud.sent[CLEANED] == 0, "there is no trace of the drill: it was never received"
    assert shop.open_ids() == []


async def test_a_check_that_hangs_is_broken_off_by_ctrl_c(shop: Any, drill: Any) -> None:
    """What was begun is not kept for as long as it likes to hang."""
    shop.cloud.gates[CHECK] = asyncio.Event()
    running = asyncio.ensure_future(shop.apply(drill()))
    await turns()
    assert shop.cloud.sent[DRILL] == 1
    shop.stop.request()
    result = await running
    assert statuses(result) == [Status.DONE, Status.SKIPPED, Status.DONE]
    assert shop.open_ids() == []


async def test_a_check_that_was_cut_off_is_not_made_again(shop: Any, drill: Any) -> None:
    """It was a person's own command: the next run, somebody else's, takes back what it was made of."""
    shop.cloud.gates[CHECK] = asyncio.Event()
    running = asyncio.ensure_future(shop.apply(drill()))
    await turns()
    running.cancel()
    await asyncio.wait([running])
    assert shop.open_ids() == [CLEANED, CHECK]
    shop.cloud.levels["widget.shop/check"] = 1  # made again, it would succeed
    again = await shop.resume()
    assert [(ending.step.id, ending.status) for ending in again.endings] == [
        (CHECK, Status.NOT_TRIED),
        (CLEANED, Status.DONE),
    ]
    assert shop.open_ids() == []


async def test_what_is_owed_is_told(shop: Any, drill: Any) -> None:
    shop.cloud.faults[CLEANED] = [FailedError("busy")]
    result = await shop.apply(drill())
    assert [ending.step.id for ending in result.owed] == [CLEANED]
    assert any("Owed: Raise cleaned to 1." in line for line in recap([], result, "drill"))


async def test_killed_at_any_moment_the_next_run_takes_back_what_was_begun(
    shop: Any, drill: Any, plan: Any, new_shop: Any
) -> None:
    """The journal as it was at any moment is enough."""
    seen: list[tuple[dict[str, bytes], Any]] = []

    def witness() -> None:
        seen.append(({path.name: path.read_bytes() for path in shop.folder.glob("*.jsonl")}, shop.cloud.copy()))

    shop.cloud.witness = witness
    await shop.execute(plan(drill(), {}))
    found = set()
    for number, (files, cloud) in enumerate(seen):
        later = new_shop(shop.folder.parent / f"later-{number}", cloud)
        later.folder.mkdir()
        for name, body in files.items():
            (later.folder / name).write_bytes(body)
        await later.resume()
        assert later.open_ids() == []
        found.add((cloud.sent[DRILL], bool(cloud.levels.get("widget.shop/cleaned"))))
    assert found == {(0, False), (1, True)}, "taken back exactly where it had been begun"


async def test_a_clean_up_that_failed_is_tried_again_by_the_next_run(shop: Any, drill: Any) -> None:
    shop.cloud.faults[CLEANED] = [FailedError("busy")] * 2
    result = await shop.apply(drill())
    assert statuses(result) == [Status.DONE, Status.DONE, Status.FAILED]
    assert shop.open_ids() == [CLEANED]
    again = await shop.resume()
    assert [ending.status for ending in again.endings] == [Status.FAILED]
    last = await shop.resume()
    assert ([ending.status for ending in last.endings], shop.open_ids()) == ([Status.DONE], [])


async def test_what_goes_on_excuses_nothing_else(shop: Any, widget: Any) -> None:
    """A step that failed, and one of which Azure was not heard again, are as bad as ever."""
    shop.waits = False
    copied = widget("copied", polls=9, long=True)
    result = await shop.apply((copied, widget("broken", error="Broken"), widget("next", after=("copied", "broken"))))
    assert statuses(result)[:2] == [Status.GOES_ON, Status.FAILED]
    assert not result.done
    assert result.exit_code is ExitCode.INCOMPLETE
    shop.cloud.faults["widget.shop/lost#to1"] = [UnreachableError("no answer")] * 4
    result = await shop.apply((copied, widget("lost"), widget("after", after=("lost",))))
    assert statuses(result) == [Status.WAITING, Status.OPEN, Status.SKIPPED]
    assert result.exit_code is ExitCode.INCOMPLETE


async def test_of_two_that_are_left_at_one_address_the_one_in_doubt_counts(shop: Any, widget: Any, plan: Any) -> None:
    (step,) = plan((widget("vm"),), {}).steps()
    resumed = Resumed((Ending(step, Status.OPEN, "no answer"), Ending(step, Status.GOES_ON, "it works")))
    assert resumed.held == {"widget.shop/vm": resumed.endings[0]}
    assert statuses(await shop.execute(plan((widget("vm"),), {}), resumed.held)) == [Status.SKIPPED]


async def test_long_steps_are_left_once_accepted_and_taken_up_by_the_next_run(shop: Any, widget: Any) -> None:
    shop.waits = False
    widgets = (widget("vault"), widget("vm", after=("vault",), polls=9, long=True), widget("then", after=("vm",)))
    result = await shop.apply(widgets)
    assert statuses(result) == [Status.DONE, Status.GOES_ON, Status.WAITING]
    assert "asked not to wait" in result.going_on[0].message
    assert result.exit_code is ExitCode.OK
    assert shop.open_ids() == ["widget.shop/vm#to1"]
    shop.cloud.works[next(iter(shop.cloud.works))].polls = 9
    result = await shop.apply(widgets)
    assert statuses(result) == [Status.WAITING, Status.WAITING], "what the run before has left still goes on"
    assert result.exit_code is ExitCode.OK
    shop.waits = True
    result = await shop.apply(widgets)
    assert result.exit_code is ExitCode.OK
    assert shop.cloud.sent["widget.shop/vm#to1"] == 1
