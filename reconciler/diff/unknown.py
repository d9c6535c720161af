"""Lists that could not be read, said once each, with what they hide."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from reconciler.model.address import Address
from reconciler.model.counting import count
from reconciler.model.live import Live, Unreadable
from reconciler.plan.finding import Finding, Severity


def report_unreadable(live: Live, unknown: Mapping[Address, Unreadable]) -> Iterator[Finding]:
    """One warning for each list that failed. The plan goes on with the rest and is not complete."""
    hidden = Counter(unknown.values())
    for gap in live.unreadable:
        yield Finding(
            code="unreadable",
            message=f"{gap.message}{_because(gap)}; {_hides(hidden[gap])}",
            severity=Severity.WARNING,
            advice=gap.advice,
            address=gap.scope,
        )


def _because(gap: Unreadable) -> str:
    return f" ({gap.why})" if gap.why else ""


def _hides(hidden: int) -> str:
    if not hidden:
        return "what lies behind it is unknown, and nothing is planned for it"
    return f"unknown behind it: {count(hidden, 'resource')}, for which nothing is planned"
