"""`reconciler failover`: run a recovery plan or a VM in the other region."""

from __future__ import annotations

from typing import Any

import click

from reconciler.cli.operating import POINT, Run, operating, undertake
from reconciler.errors import ExitCode


@click.command("failover")
@operating
@click.option("--to", required=True, metavar="REGION", help="Where to, as northeurope: it must be replicated there.")
@POINT
@click.option("--shutdown-source", "shutdown", is_flag=True, help="Shut the source VMs down first: nothing is lost.")
def command(target: str, to: str, point: str, shutdown: bool, **common: Any) -> ExitCode:
    """Make the VMs of PLAN, or the one VM, in REGION from their recovery points, and start them.

    The source VMs are left as they are, unless --shutdown-source. Afterwards: look, commit, reprotect.
    """
    from reconciler.model.operation_request import OperationRequest

    request = OperationRequest(verb="failover", target=target, to=to, point=point, shutdown=shutdown)
    return undertake(request, Run(**common))
