"""A rule of backup policies that can be checked offline, as data."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from reconciler.kinds.backup_policy.document import BackupPolicy
from reconciler.kinds.document_rule import Breach
from reconciler.plan.finding import Severity


@dataclass(frozen=True, slots=True)
class Draft:
    """A policy as written, with the values that come from elsewhere filled in."""

    name: str
    policy: BackupPolicy
    time_zone: str
    """As written here, or the Scope's default."""

    @property
    def hourly(self) -> bool:
        return self.policy.schedule.frequency == "Hourly"

    @property
    def weekly(self) -> bool:
        return self.policy.schedule.frequency == "Weekly"

    @property
    def enhanced(self) -> bool:
        return self.policy.tier == "Enhanced"


@dataclass(frozen=True, slots=True)
class PolicyRule:
    """`source` names the Azure pages and clients that the rule was read in, by their keys in the rule table."""

    id: str
    severity: Severity
    source: str
    check: Callable[[Draft], Iterable[Breach]]
