"""How an apply ends: its last words, and what the shell sees."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from reconciler.cli.console import conclude, note
from reconciler.cli.happenings import Trouble, farewell, recap
from reconciler.cli.progress import Mode
from reconciler.errors import ExitCode
from reconciler.model.counting import count

if TYPE_CHECKING:
    from reconciler.cli.apply import Asked
    from reconciler.workflow import Outcome


def conclude_apply(outcome: Outcome, asked: Asked, troubles: Sequence[Trouble]) -> ExitCode:
    """The last words, and the exit code: 0 where all is done, or goes on in Azure because nobody was to wait for it."""
    from reconciler.diff.freezing import held_by_freeze

    plan, result = outcome.review.plan, outcome.result
    gap = _gap(outcome)
    if asked.mode is not Mode.JSON:
        _tell_the_end(outcome, asked, troubles)
    stamped = outcome.stamping.vaults
    if stamped and asked.mode is not Mode.JSON:
        note(f"Noted on {count(len(stamped), 'vault')} as what is applied now: drift goes by that.")
    means = "and the vaults disagree until it is" if stamped else "so drift may go by the apply before this one"
    for error in outcome.stamping.failures:
        note(f"\nNot stamped, {means}: {error}")
    held = held_by_freeze(plan)
    if held:
        note(f"\n{held.message[0].upper()}{held.message[1:]}.\n  next: {held.advice}")
    if held and gap is None and (result is None or result.exit_code is ExitCode.OK):
        return conclude(ExitCode.REFUSED, "a freeze held changes back")
    if result is None and gap is None:
        return ExitCode.OK
    if result is None or (result.exit_code is ExitCode.OK and gap is not None):
        return conclude(ExitCode.INCOMPLETE, gap or "")
    return conclude(result.exit_code, "not everything was done")


def _gap(outcome: Outcome) -> str | None:
    """Why the run is incomplete however well its own steps went, "" where the report says so already; None: whole."""
    if not outcome.review.plan.complete:
        return ""
    if outcome.review.resumed.in_doubt:
        return "an earlier run's step is not known to have ended"
    return "what is applied now could not be written on every vault" if outcome.stamping.failures else None


def _tell_the_end(outcome: Outcome, asked: Asked, troubles: Sequence[Trouble]) -> None:
    plan, result = outcome.review.plan, outcome.result
    going_on = {ending.step.id for ending in outcome.review.resumed.going_on}
    waiting: set[str] = set()
    if result is not None:
        going_on |= {ending.step.id for ending in result.going_on}
        waiting = {ending.step.id for ending in result.waiting} - going_on
        for line in recap(troubles, result, asked.command):
            note(line)
        if plan.blocked:
            blocked = count(len(plan.blocked), "change")
            note(f"\nBlocked, and left as it is: {blocked}. The plan tells the way out by hand.")
        if result.all_done:
            from reconciler.restore.next_steps import next_steps

            for line in next_steps(plan):
                note(line)
    if going_on:
        note(farewell(len(going_on), len(waiting)))
