"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource

F = TypeVar("F", bound=Callable[..., Any])

POLICIES = click.option(
    "--policies",
    "-p",
    multiple=True,
    type=click.Path(path_type=Path),
    default=("policies",),
    envvar="RECONCILER_POLICIES",
    show_default="policies",
    help="Folder or file with policies; may be repeated [env: RECONCILER_POLICIES].",
)
COLOUR = click.option("--color/--no-color", "colour", default=None, help="Colour; by default on a terminal only.")
DETAILED_EXITCODE = click.option(
    "--detailed-exitcode", is_flag=True, help="Exit 2 when there are changes (0: none, 1: error)."
)
ALLOW = click.option(
    "--allow",
    multiple=True,
    metavar="CODE[=N]",
    help="Lift one guard, by name and number, as G104=12; may be repeated.",
)
VERBOSE = click.option("--verbose", "-v", is_flag=True, help="Leave nothing out: every resource, finding and note.")
TARGET = click.option(
    "--target", multiple=True, metavar="GLOB", help="Only these addresses, and what they need; may be repeated."
)
EXCLUDE = click.option("--exclude", multiple=True, metavar="GLOB", help="Not these addresses; may be repeated.")
ALL = "all"
ONLY = click.option(
    "--only",
    type=click.Choice(["mine", "drift", ALL]),
    default=ALL,
    show_default=True,
    help="Only what the policies here change, or only what was changed in Azure, and what that needs.",
)
OUT = click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Save the plan for `apply FILE`.")
PARALLELISM = click.option(
    "--parallelism", type=click.IntRange(1, 64), default=16, show_default=True, help="Steps at once."
)


def is_written(name: str) -> bool:
    """Whether the command line itself gives this option, and no environment variable or default does."""
    return click.get_current_context().get_parameter_source(name) is ParameterSource.COMMANDLINE


ACTIVITY_LOG = click.option(
    "--activity-log/--no-activity-log",
    default=True,
    help="Whether to ask the Azure Activity Log who made what drifted  [default: ask].",
)


def together(*given: Callable[[Any], Any]) -> Callable[[F], F]:
    """What several commands have in common, as one decorator; `--help` lists it in this order."""

    def give(command: F) -> F:
        for option in reversed(given):
            command = option(command)
        return command

    return give


def form(*choices: str) -> Callable[[F], F]:
    """`--format`, text unless asked otherwise."""
    known = list(dict.fromkeys(("text", *choices)))
    return click.option("--format", "form", type=click.Choice(known), default="text", show_default=True)
