"""Whether a protected VM really gets its backups: objectives against what Azure holds."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from reconciler.model.duration import format_age, parse_duration
from reconciler.model.observed import ItemFacts, ItemState
from reconciler.model.resource import Resource
from reconciler.model.scope import Objectives
from reconciler.plan.finding import Finding, Severity


def judge_outcome(resource: Resource, objectives: Objectives, now: datetime) -> Iterator[Finding]:
    """`rpo-missed`, `backups-failing`, `never-backed-up`: what is promised and not there."""
    facts = resource.observed
    if not isinstance(facts, ItemFacts) or facts.state is ItemState.SOFT_DELETED:
        return
    newest = facts.last_recovery_point
    failing = facts.last_backup_status == "Failed" or facts.state is ItemState.FAILING
    if failing:
        since = f"no successful backup for {format_age(now - newest)}" if newest else "never a successful backup"
        yield _finding(
            "backups-failing",
            f"its backups fail: {since}" + (f"; last error: {facts.health_message}" if facts.health_message else ""),
            "look at its job in the portal, or: az backup job list --status Failed --vault-name VAULT -g GROUP",
            resource,
        )
    if newest is None and not failing:
        waiting = facts.state is ItemState.FIRST_BACKUP_PENDING
        yield _finding(
            "never-backed-up",
            "no recovery point yet" + (": its first backup is still to come" if waiting else ""),
            "wait for its schedule, or start one now: az backup protection backup-now",
            resource,
            Severity.INFO if waiting and objectives.rpo is None else Severity.WARNING,
        )
    if objectives.rpo is not None and newest is not None and now - newest > parse_duration(objectives.rpo):
        yield _finding(
            "rpo-missed",
            f"the newest recovery point is {format_age(now - newest)} old; promised is {objectives.rpo}",
            "see why its backups do not run, or promise what its policy can keep",
            resource,
        )


def _finding(
    code: str, message: str, advice: str, resource: Resource, severity: Severity = Severity.WARNING
) -> Finding:
    return Finding(code=code, message=message, severity=severity, advice=advice, address=str(resource.address))
