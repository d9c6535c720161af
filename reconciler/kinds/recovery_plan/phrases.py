"""What a recovery plan says, for people: its groups in order, the VMs and actions of each."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.kinds.phrases import Phrase
from reconciler.kinds.recovery_plan.spec import DIRECTIONS, FAILOVER_TYPES, PlanAction, PlanGroup, RecoveryPlanSpec
from reconciler.model.arm_id import ArmId


def plan_phrases(spec: RecoveryPlanSpec) -> Iterator[Phrase]:
    """From where to where, then every section in the order in which it is run."""
    for name, ref, zone in (
        ("primary", spec.primary, spec.primary_zone),
        ("recovery", spec.recovery, spec.recovery_zone),
    ):
        text = f"{ref.address.name}, zone {zone}" if zone else ref.address.name
        yield Phrase(name, name, text)
    for field, name, section in spec.sections():
        if isinstance(section, PlanGroup):
            names = ", ".join(ArmId(member).name for member in section.members)
            yield Phrase(field, f"{name}.members", names or "none")
        for when, actions in (("before", section.before), ("after", section.after)):
            if actions:
                yield Phrase(field, f"{name}.{when}", ", then ".join(map(_say, actions)))


def _say(action: PlanAction) -> str:
    """`open-firewall (runbook open-firewall on the recovery side, 10 min)`."""
    if action.manual:
        parts = [f"manual: {action.manual}"]
    else:
        what = ArmId(action.runbook).name if action.runbook else action.script
        parts = [f"{action.what} {what} on the {action.side} side"]
    if action.minutes is not None:
        parts.append(f"{action.minutes} min")
    if action.failover_types != FAILOVER_TYPES:
        parts.append(f"{' and '.join(action.failover_types) or 'no failover'} only")
    if action.directions != DIRECTIONS:
        parts.append(f"{' and '.join(action.directions) or 'no direction'} only")
    return f"{action.name} ({', '.join(parts)})"
