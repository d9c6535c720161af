"""The events of an apply as lines for people: one word, what, how long; for troubles where, why and what next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from reconciler.apply import events
from reconciler.apply.events import Event
from reconciler.apply.result import Result
from reconciler.errors import ExitCode
from reconciler.model.counting import count
from reconciler.model.duration import format_age

INDENT = 9
"""Columns of the word at the beginning of a line, and of what hangs below it."""

Trouble = events.ApplyErrored | events.ApplyOpen | events.ApplyApproval


def told(event: Event) -> str:
    """One event; several lines where there is trouble. What belongs to no step is told in its own words."""
    match event:
        case events.ApplyStart():
            return _line("started", f"{event.title}{' (resumed)' if event.resumed else ''}")
        case events.ApplyProgress():
            status = f", {event.status}" if event.status else ""
            return _line("running", f"{event.title} ({_span(event.elapsed_seconds)}{status})")
        case events.ApplyComplete():
            return _line("done", f"{event.title} ({_span(event.elapsed_seconds)})")
        case events.ApplyLeft():
            return _line("goes on", f"{event.title} ({_span(event.elapsed_seconds)})")
        case events.ApplySkipped():
            culprit = event.because.rpartition("#")[0]
            return _line("skipped", f"{event.title}: {event.message.replace(f'{culprit}: ', '')}")
        case events.ApplySettled():
            return _line("settled", f"{event.title}: {event.message}")
        case events.ApplyErrored() | events.ApplyOpen() | events.ApplyApproval():
            return "\n".join(_trouble(event))
        case _:
            return event.text


def recap(troubles: Sequence[Trouble], result: Result, command: str = "apply") -> Iterator[str]:
    """What is left when an apply got less done than was asked: each trouble again, and how to go on with `command`."""
    if result.exit_code is ExitCode.OK:
        return
    if len(troubles) > 1:
        yield ""
        yield f"What went wrong ({len(troubles)}):"
        for trouble in troubles:
            yield from _trouble(trouble)
    yield ""
    if result.skipped or result.not_tried:
        left = ((result.skipped, "skipped because of what they need"), (result.not_tried, "not tried"))
        parts = (f"{count(len(endings), 'step')} {word}" for endings, word in left if endings)
        yield f"Left: {', '.join(parts)}."
    for owed in result.owed:
        yield f"Owed: {owed.step.title}. Until then what is to be taken away stays, and costs."
        yield f"      The next run does it before anything else: reconciler {command}, or reconciler apply."
    if result.needs_approval:
        yield f"Get the approval, then run {command} again."
    mend = "mend what went wrong and " if troubles else ""
    yield f"Next: {mend}run {command} again: it plans afresh, and what is done is not done twice."


def farewell(going_on: int, waiting: int) -> str:
    """The last sentence where steps were left to go on in Azure, as `--no-wait` asks."""
    goes, them = ("goes", "it") if going_on == 1 else ("go", "them")
    rest = f" ({waiting:,} more after that)" if waiting else ""
    return (
        f"{count(going_on, 'step')} {goes} on in Azure{rest}; `reconciler status` tells how far, "
        f"the next apply takes {them} up."
    )


def _trouble(event: Trouble) -> Iterator[str]:
    if isinstance(event, events.ApplyErrored):
        yield _line("failed", f"{event.title} ({_span(event.elapsed_seconds)})")
        reasons = (("", event.address), ("", event.message), ("why: ", event.why), ("next:", event.advice))
    elif isinstance(event, events.ApplyOpen):
        yield _line("open", f"{event.title} ({_span(event.elapsed_seconds)})")
        reasons = (("", event.address), ("", event.message), ("why: ", ""), ("next:", event.advice))
    else:
        yield _line("approval", event.title)
        guard = f"Resource Guard {event.guard}" if event.guard else ""
        reasons = (("", event.address), ("", event.message), ("why: ", guard), ("next:", event.advice))
    for label, text in reasons:
        if text:
            yield f"{' ' * INDENT}{label}{' ' if label else ''}{text}"


def _line(word: str, text: str) -> str:
    return f"{word:<{INDENT}}{text}"


def _span(seconds: float) -> str:
    return format_age(timedelta(seconds=int(seconds)))
