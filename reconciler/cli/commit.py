"""`reconciler commit`: keep a failover as it is."""

from __future__ import annotations

from typing import Any

import click

from reconciler.cli.operating import Run, operating, undertake
from reconciler.errors import ExitCode


@click.command("commit")
@operating
def command(target: str, **common: Any) -> ExitCode:
    """Commit the failover of PLAN or VM: no other recovery point can be chosen afterwards. Then: reprotect."""
    from reconciler.model.operation_request import OperationRequest

    return undertake(OperationRequest(verb="commit", target=target), Run(**common))
