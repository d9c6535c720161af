"""`reconciler failback`: bring a recovery plan or a VM home."""

from __future__ import annotations

from typing import Any

import click

from reconciler.cli.operating import POINT, Run, operating, undertake
from reconciler.errors import ExitCode


@click.command("failback")
@operating
@POINT
@click.option(
    "--shutdown-source/--no-shutdown-source",
    "shutdown",
    default=True,
    show_default=True,
    help="Shut down the VMs in the other region first: nothing is lost.",
)
def command(target: str, point: str, shutdown: bool, **common: Any) -> ExitCode:
    """Fail PLAN or VM, replicated back since, over to where it came from. Afterwards: look, commit, reprotect."""
    from reconciler.model.operation_request import OperationRequest

    request = OperationRequest(verb="failback", target=target, point=point, shutdown=shutdown)
    return undertake(request, Run(**common))
