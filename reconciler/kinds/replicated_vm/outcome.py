"""Whether a replicated VM could really be failed over: objectives and health against what Azure holds."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from reconciler.model.duration import format_age, parse_duration
from reconciler.model.replicated import ReplicationFacts
from reconciler.model.resource import Resource
from reconciler.model.scope import Objectives
from reconciler.plan.finding import Finding, Severity

_WELL = frozenset({"", "none", "normal"})


def judge_outcome(resource: Resource, objectives: Objectives, now: datetime) -> Iterator[Finding]:
    """`replication-ill`, `never-replicated`, `replication-rpo-missed`, `drill-overdue`. What is failed over or in a
    drill is told of elsewhere."""
    facts = resource.observed
    if not isinstance(facts, ReplicationFacts) or facts.frozen:
        return
    if facts.health.lower() not in _WELL:
        said = "; ".join(facts.health_errors) or "Azure gives no reason"
        yield _finding(
            resource,
            "replication-ill",
            f"the health of its replication is {facts.health}: {said}",
            "look at the replicated item in the portal, or: az site-recovery protected-item show",
        )
    yield from _judge_age(resource, facts, objectives.replication_rpo, now)
    if objectives.drill_every is not None and facts.protected:
        yield from _judge_drill(resource, facts, objectives.drill_every, now)


def _judge_age(resource: Resource, facts: ReplicationFacts, promised: str | None, now: datetime) -> Iterator[Finding]:
    """The newest point is as old as it was when Azure reckoned it, and the time since."""
    if facts.rpo_seconds is None:
        if promised is not None:
            yield _finding(
                resource,
                "never-replicated",
                f"no recovery point yet ({facts.description or facts.protection_state})",
                "wait for the end of its initial replication",
            )
        return
    if promised is None:
        return
    age = timedelta(seconds=facts.rpo_seconds)
    if facts.rpo_calculated is not None:
        age += max(now - facts.rpo_calculated, timedelta())
    if age > parse_duration(promised):
        yield _finding(
            resource,
            "replication-rpo-missed",
            f"the newest recovery point is {format_age(age)} old; promised is {promised}",
            "see whether the VM writes more than Site Recovery can send (ASR-33), or promise what it can keep",
        )


def _judge_drill(resource: Resource, facts: ReplicationFacts, every: str, now: datetime) -> Iterator[Finding]:
    last = facts.last_test_failover
    if last is not None and now - last <= parse_duration(every):
        return
    never = "no test failover has succeeded since its replication began"  # a reprotect begins it anew
    when = f"the last test failover was {format_age(now - last)} ago" if last else never
    yield _finding(
        resource,
        "drill-overdue",
        f"{when}; promised is one every {every}",
        "run one with: reconciler drill NAME (of the VM, or of its recovery plan)",
    )


def _finding(resource: Resource, code: str, message: str, advice: str) -> Finding:
    return Finding(code=code, message=message, severity=Severity.WARNING, advice=advice, address=str(resource.address))
