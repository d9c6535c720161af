"""A replication policy as it is compared: minutes, as Azure counts, from the policies and from Azure alike."""

from __future__ import annotations

from datetime import timedelta

from reconciler.kinds.replication.listing import PolicyDetails
from reconciler.model.duration import parse_duration
from reconciler.model.replication import ReplicationPolicy
from reconciler.model.resource import Ref, Spec

_MINUTE = timedelta(minutes=1)


class ReplicationPolicySpec(Spec, frozen=True, kw_only=True):
    """`app_consistent` 0 means none; crash-consistent points come every 5 minutes whatever is asked (ASR-03)."""

    vault: Ref
    retention_minutes: int
    app_consistent_minutes: int
    multi_vm_sync: bool


def spec_of(policy: ReplicationPolicy, vault: Ref) -> ReplicationPolicySpec:
    """The policies' side. Durations are shaped by the schema."""
    return ReplicationPolicySpec(
        vault=vault,
        retention_minutes=minutes(policy.recovery_point_retention),
        app_consistent_minutes=minutes(policy.app_consistent_every) if policy.app_consistent_every else 0,
        multi_vm_sync=policy.multi_vm_sync,
    )


def spec_from(details: PolicyDetails, vault: Ref) -> ReplicationPolicySpec:
    """Azure's side: what is left out is 0, and Enable comes back as Enabled (recorded: policy)."""
    return ReplicationPolicySpec(
        vault=vault,
        retention_minutes=details.recovery_point_history or 0,
        app_consistent_minutes=details.app_consistent_frequency_in_minutes or 0,
        multi_vm_sync=(details.multi_vm_sync_status or "").lower().startswith("enable"),
    )


def minutes(duration: str) -> int:
    """`24h` → 1440."""
    return parse_duration(duration) // _MINUTE


def spoken_minutes(count: int) -> str:
    """1440 → `24h`, 21600 → `15d`, as the policies write it; 0 → `none`."""
    if count == 0:
        return "none"
    for unit, length in (("d", 1440), ("h", 60)):
        if count % length == 0 and count > length:
            return f"{count // length}{unit}"
    return f"{count // 60}h" if count % 60 == 0 else f"{count}m"
