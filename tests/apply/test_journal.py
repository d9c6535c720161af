from __future__ import annotations

import os
import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from reconciler.apply.journal import FINISHED, KEPT, Journal, begun, open_steps
from reconciler.apply.journal_lines import Ended, Header
from reconciler.azure.operations import Operation
from reconciler.errors import JournalError
from reconciler.plan.change import Step

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
CLOUD = "https://management.azure.com"


def header(run: str = "r1", endpoint: str = CLOUD, plan: str = "digest") -> Header:
    return Header(
        at=NOW, run=run, plan=plan, policies="p", endpoint=endpoint, pid=7, host="build-3", reconciler="0.1.0"
    )


def step(name: str = "vm") -> Step:
    return Step(
        id=f"widget.prod/{name}#raise",
        kind="widget",
        address=f"widget.prod/{name}",
        verb="raise",
        title=f"Raise {name}",
        arguments={"level": 2, "disks": {"only": [0, 1]}, "note": "käse\u2028"},
        after=("x#y",),
    )


OPERATION = Operation(url="https://management.azure.com/op/1?t=1&s=signed", via="azure-async", resource="/r", job="j")


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path / "new" / "journals", header())
    for name in ("doubt", "accepted", "done"):
        journal.starting(step(name), NOW)
    journal.accepted(step("accepted").id, OPERATION, NOW)
    journal.ended(step("done").id, Ended.DONE, NOW)
    doubt, accepted = open_steps(tmp_path / "new" / "journals", CLOUD)
    assert (doubt.step, doubt.operation, doubt.since, doubt.run) == (step("doubt"), None, NOW, "r1")
    assert (accepted.step, accepted.operation, accepted.journal) == (step("accepted"), OPERATION, journal.path)


def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    previous = os.umask(0)
    try:
        journal = Journal.create(folder, header())
        journal.starting(step(), NOW)
        journal.close()
    finally:
        os.umask(previous)
    assert stat.S_IMODE(journal.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_each_cloud_has_its_own_open_steps(tmp_path: Path) -> None:
    with (
        Journal.create(tmp_path, header("here")) as here,
        Journal.create(tmp_path, header("there", "https://x")) as there,
    ):
        here.starting(step("a"), NOW)
        there.starting(step("b"), NOW)
    assert [left.run for left in open_steps(tmp_path, CLOUD)] == ["here"]
    assert [left.run for left in open_steps(tmp_path, "https://x")] == ["there"]
    assert open_steps(tmp_path / "absent", CLOUD) == []


@pytest.mark.parametrize("cut", range(1, 12))
def test_a_torn_last_line_does_not_count_and_is_cut_off_when_the_journal_goes_on(tmp_path: Path, cut: int) -> None:
    with Journal.create(tmp_path, header()) as journal:
        journal.starting(step("a"), NOW)
        journal.ended(step("a").id, Ended.DONE, NOW)
        journal.starting(step("b"), NOW)
    whole = journal.path.read_bytes()
    journal.path.write_bytes(whole[:-cut])
    assert open_steps(tmp_path, CLOUD) == []
    with Journal.reopen(journal.path) as again:
        again.starting(step("c"), NOW)
    assert [left.step for left in open_steps(tmp_path, CLOUD)] == [step("c")]


def test_a_run_that_died_before_its_header_left_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b"")
    (tmp_path / "b.jsonl").write_bytes(b'{"record":"run","at":"2026')
    assert open_steps(tmp_path, CLOUD) == []


def damaged(lines: list[bytes]) -> dict[str, list[bytes]]:
    head, start, accept, end = lines
    return {
        "garbage": [head, b"\x00\x00\n", end],
        "no header": [start, accept],
        "two headers": [head, head],
        "ended before it started": [head, end],
        "accepted before it started": [head, accept],
        "unknown record": [head, start.replace(b'"starting"', b'"departing"')],
        "not utf-8": [head, start.replace(b"Raise", b"\xff\xfe")],
    }


CASES = ["garbage", "no header", "two headers", "ended before it started", "accepted before it started",
         "unknown record", "not utf-8"]  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_damage_before_the_last_line_is_told_with_its_line(tmp_path: Path, case: str) -> None:
    with Journal.create(tmp_path, header()) as journal:
        journal.starting(step(), NOW)
        journal.accepted(step().id, OPERATION, NOW)
        journal.ended(step().id, Ended.DONE, NOW)
        lines = journal.path.read_bytes().splitlines(keepends=True)
    (tmp_path / FINISHED / journal.path.name).unlink()
    path = tmp_path / "bad.jsonl"
    path.write_bytes(b"".join(damaged(lines)[case]))
    with pytest.raises(JournalError, match=r"bad\.jsonl:\d+: .* damaged") as caught:
        open_steps(tmp_path, CLOUD)
    assert "Backup jobs" in caught.value.advice


def test_a_journal_of_a_later_version_is_not_guessed_at(tmp_path: Path) -> None:
    import msgspec

    later = msgspec.structs.replace(header(), version=2)
    Journal.create(tmp_path, later)
    with pytest.raises(JournalError, match="damaged") as caught:
        open_steps(tmp_path, CLOUD)
    assert "version 2" in caught.value.why


def test_a_clean_run_is_filed_away_and_the_newest_are_kept(tmp_path: Path) -> None:
    finished = tmp_path / FINISHED
    finished.mkdir()
    for number in range(KEPT + 5):
        (finished / f"20250101T{number:06}Z-r.jsonl").touch()
    with Journal.create(tmp_path, header()) as journal:
        journal.starting(step(), NOW)
        journal.ended(step().id, Ended.FAILED, NOW, "it broke")
    assert not journal.path.exists()
    kept = sorted(path.name for path in finished.iterdir())
    assert len(kept) == KEPT
    assert kept[-1] == journal.path.name


def test_a_run_killed_after_its_last_step_is_filed_away_by_the_next(tmp_path: Path) -> None:
    killed = Journal.create(tmp_path, header("r1"))
    killed.starting(step(), NOW)
    killed.ended(step().id, Ended.DONE, NOW)
    elsewhere = Journal.create(tmp_path, header("r2", endpoint="https://x"))
    later = Journal.create(tmp_path, header("r3"))
    assert sorted(tmp_path.glob("*.jsonl")) == [elsewhere.path, later.path]
    assert [path.name for path in (tmp_path / FINISHED).iterdir()] == [killed.path.name]


def test_a_plan_that_was_begun_is_known_by_its_digest(tmp_path: Path) -> None:
    with Journal.create(tmp_path, header("r1")) as first:
        first.starting(step("a"), NOW)
        first.ended(step("a").id, Ended.DONE, NOW)
    with Journal.create(tmp_path, header("r2")) as second:
        second.starting(step("b"), NOW)
    with Journal.create(tmp_path, header("r3", plan="another")) as third:
        third.starting(step("c"), NOW)
    assert begun(tmp_path, CLOUD, "digest") == {"widget.prod/a", "widget.prod/b"}
    assert begun(tmp_path, "https://x", "digest") == frozenset()


def test_a_folder_that_cannot_be_made_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(JournalError, match="cannot write the journal") as caught:
        Journal.create(tmp_path / "file" / "journals", header())
    assert "--journal" in caught.value.advice


def test_half_a_line_is_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk takes some of the bytes: the next line must not grow out of them."""
    journal = Journal.create(tmp_path, header())
    real = os.write

    def short(descriptor: int, data: Any) -> int:
        return real(descriptor, data[: len(data) // 2])

    monkeypatch.setattr("os.write", short)
    with pytest.raises(JournalError, match="cannot write"):
        journal.starting(step("a"), NOW)
    monkeypatch.undo()
    journal.starting(step("b"), NOW)
    assert [left.step for left in open_steps(tmp_path, CLOUD)] == [step("b")]
