"""What we manage of a restore point collection: our tags on it."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from reconciler.model.resource import Spec


class CollectionSpec(Spec, frozen=True, kw_only=True):
    """`machine` is the ARM id of the VM; `keep` the retention that the points are taken under, as the tag spells it;
    `tags` are all that a new one is made with, ours included: those of others are never changed afterwards."""

    schedule: str
    machine: str
    keep: str
    tags: Mapping[str, str] = msgspec.field(default_factory=dict)
