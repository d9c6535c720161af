"""Which VMs a Protection or an Exemption speaks of: the shape. `desired/select.py` resolves it."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Glob = Annotated[str, Meta(min_length=1, description="Name; * and ? are wildcards; casing does not count.")]


class Selector(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    rename={"resource_groups": "resourceGroups", "not_": "not"},
):
    """Conditions on VMs: a VM must meet all the keys that are given; within a list, any one value."""

    all: Annotated[tuple[Selector, ...] | None, Meta(min_length=1, description="Every one of these.")] = None
    any: Annotated[tuple[Selector, ...] | None, Meta(min_length=1, description="At least one of these.")] = None
    not_: Annotated[Selector | None, Meta(description="Not this.")] = None
    ids: Annotated[tuple[str, ...] | None, Meta(min_length=1, description="ARM ids of VMs.")] = None
    names: Annotated[tuple[Glob, ...] | None, Meta(min_length=1, description="VM names.")] = None
    resource_groups: Annotated[tuple[Glob, ...] | None, Meta(min_length=1, description="Resource groups.")] = None
    subscriptions: Annotated[tuple[str, ...] | None, Meta(min_length=1, description="Aliases of the Scope.")] = None
    locations: Annotated[tuple[str, ...] | None, Meta(min_length=1, description="Regions, as westeurope.")] = None
    os: Annotated[tuple[Literal["Windows", "Linux"], ...] | None, Meta(min_length=1, description="OS types.")] = None
    tags: Annotated[
        dict[str, Glob | tuple[Glob, ...]] | None,
        Meta(min_length=1, description="Tag name → value, or several; * means that the tag is present."),
    ] = None
