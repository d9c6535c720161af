"""`reconciler drill`: a test failover into an isolated network, checked, and always cleaned up."""

from __future__ import annotations

from typing import Any

import click

from reconciler.cli.operating import POINT, Run, operating, undertake
from reconciler.errors import ExitCode, UsageError


@click.command("drill")
@operating
@POINT
@click.option("--network", default="", metavar="ID", help="Isolated network to drill in  [default: route.testNetwork].")
@click.option(
    "--check",
    default="",
    metavar="COMMAND",
    help="Run by the shell for each test VM: its address is in RECONCILER_TEST_ADDRESS, its VM in RECONCILER_VM. Write "
    "no secret into it: plan and record show it, and the last lines that it says when it fails.",
)
@click.option("--with-manual", "manual", is_flag=True, help="Go on where the plan waits for manual actions.")
@click.option("--cleanup", is_flag=True, help="Begin no drill: clean up what one has left.")
def command(target: str, point: str, network: str, check: str, manual: bool, cleanup: bool, **common: Any) -> ExitCode:
    """Fail PLAN or VM over for a test: its VMs come up beside the real ones, in a network that leads nowhere; they are
    checked, and taken away again: also after a failure, Ctrl-C, or (by the next run) a kill.

    Replication goes on meanwhile. Exit 0 all well, 4 a check failed or something is left to clean up.
    """
    from reconciler.model.operation_request import OperationRequest

    if cleanup and (network or check or manual):
        raise UsageError(
            "--cleanup begins no drill: --network, --check and --with-manual belong to one", advice="leave them out"
        )
    request = OperationRequest(
        verb="cleanup" if cleanup else "drill",
        target=target,
        point=point,
        network=network,
        check=check,
        manual=manual,
    )
    return undertake(request, Run(**common))
