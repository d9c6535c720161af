"""How an apply ended, step by step."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from reconciler.apply.events import ChangeSummary
from reconciler.errors import ExitCode
from reconciler.plan.change import Step


class Status(StrEnum):
    """DONE means read back as written. GOES_ON: Azure has accepted it, and was left to work on as `--no-wait` asks.
    WAITING: something it needs goes on. OPEN: it may still run, or have been received, in Azure; the journal keeps it.
    SKIPPED: something it needs did not get done. NOT_TRIED: the run was stopped before its turn."""

    DONE = "done"
    GOES_ON = "goes_on"
    WAITING = "waiting"
    FAILED = "failed"
    NEEDS_APPROVAL = "needs_approval"
    OPEN = "open"
    SKIPPED = "skipped"
    NOT_TRIED = "not_tried"


UNKNOWN = frozenset({Status.OPEN, Status.GOES_ON})
"""What may still run in Azure."""
AS_ASKED = frozenset({Status.DONE, Status.GOES_ON, Status.WAITING})
"""What leaves nothing for a person to look into."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How one step ended. `because` is the id of the step whose ending made this one skip or wait, however far off.
    `refused`: Azure took nothing of it up. `overtaken`: because somebody else was changing the same."""

    step: Step
    status: Status
    message: str = ""
    advice: str = ""
    because: str = ""
    refused: bool = False
    overtaken: bool = False

    @property
    def begun(self) -> bool:
        """Whether something of it may be there, or on its way, in Azure."""
        return not self.refused and self.status in {Status.DONE, Status.FAILED, *UNKNOWN}


@dataclass(frozen=True, slots=True)
class Result:
    """Every step of the plan, in plan order, each with its ending. `stopped`: somebody asked to stop."""

    endings: tuple[Ending, ...]
    stopped: bool = False

    def of(self, status: Status) -> tuple[Ending, ...]:
        return tuple(ending for ending in self.endings if ending.status is status)

    @property
    def done(self) -> tuple[Ending, ...]:
        return self.of(Status.DONE)

    @property
    def going_on(self) -> tuple[Ending, ...]:
        return self.of(Status.GOES_ON)

    @property
    def waiting(self) -> tuple[Ending, ...]:
        return self.of(Status.WAITING)

    @property
    def failed(self) -> tuple[Ending, ...]:
        return self.of(Status.FAILED)

    @property
    def needs_approval(self) -> tuple[Ending, ...]:
        return self.of(Status.NEEDS_APPROVAL)

    @property
    def left_open(self) -> tuple[Ending, ...]:
        return self.of(Status.OPEN)

    @property
    def skipped(self) -> tuple[Ending, ...]:
        return self.of(Status.SKIPPED)

    @property
    def not_tried(self) -> tuple[Ending, ...]:
        return self.of(Status.NOT_TRIED)

    @property
    def all_done(self) -> bool:
        return len(self.done) == len(self.endings)

    @property
    def owed(self) -> tuple[Ending, ...]:
        """What was begun and is not taken back: the next run does that before anything else."""
        known = {ending.step.id: ending for ending in self.endings}
        due = (ending for ending in self.endings if ending.status is not Status.DONE)
        return tuple(one for one in due if one.step.undoes in known and known[one.step.undoes].begun)

    @property
    def exit_code(self) -> ExitCode:
        """OK: all done, or left as `--no-wait` asks. ERROR: something failed and nothing at all was done or accepted.
        INCOMPLETE: everything between, and where others were only quicker: there is nothing to mend."""
        if all(ending.status in AS_ASKED for ending in self.endings):
            return ExitCode.OK
        wrong = any(not ending.overtaken for ending in self.failed)
        return ExitCode.ERROR if wrong and not (self.done or self.going_on) else ExitCode.INCOMPLETE

    def summary(self, at: datetime, elapsed_seconds: float) -> ChangeSummary:
        """The last event of the stream."""
        return ChangeSummary(
            at=at,
            done=len(self.done),
            going_on=len(self.going_on),
            waiting=len(self.waiting),
            failed=len(self.failed),
            needs_approval=len(self.needs_approval),
            left_open=len(self.left_open),
            skipped=len(self.skipped),
            not_tried=len(self.not_tried),
            elapsed_seconds=elapsed_seconds,
        )


def in_order(steps: Iterable[Step], endings: Iterable[Ending], *, stopped: bool) -> Result:
    """The result with an ending for each step: those without one were not tried."""
    known = {ending.step.id: ending for ending in endings}
    return Result(
        tuple(known.get(step.id) or Ending(step, Status.NOT_TRIED, "the run was stopped") for step in steps),
        stopped=stopped,
    )
