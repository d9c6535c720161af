"""From a request to a wish: what was asked for, found in Azure."""

from __future__ import annotations

from reconciler.azure.clients import Azure
from reconciler.model.document import Declared
from reconciler.model.live import Live
from reconciler.model.restore_request import BackupRequest, DiskRequest, RestoreRequest
from reconciler.plan.finding import Finding, Severity
from reconciler.restore.choice import choose
from reconciler.restore.disk import wish_for_disk
from reconciler.restore.machine import wish_for_machine
from reconciler.restore.surroundings import read_surroundings
from reconciler.restore.vault import wish_from_vault
from reconciler.restore.wish import Wish


async def resolve(azure: Azure, declared: Declared, live: Live, request: RestoreRequest) -> Wish:
    """What `request` comes to. A list that could not be read is a warning: what was found is there.

    Raises UsageError where snapshot, VM, slot, region or recovery point are not found, and what reading the source VM
    raises.
    """
    if isinstance(request, DiskRequest):
        wish = wish_for_disk(request, declared, live)
    elif isinstance(request, BackupRequest):
        wish = await wish_from_vault(azure, request, declared, live)
    else:
        choice = choose(request, declared, live)
        around = await read_surroundings(azure, choice.chosen.machine, request.subnet)
        wish = wish_for_machine(request, choice, around, declared, live)
    unread = tuple(
        Finding(
            code="unread-beside",
            severity=Severity.WARNING,
            message=f"{gap.message}: there may be more to restore from",
            advice=gap.advice,
        )
        for gap in live.unreadable
    )
    return Wish(wish.request, wish.resources, wish.sources, (*wish.findings, *unread))
