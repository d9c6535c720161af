"""Resources and states: the one value that both sides of the comparison become."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import msgspec

from reconciler.model.address import Address
from reconciler.model.arm_id import ArmId
from reconciler.model.source import Source


class Ref(msgspec.Struct, frozen=True):
    """A reference to another resource. A spec field of this type, or a tuple of them, *is* the dependency edge."""

    to: str
    """The address, spelled out. Compare through `address`: casing does not count."""

    @classmethod
    def of(cls, address: Address) -> Ref:
        return cls(str(address))

    @property
    def address(self) -> Address:
        return Address.parse(self.to)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Ref) and other.to.casefold() == self.to.casefold()

    def __hash__(self) -> int:
        return hash(self.to.casefold())

    def __str__(self) -> str:
        return self.to


class Spec(msgspec.Struct, frozen=True, kw_only=True):
    """What we manage of one resource, and nothing else: the same type for desired and live.

    Fields are plain values, tuples, frozen structs, `Ref`, or tuples of `Ref`. A spec is comparable with `==` after its
    kind's `normalise`.
    """

    def refs(self) -> Iterator[tuple[str, Ref]]:
        """The references this spec holds, by field name; those of a tuple one by one, in its order."""
        for name in self.__struct_fields__:
            value = getattr(self, name)
            for item in value if isinstance(value, tuple) else (value,):
                if isinstance(item, Ref):
                    yield name, item


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource, desired or live.

    `arm_id` is where it lives (live) or will live (desired, where that is known). `observed` holds what the kind saw
    and does not manage (health, last recovery point): read by consequences, guards and objectives, never compared.
    `origins` tells for desired resources which line gave which field; `source` is the document that asked for it.
    """

    address: Address
    spec: Spec
    arm_id: ArmId | None = None
    location: str = ""
    observed: Any = None
    source: Source | None = None
    origins: Mapping[str, Source] = field(default_factory=dict)


State: TypeAlias = Mapping[Address, Resource]
