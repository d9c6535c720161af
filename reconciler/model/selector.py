"""Which VMs a Protection or an Exemption speaks of: the shape. `desired/roster.py` resolves it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Glob = Annotated[str, Meta(min_length=1, description="A name; * and ? are wildcards.")]
Selectors = Annotated[tuple["Selector", ...], Meta(min_length=1)]
Globs = Annotated[tuple[Glob, ...], Meta(min_length=1)]
Names = Annotated[tuple[Annotated[str, Meta(min_length=1)], ...], Meta(min_length=1)]


class Selector(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    rename={"resource_groups": "resourceGroups", "not_": "not"},
):
    """Conditions on VMs: a VM must meet every key that is given; within a list, any one value is enough."""

    all: Annotated[Selectors | None, Meta(description="The VM must meet every one of these.")] = None
    any: Annotated[Selectors | None, Meta(description="The VM must meet at least one of these.")] = None
    not_: Annotated[Selector | None, Meta(description="The VM must not meet this.")] = None
    ids: Annotated[Names | None, Meta(description="ARM ids of VMs, in any casing.")] = None
    names: Annotated[Globs | None, Meta(description="VM names; * and ? are wildcards, casing does not count.")] = None
    resource_groups: Annotated[
        Globs | None, Meta(description="Resource groups; * and ? are wildcards, casing does not count.")
    ] = None
    subscriptions: Annotated[Names | None, Meta(description="Subscriptions, by their alias in the Scope.")] = None
    locations: Annotated[Names | None, Meta(description="Regions, as westeurope.")] = None
    os: Annotated[
        Annotated[tuple[Literal["Windows", "Linux"], ...], Meta(min_length=1)] | None,
        Meta(description="Operating systems."),
    ] = None
    tags: Annotated[
        Annotated[dict[str, Glob | Globs], Meta(min_length=1)] | None,
        Meta(
            description="Tag name → value, or a list of values of which one is enough. "
            "The casing of names does not count, that of values does; * means that the tag is there."
        ),
    ] = None

    def given(self) -> Iterator[tuple[str, Selector]]:
        """Every key that is given, as written in YAML, with a selector of that key alone."""
        for name, written in zip(self.__struct_fields__, self.__struct_encode_fields__, strict=True):
            value = getattr(self, name)
            if value is not None:
                yield written, Selector(**{name: value})
