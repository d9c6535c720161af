"""The command: arguments in, text and an exit code out. The one boundary where exceptions end."""

from __future__ import annotations

import gc
import importlib
import os
import sys
from collections.abc import Mapping
from typing import Any

import click

from reconciler.errors import ExitCode, ReconcilerError

_COMMANDS: Mapping[str, tuple[str, str]] = {
    "validate": ("reconciler.cli.validate", "Check the policies: no network, every error at once."),
    "plan": ("reconciler.cli.plan", "Show what apply would change, and why."),
    "apply": ("reconciler.cli.apply", "Change Azure so that it matches the policies."),
    "drift": ("reconciler.cli.drift", "Tell how Azure differs from the policies. Changes nothing."),
    "show": ("reconciler.cli.show", "Show a saved plan."),
    "explain": ("reconciler.cli.explain", "Tell why a VM is protected the way it is, file and line."),
    "restore": ("reconciler.cli.restore", "Bring back VMs, disks and files: a plan first, then apply."),
    "snapshots": ("reconciler.cli.snapshots", "Show the snapshots and restore points of a VM."),
    "recovery-points": ("reconciler.cli.recovery_points", "Show the recovery points of a VM in its vault."),
    "drill": ("reconciler.cli.drill", "Fail a plan or a VM over for a test, and clean up."),
    "failover": ("reconciler.cli.failover", "Run a plan or a VM in the other region."),
    "commit": ("reconciler.cli.commit", "Keep a failover as it is."),
    "reprotect": ("reconciler.cli.reprotect", "Replicate what was failed over back to where it came from."),
    "failback": ("reconciler.cli.failback", "Bring a plan or a VM home."),
    "status": ("reconciler.cli.status", "Tell what runs: our open steps, and the jobs of the vaults."),
    "publish": ("reconciler.cli.publish", "Bring a report to a pull request, or to an issue."),
    "adopt": ("reconciler.cli.adopt", "Write the policies of an estate that is there already."),
    "schema": ("reconciler.cli.schema", "Print or write the JSON Schemas of the policy language."),
    "emulator": ("reconciler.cli.emulator", "Run a local Azure to try policies on."),
}
"""Command → module and the line `--help` shows: a module is imported only when its command runs (start-up counts)."""
_YOUNG = 200_000
"""Objects made between two looks for cycles. Nearly all that a plan is made of stays to its end: at Python's 700, a
third of the CPU goes to walking over it."""


class LazyGroup(click.Group):
    """Lists the commands without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 -- click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        command = importlib.import_module(_COMMANDS[cmd_name][0]).command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="reconciler", prog_name="reconciler", message="%(prog)s %(version)s")
def cli() -> None:
    """Declare in git how every Azure VM is protected, and keep Azure that way.

    \b
    Exit codes: 0 fine · 1 error · 2 changes (plan --detailed-exitcode) or drift
                3 refused by a guard, or the saved plan is stale or another · 4 incomplete
    """


def main(arguments: list[str] | None = None) -> None:
    """Run the command and end the process. An expected failure is a message; anything else is shown as our bug."""
    gc.set_threshold(_YOUNG, 20, 50)
    sys.exit(run(arguments))


def run(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit code."""
    try:
        result: Any = cli.main(args=arguments, prog_name="reconciler", standalone_mode=False)
    except ReconcilerError as error:
        _report(error)
        return error.exit_code
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as error:
        error.show()
        return ExitCode.ERROR
    except (click.Abort, KeyboardInterrupt):
        click.echo("\nStopped.", err=True)
        return 130
    except BrokenPipeError:
        from reconciler.cli.console import leave_output

        leave_output()
        return ExitCode.ERROR
    except Exception as error:
        if os.environ.get("RECONCILER_TRACEBACK"):
            raise
        _report(
            ReconcilerError(
                f"internal error: {type(error).__name__}: {error}",
                why="this is a bug in reconciler, not in your policies",
                advice="run again with RECONCILER_TRACEBACK=1 and report what it prints",
            )
        )
        return ExitCode.ERROR
    return int(result) if isinstance(result, int) else ExitCode.OK


def _report(error: ReconcilerError) -> None:
    from reconciler.cli.console import printable

    head, *rest = str(error).split("\n")
    click.secho("Error: ", fg="red", bold=True, err=True, nl=False)
    click.echo(printable(head), err=True)
    for line in rest:
        click.echo(printable(line), err=True)


if __name__ == "__main__":
    main()
