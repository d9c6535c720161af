"""`--report` of a command that fails: whoever reads the comment, or the page of tests, must not read that of the run
before."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click

from reconciler.cli.console import note
from reconciler.cli.report import COMMENT
from reconciler.cli.report_file import ReportFile, write_reports
from reconciler.errors import PolicyError, ReconcilerError, ReportError


def reports_failures(name: str) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Below `@reports` of a command: what ends it early is written as the Markdown and JUnit reports that were asked
    for. `name` is that of their marker. The other forms cannot say it (SARIF without results says that all is mended):
    those of an earlier run are removed."""

    def give(command: Callable[..., int]) -> Callable[..., int]:
        @functools.wraps(command)
        def reporting(*given: Any, reports: tuple[ReportFile, ...], **named: Any) -> int:
            with _watching(name, reports):
                return command(*given, reports=reports, **named)

        return reporting

    return give


@contextmanager
def _watching(name: str, files: Sequence[ReportFile]) -> Iterator[None]:
    try:
        yield
    finally:
        failure = sys.exception()
        if files and failure and not isinstance(failure, (KeyboardInterrupt, click.Abort, ReportError)):
            _tell(name, files, _message(failure))


def _message(failure: BaseException) -> str:
    if isinstance(failure, PolicyError) and failure.mistakes:
        return f"{failure.mistakes}\n\n{failure}"
    if isinstance(failure, click.ClickException):
        return failure.format_message()
    return str(failure) if isinstance(failure, ReconcilerError) else f"internal error: {type(failure).__name__}"


def _tell(name: str, files: Sequence[ReportFile], message: str) -> None:
    from reconciler.render import failure, junit

    texts = {
        "markdown": failure.render_failure(name, message, os.environ.get(COMMENT, "")),
        "junit": junit.render_failure(name, message),
    }
    try:
        write_reports([file for file in files if file.form in texts], texts.__getitem__)
        for file in files:
            if file.form not in texts:
                file.path.unlink(missing_ok=True)
    except (ReportError, OSError) as error:
        note(str(error))
