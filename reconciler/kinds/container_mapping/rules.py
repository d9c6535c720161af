"""Every rule of replication routes that can be known without Azure, and the check that runs them all."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.kinds.container_mapping.place_rules import PLACE_RULES
from reconciler.kinds.container_mapping.resource_rules import RESOURCE_RULES
from reconciler.kinds.document_rule import check_rules
from reconciler.model.document import Declared, Document
from reconciler.model.replication import ReplicationRoute
from reconciler.plan.finding import Finding

ROUTE_RULES = (*PLACE_RULES, *RESOURCE_RULES)


def check_route(document: Document[ReplicationRoute], declared: Declared) -> Iterator[Finding]:
    """All that is wrong with one ReplicationRoute."""
    return check_rules(ROUTE_RULES, document, declared)
