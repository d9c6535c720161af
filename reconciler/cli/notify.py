"""`--notify URL`: whoever sleeps is told when a night does not end with 0, and also when it could not tell."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.console import note
from reconciler.errors import ExitCode, PublishError, ReconcilerError

if TYPE_CHECKING:
    from reconciler.plan.plan import Plan
    from reconciler.publish.alert import Alert, Item
    from reconciler.render.folding import Group
    from reconciler.render.view import Notice
    from reconciler.render.wording import Wording

_MOST_ITEMS = 10
_FOUND = "No drift, but there is what --fail-on asks for"
_TOLD = ("objectives", "uncovered", "unreadable")
"""Chapters of findings that are told beside errors."""


@dataclass
class Watch:
    """What the command came to, for the alert."""

    plan: Plan | None = None
    code: ExitCode = ExitCode.OK

    def saw(self, plan: Plan, code: ExitCode) -> None:
        self.plan, self.code = plan, code


def rings(command: Callable[..., int]) -> Callable[..., int]:
    """Gives a command `--notify` and `--notify-format`, and itself a `watch` to tell what it saw. The exit code stays
    what it is, whatever becomes of the notification."""

    @click.option(
        "--notify",
        multiple=True,
        metavar="URL",
        envvar="RECONCILER_NOTIFY",
        callback=_checked,
        help="Post to this webhook unless the exit code is 0; may be repeated [env: RECONCILER_NOTIFY].",
    )
    @click.option(
        "--notify-format",
        type=click.Choice(["auto", "generic", "slack", "teams"]),
        default="auto",
        show_default=True,
        help="The shape of what is posted; auto: by the host of each URL.",
    )
    @functools.wraps(command)
    def ringing(*given: Any, notify: tuple[str, ...], notify_format: str, **named: Any) -> int:
        with _watching(notify, notify_format) as watch:
            return command(*given, watch=watch, **named)

    return ringing


def _checked(ctx: click.Context, parameter: click.Parameter, given: tuple[str, ...]) -> tuple[str, ...]:
    if given:
        from reconciler.publish.notify import check_webhook

        try:
            return tuple(check_webhook(url) for url in given)
        except PublishError as error:
            raise click.BadParameter(error.message, ctx, parameter) from None
    return given


@contextmanager
def _watching(urls: tuple[str, ...], form: str) -> Iterator[Watch]:
    watch = Watch()
    try:
        yield watch
    finally:
        failure = sys.exception()
        stopped = isinstance(failure, (KeyboardInterrupt, click.Abort))
        if urls and not stopped and watch.plan and watch.code is not ExitCode.OK:
            _ring(urls, form, alert_of(watch.plan, watch.code))
        elif urls and not stopped and failure:
            _ring(urls, form, alert_of_failure(failure))


def _ring(urls: tuple[str, ...], form: str, alert: Alert) -> None:
    from reconciler.publish.http import host_of
    from reconciler.publish.notify import notify

    for url in urls:
        try:
            notify(url, form, alert)
        except PublishError as error:
            note(f"Nobody was notified at {host_of(url)}, the exit code is that of the drift: {error}")
        else:
            note(f"Notified {host_of(url)}.")


def alert_of(plan: Plan, code: ExitCode) -> Alert:
    """What the report says, as an alert: its verdict, its figures, and the first of its lines."""
    from reconciler.render.view import view
    from reconciler.render.wording import DriftWording

    wording = DriftWording()
    shown = view(plan, wording)
    items: list[Item] = []
    for section in shown.sections:
        if section.title != wording.due:
            items += [_of_group(plan, group, wording) for group in section.groups]
            items += [item for notice in section.notices for item in _of_notice(notice)]
    only_found = code is ExitCode.CHANGES and not plan.drift
    return _alert(
        code,
        title=_FOUND if only_found else "",
        verdict=shown.verdict,
        counts=dict(shown.figures),
        top=tuple(items[:_MOST_ITEMS]),
        more=max(0, len(items) - _MOST_ITEMS),
        timestamp=plan.created,
        applied=plan.base.applied if plan.base else "",
    )


def alert_of_failure(failure: BaseException) -> Alert:
    """The night could not tell: that has to ring as well."""
    expected = failure if isinstance(failure, ReconcilerError) else None
    message = expected.message if expected else f"internal error: {type(failure).__name__}"
    if isinstance(failure, click.ClickException):
        message = failure.format_message()
    why = f" ({expected.why})" if expected and expected.why else ""
    code = expected.exit_code if expected else ExitCode.ERROR
    return _alert(code, verdict=_printable(f"{message}{why}"), advice=_printable(expected.advice if expected else ""))


def _alert(code: ExitCode, title: str = "", **told: Any) -> Alert:
    from reconciler.publish.alert import TITLES, Alert
    from reconciler.publish.pipeline import pipeline_of

    here = pipeline_of(os.environ)
    return Alert(
        title=title or TITLES[code],
        exit_code=int(code),
        repository=here.repository,
        commit=here.commit,
        run=here.run,
        **told,
    )


def _of_group(plan: Plan, group: Group, wording: Wording) -> Item:
    from reconciler.publish.alert import Item
    from reconciler.render.lines import heading

    addresses = [change.address for change in group.changes]
    first = plan.last_writes.get(addresses[0])
    write = first.writes[0] if first and first.writes else None
    return Item(
        text=heading(group, wording).text,
        count=len(addresses),
        addresses=tuple(_printable(address) for address in addresses[:3]),
        effect=group.first.effect.value,
        last_write=_printable(f"{write.caller}, {write.at:%Y-%m-%d %H:%M} UTC") if write else "",
    )


def _of_notice(notice: Notice) -> Iterator[Item]:
    from reconciler.plan.finding import Severity
    from reconciler.publish.alert import Item
    from reconciler.render.view import chapter

    for told in notice.told:
        found = told.finding
        if found.severity is Severity.ERROR or chapter(found) in _TOLD:
            place = next(iter(told.addresses), str(found.source) if found.source else "")
            many = f"{len(told.addresses):,} resources" if len(told.addresses) > 1 else place
            text = f"{many}: {found.message} [{found.code}]" if many else f"{found.message} [{found.code}]"
            addresses = tuple(_printable(address) for address in told.addresses[:3])
            yield Item(text=_printable(text), count=max(1, len(told.addresses)), addresses=addresses)


def _printable(text: str) -> str:
    from reconciler.render.escape import visible

    return visible(text)
