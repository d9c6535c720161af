"""What the steps of one apply share, and the two ways of asking it to stop."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from reconciler.apply.events import Emit
from reconciler.apply.lanes import Bounds
from reconciler.errors import JournalError
from reconciler.kinds.base import Kind
from reconciler.plan.change import Step

if TYPE_CHECKING:
    from reconciler.azure.clients import Azure

OPERATION_LIMIT = timedelta(minutes=120)
"""How long one operation is waited for (TH-10: what Terraform's provider allows for protecting a VM)."""
CLOCK_SKEW = timedelta(minutes=5)
"""How far Azure's clock may be behind ours: what a step started is looked for from that much earlier on. Azure also
cuts its times to seconds. An operation of an earlier step of the same kind has ended before this one was sent."""


class Stop:
    """Asked once: start nothing new. Asked again: stop waiting for what runs, too. Made for SIGINT."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.gave_up = asyncio.Event()

    def request(self) -> None:
        """Ask (again). Safe as a signal handler of the running loop."""
        if self.asked.is_set():
            self.gave_up.set()
        self.asked.set()


@dataclass(frozen=True, slots=True)
class Run:
    """One apply: the door to Azure, the kinds by name, who listens, how to stop, and the bounds."""

    azure: Azure
    kinds: Mapping[str, Kind[Any]]
    emit: Emit
    stop: Stop
    bounds: Bounds = field(default_factory=Bounds)
    limit: timedelta = OPERATION_LIMIT
    waits: bool = True
    """Whether long steps are waited for; else they are left once Azure has accepted them."""

    def kind(self, step: Step) -> Kind[Any]:
        """The kind that performs this step. Raises JournalError where a journal names one that we do not have."""
        if step.kind not in self.kinds:
            raise JournalError(
                f"{step.id}: there is no resource kind {step.kind!r} in this version",
                advice="use the version of reconciler that started this step",
            )
        return self.kinds[step.kind]
