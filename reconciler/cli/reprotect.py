"""`reconciler reprotect`: replicate what was failed over, back to where it came from."""

from __future__ import annotations

from typing import Any

import click

from reconciler.cli.operating import Run, operating, undertake
from reconciler.errors import ExitCode


@click.command("reprotect")
@operating
@click.option(
    "--cache-account",
    "account",
    default="",
    metavar="ID",
    help="Storage account where the VMs run now  [default: that of the route which begins there].",
)
@click.option("--no-wait", is_flag=True, help="Leave once Azure has accepted it: the next run goes on waiting.")
def command(target: str, account: str, no_wait: bool, **common: Any) -> ExitCode:
    """Turn the replication of PLAN or VM round, once its failover is committed. The old VM must still be there: Azure
    deletes it, and keeps its disks as the replicas.
    """
    from reconciler.model.operation_request import OperationRequest

    request = OperationRequest(verb="reprotect", target=target, account=account)
    return undertake(request, Run(**common, waits=not no_wait))
