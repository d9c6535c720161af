"""What a clock that is wrong must not do: snapshots are named, taken and let go by it."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from reconciler.diff.closure import with_dependants
from reconciler.diff.engine import sort_findings
from reconciler.model.clock_gap import ClockGap
from reconciler.model.duration import format_age
from reconciler.plan.change import OF_A_SLOT
from reconciler.plan.finding import Finding
from reconciler.plan.plan import Plan


def leave_out_timed(plan: Plan, gap: ClockGap) -> Plan:
    """The plan without what only the time asks for, and what waits for that, and an error that says both times."""
    timed = with_dependants(plan.changes, (item.address for item in plan.changes if item.reason in OF_A_SLOT))
    error = Finding(
        code="clock",
        message=f"the clock of this machine says {_spell(gap.ours)}, Azure's {_spell(gap.azures)}, "
        f"{format_age(gap.span)} apart: no snapshot is taken or let go by a clock that is wrong",
        advice="set the clock (timedatectl set-ntp true, on Windows w32tm /resync), then plan again",
    )
    rest = msgspec.structs.replace(
        plan,
        changes=tuple(item for item in plan.changes if item.address not in timed),
        deferred=tuple(item for item in plan.deferred if item.reason not in OF_A_SLOT),
        findings=sort_findings((*plan.findings, error)),
    )
    return msgspec.structs.replace(rest, basis=rest.fingerprint)


def _spell(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
