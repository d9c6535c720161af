"""Every rule of replication policies that can be known without Azure (ASR-01 to ASR-05).

Azure accepts a value out of range and lets the operation fail minutes later: that is why they are checked here.
"""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.kinds.document_rule import Breach, DocumentRule, check_rules
from reconciler.kinds.replication_policy.spec import minutes
from reconciler.model.document import Declared, Document
from reconciler.model.replication import ReplicationPolicy
from reconciler.plan.finding import Finding, Severity

PolicyDocument = Document[ReplicationPolicy]
LONGEST_RETENTION = 15 * 24 * 60
SHORTEST_APP_CONSISTENT, LONGEST_APP_CONSISTENT = 60, 12 * 60
ALL_POINTS_KEPT = 2 * 60
"""Minutes for which every recovery point is kept; older ones are thinned out, whatever the retention (ASR-04)."""


def _retention(document: PolicyDocument, _declared: Declared) -> Iterator[Breach]:
    written = document.value.recovery_point_retention
    if minutes(written) > LONGEST_RETENTION:
        yield Breach(
            ("recoveryPointRetention",), f"{written}: recovery points are kept for 15 days at most", "write 15d"
        )


def _app_consistent(document: PolicyDocument, _declared: Declared) -> Iterator[Breach]:
    written = document.value.app_consistent_every
    if written is None:
        return
    every, kept = minutes(written), minutes(document.value.recovery_point_retention)
    path = ("appConsistentEvery",)
    if not SHORTEST_APP_CONSISTENT <= every <= LONGEST_APP_CONSISTENT:
        message = f"{written}: application-consistent points are taken every 1 to 12 hours"
        yield Breach(path, message, "write 1h to 12h, or leave it out to take none")
    elif every > kept:
        yield Breach(
            path,
            f"{written} is longer than recovery points are kept ({document.value.recovery_point_retention})",
            "take them more often, or keep points longer",
            (document.at("recoveryPointRetention"),),
        )


def _short_retention(document: PolicyDocument, _declared: Declared) -> Iterator[Breach]:
    written = document.value.recovery_point_retention
    if minutes(written) < ALL_POINTS_KEPT:
        yield Breach(
            ("recoveryPointRetention",),
            f"{written}: a fault that is noticed later than that is in every point there is",
            "write 24h, Azure's own default, unless this is meant",
        )


def _thinned(document: PolicyDocument, _declared: Declared) -> Iterator[Breach]:
    written = document.value.app_consistent_every
    kept = minutes(document.value.recovery_point_retention)
    if written is None or kept <= 24 * 60 or minutes(written) >= ALL_POINTS_KEPT:
        return
    yield Breach(
        ("appConsistentEvery",),
        f"{written}: of the points older than a day Azure keeps one for each 2 hours, older than a week one for 4",
        "take them every 2h or less often where older ones are meant to be restored",
    )


POLICY_RULES: tuple[DocumentRule[ReplicationPolicy], ...] = (
    DocumentRule("ASR-01", Severity.ERROR, "a2aq, a2ap, tf-rpol:61", _retention),
    DocumentRule("ASR-02", Severity.ERROR, "a2ap, tf-rpol:102,137,210", _app_consistent),
    DocumentRule("ASR-04", Severity.WARNING, "a2aq, er", _thinned),
    DocumentRule("ASR-05", Severity.WARNING, "a2aq, a2ap", _short_retention),
)


def check_policy(document: PolicyDocument, declared: Declared) -> Iterator[Finding]:
    """All that is wrong with one ReplicationPolicy."""
    return check_rules(POLICY_RULES, document, declared)
