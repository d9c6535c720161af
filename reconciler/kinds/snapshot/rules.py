"""Every rule of snapshot schedules that can be known without Azure, and the check that runs them all."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.kinds.document_rule import check_rules
from reconciler.kinds.snapshot.cadence_rules import CADENCE_RULES
from reconciler.kinds.snapshot.point_rules import POINT_RULES
from reconciler.kinds.snapshot.storage_rules import STORAGE_RULES
from reconciler.kinds.tag_room import LONGEST_VALUE
from reconciler.model.document import Declared, Document
from reconciler.model.snapshot_schedule import SnapshotSchedule
from reconciler.plan.finding import Finding

RULES = (*CADENCE_RULES, *STORAGE_RULES, *POINT_RULES)


def check_schedule(document: Document[SnapshotSchedule], declared: Declared) -> Iterator[Finding]:
    """All that is wrong with one SnapshotSchedule, each at the line that has to change."""
    yield from _name(document)
    yield from check_rules(RULES, document, declared)


def _name(document: Document[SnapshotSchedule]) -> Iterator[Finding]:
    """Every snapshot carries it as the value of a tag: one that Azure cuts or refuses would make it nobody's."""
    size = len(document.name.encode())
    if size > LONGEST_VALUE:
        yield Finding(
            code="SN-01",
            message=f"SnapshotSchedule {document.name[:40]}… name: it takes {size} bytes, and becomes the value of a "
            f"tag, where Azure has room for {LONGEST_VALUE}",
            advice="shorten it",
            source=document.at("name"),
            rule_source="tf-snap, tf-tag",
        )
