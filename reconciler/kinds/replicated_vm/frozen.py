"""Replicated VMs that people are at work on: failed over, in a drill, on their way back. They are left as they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from reconciler.kinds.base import Expansion
from reconciler.kinds.replicated_vm.spec import NAME
from reconciler.model.arm_id import ArmId
from reconciler.model.live import Live
from reconciler.model.observed import ItemFacts
from reconciler.model.replicated import ReplicationFacts
from reconciler.model.resource import Resource
from reconciler.plan.finding import Finding, Severity

_COMMIT = "Commit"
"""Azure's word for what ends the choice of a recovery point."""


def replications(live: Live) -> Iterator[tuple[Resource, ReplicationFacts]]:
    """The live replicated VMs, in order of address."""
    for address in sorted(address for address in live.state if address.kind == NAME):
        resource = live.state[address]
        if isinstance(resource.observed, ReplicationFacts):
            yield resource, resource.observed


def stand_ins(live: Live) -> Mapping[ArmId, Resource]:
    """VMs that a failover or a drill made → the replicated VM that each stands for, or stood for before a failback."""
    return {one: resource for resource, facts in replications(live) for one in facts.copies}


def frozen_findings(expansion: Expansion) -> Iterator[Finding]:
    """What is to be done by people, of every replicated VM that is not as the policies want it by their own doing."""
    backed_up = {
        item.observed.machine_id
        for item in expansion.live.state.values()
        if isinstance(item.observed, ItemFacts) and item.observed.last_recovery_point is not None
    }
    for resource, facts in replications(expansion.live):
        if not facts.frozen:
            continue
        yield _what_is_open(resource, facts)
        running = facts.recovery_machine_id if facts.failed_over else facts.machine_id if facts.reversed else None
        if running is not None and running != facts.home_id and running not in backed_up:
            yield _not_backed_up(resource, running)


def _what_is_open(resource: Resource, facts: ReplicationFacts) -> Finding:
    if facts.failed_over:
        way = "back" if facts.reversed else "over"
        since = f" since {facts.since:%Y-%m-%d %H:%M} UTC" if facts.since else ""
        look = "see that all is well, then reconciler commit NAME, then " if _COMMIT in facts.allowed_operations else ""
        return _finding(
            resource,
            "failed-over",
            f"failed {way}{since}: it runs in {facts.recovery_region}, and nothing protects it "
            "there; it is left as it is",
            f"{look}reconciler reprotect NAME (of the VM, or of its recovery plan)",
        )
    if facts.in_drill:
        return _finding(
            resource,
            "in-drill",
            f"a test failover is not cleaned up ({facts.test_failover_state}); it is left as it is",
            "when nobody needs it any more: reconciler drill --cleanup NAME (of the VM, or of its recovery plan)",
        )
    if not facts.protected:
        far = f" ({facts.percent} %)" if facts.percent is not None else ""
        return _finding(
            resource,
            "reversed",
            f"it runs in {facts.primary_region} and is on its way to be replicated back to "
            f"{facts.recovery_region}{far}: until then nothing protects it; it is left as it is",
            "`reconciler status` tells how far it is; it can be failed back once it is protected",
        )
    return _finding(
        resource,
        "reversed",
        f"it runs in {facts.primary_region} and is replicated back to {facts.recovery_region}; it is left as it is",
        "go home with: reconciler failback NAME (of the VM, or of its recovery plan)",
        Severity.INFO,
    )


def _not_backed_up(resource: Resource, running: ArmId) -> Finding:
    return Finding(
        code="ASR-71",
        severity=Severity.WARNING,
        message=f"its VM in {running.resource_group}, which the failover made, is new to Azure Backup: "
        "there is no recovery point of it",
        advice="plan a protection with a vault in its region; its older backups stay with the VM that it replaces",
        address=str(resource.address),
        rule_source="int",
        topic="objectives",
    )


def _finding(
    resource: Resource, code: str, message: str, advice: str, severity: Severity = Severity.WARNING
) -> Finding:
    return Finding(
        code=code,
        severity=severity,
        message=message,
        advice=advice,
        address=str(resource.address),
        topic="objectives",
    )
