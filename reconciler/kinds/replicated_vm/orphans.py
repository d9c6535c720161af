"""Replicated VMs that are gone where they ran: deleted or moved, while Site Recovery still holds what they were."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.kinds.base import Expansion
from reconciler.kinds.replicated_vm.frozen import replications
from reconciler.model.duration import format_age
from reconciler.model.replicated import ReplicationFacts
from reconciler.model.resource import Resource
from reconciler.plan.finding import Finding, Severity


def orphan_findings(expansion: Expansion) -> Iterator[Finding]:
    """`orphan`, of each VM of the Scope that is replicated and no longer there; nothing ends its replication. Where the
    VMs of a subscription could not be read, nothing is told of them."""
    unread = {alias.casefold() for alias in expansion.live.unread_machines(expansion.declared.subscriptions)}
    known = {alias.casefold() for alias in expansion.declared.subscriptions} - unread
    for resource, facts in replications(expansion.live):
        seen = facts.frozen or facts.machine_id in expansion.live.machines_by_id
        if not seen and resource.address.subscription.casefold() in known:
            yield _orphan(expansion, resource, facts)


def _orphan(expansion: Expansion, resource: Resource, facts: ReplicationFacts) -> Finding:
    points = "no recovery point of it is known"
    if facts.rpo_calculated is not None:
        points = f"its recovery points were last counted {format_age(expansion.now - facts.rpo_calculated)} ago"
    return Finding(
        code="orphan",
        severity=Severity.WARNING,
        message=f"the VM is gone, and vault {facts.vault_id.name} still holds its replication to "
        f"{facts.recovery_region} ({points}); it is left as it is",
        advice="bring it up there while its recovery points last: reconciler failover NAME --to "
        f"{facts.recovery_region}; or disable its replication in the portal: it is billed",
        address=str(resource.address),
    )
