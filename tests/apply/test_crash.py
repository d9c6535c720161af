"""kill -9 at any point: the next apply converges, and nothing is sent twice."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest

from reconciler.apply.journal import FINISHED


def estate(widget: Any) -> tuple[Any, ...]:
    return (
        widget("vault", lane="v", exclusive=True),
        widget("policy", after=("vault",), lane="v", exclusive=True, polls=0),
        widget("vm-1", level=2, after=("policy",), lane="v"),
        widget("vm-2", after=("policy",), lane="v", polls=3),
        widget("snapshot", polls=1),
    )


async def moments(shop: Any, widgets: tuple[Any, ...]) -> list[tuple[bytes, Any]]:
    """One undisturbed run: what the journal and the cloud held whenever either could differ from before."""
    seen: list[tuple[bytes, Any]] = []

    def witness() -> None:
        (path,) = shop.folder.glob("*.jsonl")
        seen.append((path.read_bytes(), shop.cloud.copy()))

    shop.cloud.witness = witness
    result = await shop.apply(widgets)
    assert len(result.done) == len(result.endings) == 6
    (path,) = (shop.folder / FINISHED).glob("*.jsonl")
    seen.append((path.read_bytes(), shop.cloud.copy()))
    return seen


def crashes(seen: list[tuple[bytes, Any]]) -> list[tuple[bytes, Any]]:
    """Every state that a kill can leave: between two moments the journal grows byte by byte, the cloud stays.

    Inside a line one byte is like another, so of each line its first, a middle, and its last two bytes stand for all.
    """
    states = [seen[0]]
    for (before, cloud), (after, _) in itertools.pairwise(seen):
        assert after.startswith(before)
        start = len(before)
        for line in after[start:].splitlines(keepends=True):
            states += [(after[: start + cut], cloud) for cut in (1, len(line) // 2, len(line) - 1, len(line))]
            start += len(line)
        states.append((after, cloud))
    return states


@pytest.mark.parametrize("meanwhile", ["nothing", "operations end"])
async def test_a_killed_run_is_taken_up_and_nothing_is_sent_twice(
    shop: Any, new_shop: Any, widget: Any, tmp_path: Path, meanwhile: str
) -> None:
    widgets = estate(widget)
    states = crashes(await moments(shop, widgets))
    assert len(states) > 80
    for number, (journal, cloud) in enumerate(states):
        folder = tmp_path / f"crash-{number}"
        folder.mkdir()
        (folder / "20260301T075959Z-r0.jsonl").write_bytes(journal)
        survivor = new_shop(folder, cloud.copy())
        if meanwhile == "operations end":
            survivor.cloud.settle()
        result = await survivor.apply(widgets)
        told = f"state {number}, journal ends {journal[-60:]!r}"
        assert not (len(result.endings) - len(result.done)), told
        assert survivor.cloud.levels == {item.address: item.level for item in widgets}, told
        assert set(survivor.cloud.sent.values()) == {1}, f"{told}: {survivor.cloud.sent}"
        assert survivor.open_ids() == [], told


async def test_a_run_killed_while_it_takes_up_another_is_taken_up_in_turn(
    shop: Any, new_shop: Any, widget: Any, tmp_path: Path
) -> None:
    """The second run dies, too, at every point of its resuming; the third converges."""
    widgets = estate(widget)
    states = crashes(await moments(shop, widgets))
    journal, cloud = next(state for state in states if len([w for w in state[1].works.values() if not w.ended]) > 1)
    first = tmp_path / "first"
    first.mkdir()
    left = first / "20260301T075959Z-r0.jsonl"
    left.write_bytes(journal)
    second = new_shop(first, cloud.copy())
    seen: list[tuple[bytes, Any]] = [(journal, cloud)]
    second.cloud.witness = lambda: seen.append((left.read_bytes(), second.cloud.copy()))
    await second.resume()
    assert len(seen) > 4
    for number, (bytes_, state) in enumerate(seen):
        folder = tmp_path / f"third-{number}"
        folder.mkdir()
        (folder / left.name).write_bytes(bytes_)
        third = new_shop(folder, state.copy())
        result = await third.apply(widgets)
        assert len(result.done) == len(result.endings)
        assert third.cloud.levels == {item.address: item.level for item in widgets}
        assert set(third.cloud.sent.values()) == {1}
