"""Every rule of backup policies that can be known without Azure, and the check that runs them all."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.kinds.backup_policy.document import BackupPolicy
from reconciler.kinds.backup_policy.restore_rules import RESTORE_RULES
from reconciler.kinds.backup_policy.retention_rules import RETENTION_RULES
from reconciler.kinds.backup_policy.rule import Draft
from reconciler.kinds.backup_policy.schedule_rules import SCHEDULE_RULES
from reconciler.model.document import Declared, Document
from reconciler.plan.finding import Finding

RULES = (*SCHEDULE_RULES, *RETENTION_RULES, *RESTORE_RULES)


def check_policy(document: Document[BackupPolicy], declared: Declared) -> Iterator[Finding]:
    """All that is wrong with one BackupPolicy, each at the line that has to change."""
    policy = document.value
    zone = policy.schedule.time_zone or declared.scope.value.defaults.time_zone
    draft = Draft(document.name, policy, zone)
    for rule in RULES:
        for breach in rule.check(draft):
            source = document.at(*breach.path)
            if breach.path[-1:] == ("timeZone",) and policy.schedule.time_zone is None:
                source = declared.scope.at("defaults", "timeZone")
            path = ".".join(str(part) for part in breach.path)
            yield Finding(
                code=rule.id,
                severity=rule.severity,
                message=f"BackupPolicy {document.name} {path}: {breach.message}",
                advice=breach.advice,
                source=source,
                rule_source=rule.source,
            )
