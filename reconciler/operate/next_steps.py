"""What to do once an operation is done: a failover is not over when the VMs run."""

from __future__ import annotations

import shlex

from reconciler.model.operation_request import OperationRequest


def next_steps(request: OperationRequest) -> tuple[str, ...]:
    """Commands and reminders for the person, in order. Pure."""
    name = shlex.quote(request.target)
    return {
        "drill": ("Well:           it could be failed over now; drillEvery says when the next drill is due",),
        "cleanup": ("Then:           drill again, to the end: a drill counts once it is cleaned up",),
        "failover": (
            "Look:           at the applications; until the commit another recovery point can be chosen in the portal",
            f"Then:           reconciler commit {name}",
            "Not protected:  until it is reprotected; Azure Backup takes a failed-over VM for a new one (ASR-71)",
        ),
        "failback": (
            "Look:           at the applications, at home again",
            f"Then:           reconciler commit {name}, and reconciler reprotect {name}: as it was before",
            "Not protected:  until that is done",
        ),
        "commit": (f"Then:           reconciler reprotect {name}: until then nothing protects it",),
        "reprotect": (f"Go home:        reconciler failback {name}, at a time that suits, unless it is home already",),
    }[request.verb]
