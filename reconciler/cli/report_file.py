"""`--report FORMAT=FILE`: the same findings for several readers, from one reading of Azure."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from reconciler.errors import ReportError

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class ReportFile:
    """One report to write; `form` is one of the names that the command takes."""

    form: str
    path: Path


def reports(*choices: str) -> Callable[[F], F]:
    """`--report`, for the forms that the command has."""

    def parse(ctx: click.Context, parameter: click.Parameter, given: tuple[str, ...]) -> tuple[ReportFile, ...]:
        wrong = [problem for item in given if (problem := _problem(item, choices))]
        files = tuple(_split(item) for item in given) if not wrong else ()
        places = [file.path.resolve() for file in files]
        wrong += [f"two reports to {path}: the second would replace the first" for path in _twice(places)]
        if wrong:
            raise click.BadParameter("; ".join(wrong), ctx, parameter)
        return files

    several = " RECONCILER_COMMENT tells comments and analyses of several runs apart."
    return click.option(
        "--report",
        "reports",
        multiple=True,
        metavar="FORMAT=FILE",
        callback=parse,
        help=f"Write it to a file as well: {', '.join(choices)}; may be repeated.{several}",
    )


def write_reports(files: Sequence[ReportFile], render: Callable[[str], str]) -> None:
    """Each file whole or not at all; one that fails does not keep the others from being written. Raises ReportError,
    which names all that failed, at the end."""
    failed: list[str] = []
    for file in files:
        text = render(file.form)
        try:
            _replace(file.path, text.rstrip("\n") + "\n")
        except OSError as error:
            failed.append(f"{file.form} to {file.path} ({error.strerror or error})")
    if failed:
        raise ReportError(
            f"cannot write {'a report' if len(failed) == 1 else 'reports'}: {'; '.join(failed)}",
            why="a pipeline that asked for a report must not go on with that of an earlier run",
            advice="name a file in a folder that exists and may be written to",
        )


def _problem(item: str, choices: Sequence[str]) -> str:
    form, equals, place = item.partition("=")
    if not equals or not place:
        return f"{item!r} is not FORMAT=FILE, as {choices[0]}=report"
    if form not in choices:
        return f"{item!r} asks for {form!r}; there is {', '.join(choices)}"
    path = Path(place)
    try:
        if path.exists() and not path.is_file():
            return f"{place} is there and not a file"
        return "" if path.parent.is_dir() else f"the folder of {place} does not exist: make it first"
    except OSError as error:
        return f"{place} cannot be written: {error.strerror}"


def _split(item: str) -> ReportFile:
    form, _, place = item.partition("=")
    return ReportFile(form, Path(place))


def _twice(paths: Sequence[Path]) -> list[Path]:
    return [path for path in dict.fromkeys(paths) if paths.count(path) > 1]


def _replace(path: Path, text: str) -> None:
    """The draft stands beside it, since only there a rename is one step, and is as readable as any new file."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
