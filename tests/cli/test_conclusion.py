"""What the shell sees of an apply: 0 where all is as it was asked for, else what a person must look into."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from reconciler.apply.result import Ending, Result, Status
from reconciler.apply.resume import Resumed
from reconciler.cli.apply import Asked
from reconciler.cli.conclusion import conclude_apply
from reconciler.cli.progress import Mode
from reconciler.errors import DeniedError, ExitCode
from reconciler.kinds.stamp import Stamping
from reconciler.plan.change import Step
from reconciler.plan.finding import Finding, Severity
from reconciler.plan.plan import Plan
from reconciler.workflow import Outcome, Review, Wishes

ALL_READ, HALF_READ = Plan(created="2026-03-02T08:00:00Z"), Plan(created="2026-03-02T08:00:00Z", complete=False)


def endings(*statuses: Status) -> tuple[Ending, ...]:
    return tuple(
        Ending(Step(id=f"vm.p/{n}#go", kind="vm", address=f"vm.p/{n}", verb="go", title=f"protect {n}"), status)
        for n, status in enumerate(statuses)
    )


def asked() -> Asked:
    return Asked((), Wishes(), None, auto_approve=True, mode=Mode.PLAIN, colour=False, journal=Path(), parallelism=1)


@pytest.mark.parametrize(
    ("plan", "earlier", "statuses", "code"),
    [
        (ALL_READ, (), None, ExitCode.OK),
        (ALL_READ, (Status.GOES_ON,), None, ExitCode.OK),
        (ALL_READ, (Status.GOES_ON, Status.OPEN), None, ExitCode.INCOMPLETE),
        (HALF_READ, (Status.GOES_ON,), None, ExitCode.INCOMPLETE),
        (ALL_READ, (), (Status.DONE, Status.GOES_ON, Status.WAITING), ExitCode.OK),
        (ALL_READ, (Status.GOES_ON,), (Status.WAITING,), ExitCode.OK),
        (ALL_READ, (Status.OPEN,), (Status.DONE,), ExitCode.INCOMPLETE),
        (HALF_READ, (), (Status.GOES_ON,), ExitCode.INCOMPLETE),
        (ALL_READ, (), (Status.GOES_ON, Status.FAILED), ExitCode.INCOMPLETE),
        (ALL_READ, (), (Status.GOES_ON, Status.NEEDS_APPROVAL), ExitCode.INCOMPLETE),
        (ALL_READ, (), (Status.GOES_ON, Status.NOT_TRIED), ExitCode.INCOMPLETE),
        (ALL_READ, (), (Status.FAILED, Status.WAITING), ExitCode.ERROR),
    ],
)
def test_the_exit_code(
    plan: Plan, earlier: tuple[Status, ...], statuses: tuple[Status, ...] | None, code: ExitCode
) -> None:
    result = Result(endings(*statuses)) if statuses else None
    assert conclude_apply(Outcome(Review(plan, (), Resumed(endings(*earlier))), result), asked(), []) is code


@pytest.mark.parametrize("statuses", [None, (Status.DONE,)])
@pytest.mark.parametrize(
    ("written", "means"),
    [
        ((), "drift may go by the apply before this one"),
        (("rsv-neu",), "the vaults disagree until it is"),
    ],
)
def test_a_stamp_that_could_not_be_written_leaves_the_run_incomplete(
    statuses: tuple[Status, ...] | None, written: tuple[str, ...], means: str, capsys: pytest.CaptureFixture[str]
) -> None:
    result = Result(endings(*statuses)) if statuses else None
    denied = DeniedError("tags of rsv-weu cannot be written", advice="give the identity a role")
    outcome = Outcome(Review(ALL_READ, (), Resumed(())), result, Stamping(written, (denied,)))
    assert conclude_apply(outcome, asked(), []) is ExitCode.INCOMPLETE
    said = capsys.readouterr().err
    assert "Not stamped" in said
    assert means in said
    assert "next: give the identity a role" in said


def test_whoever_was_only_overtaken_is_to_run_again() -> None:
    (ending,) = endings(Status.FAILED)
    overtaken = Result((replace(ending, overtaken=True),))
    assert conclude_apply(Outcome(Review(ALL_READ, (), Resumed(())), overtaken), asked(), []) is ExitCode.INCOMPLETE


def test_the_last_words_of_a_freeze(capsys: pytest.CaptureFixture[str]) -> None:
    """What failed beside it is the more urgent: 4 then; else 3."""
    held = msgspec.structs.replace(
        ALL_READ, findings=(Finding(code="G108", severity=Severity.WARNING, message="held", advice="later"),)
    )
    for statuses, code in (
        (None, ExitCode.REFUSED),
        ((Status.DONE,), ExitCode.REFUSED),
        ((Status.DONE, Status.FAILED), ExitCode.INCOMPLETE),
    ):
        result = Result(endings(*statuses)) if statuses else None
        assert conclude_apply(Outcome(Review(held, (), Resumed(())), result), asked(), []) is code
        assert "\nHeld.\n  next: later" in capsys.readouterr().err


def test_a_step_that_an_earlier_run_left_is_counted_once(capsys: pytest.CaptureFixture[str]) -> None:
    outcome = Outcome(
        Review(ALL_READ, (), Resumed(endings(Status.GOES_ON))), Result(endings(Status.WAITING, Status.WAITING))
    )
    conclude_apply(outcome, asked(), [])
    last = "1 step goes on in Azure (1 more after that); `reconciler status` tells how far, the next apply takes it up."
    assert capsys.readouterr().err.splitlines()[-1] == last
