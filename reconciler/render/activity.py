"""What goes on, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import msgspec

from reconciler.model.activity import Activity, OwnStep, RunningJob
from reconciler.model.counting import count
from reconciler.model.duration import format_age
from reconciler.render import json
from reconciler.render.escape import visible
from reconciler.render.style import Tone, paint


def activity_text(activity: Activity, *, colour: bool = False) -> str:
    """Ours first, then what Azure works on."""
    return "\n".join(paint(visible(text), tone, colour=colour) for text, tone in _lines(activity))


def activity_json(activity: Activity) -> str:
    """The same, as JSON."""
    body = msgspec.to_builtins(activity)
    return json.render({"format_version": "1.0", "complete": not activity.unread, **body})


def _lines(activity: Activity) -> Iterator[tuple[str, Tone]]:
    if activity.applying:
        yield f"An apply is running: {activity.applying}", Tone.CHANGE
    if activity.locked:
        yield f"The lock is held: {activity.locked}", Tone.CHANGE
    for gap in activity.unread:
        yield gap, Tone.ALARM
    if activity.steps:
        yield "Ours, not known to have ended", Tone.STRONG
        for step in activity.steps:
            yield f"  {step.title} ({_age(step.since, activity.now)}): {_standing(step)}", Tone.PLAIN
            yield f"    {step.address}", Tone.QUIET
        if not activity.applying and not activity.locked:
            yield "  The next `reconciler apply` goes on with them.", Tone.QUIET
    if activity.jobs:
        yield "Azure works on", Tone.STRONG
        for job in activity.jobs:
            yield f"  {job.what} of {job.of or '?'} ({_age(job.since, activity.now)}): {_words(job)}", Tone.PLAIN
            yield f"    {job.service}, vault {job.vault}, job {job.name}", Tone.QUIET
    known = f"{count(len(activity.steps), 'step')} of ours open, {count(len(activity.jobs), 'job')} running in Azure."
    yield known, Tone.GOOD if not activity.steps else Tone.STRONG


def _standing(step: OwnStep) -> str:
    if step.owed and not step.accepted:
        return "owed, and still to be done"
    if not step.accepted:
        return "whether Azure received it is not known"
    return step.progress or (f"accepted, job {step.job}" if step.job else "accepted")


def _words(job: RunningJob) -> str:
    return job.progress or job.state


def _age(since: datetime | None, now: datetime) -> str:
    return f"for {format_age(now - since)}" if since else "since when is not known"
