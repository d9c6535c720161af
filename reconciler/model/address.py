"""What a resource is called in plans, journals and on the command line."""

from __future__ import annotations

from functools import cached_property

from reconciler.model.casing import fold


class Address:
    """`kind.scope/name`, for example `protected_vm.prod/rg-web/vm-web-01`.

    `scope` starts with the subscription's alias and may hold more segments (resource group, vault); `name` has no
    slash. Two addresses that differ in casing are the same address: Azure names are case-insensitive.
    """

    __slots__ = ("__dict__", "kind", "name", "scope")

    def __init__(self, kind: str, scope: str, name: str) -> None:
        self.kind = kind
        self.scope = scope
        self.name = name

    @classmethod
    def parse(cls, text: str) -> Address:
        """The inverse of `str()`. Raises ValueError for anything else."""
        kind, dot, rest = text.partition(".")
        scope, slash, name = rest.rpartition("/")
        if not (dot and slash and kind and scope and name):
            raise ValueError(f"not an address: {text!r} (expected kind.scope/name)")
        return cls(kind, scope, name)

    @cached_property
    def key(self) -> tuple[str, str, str]:
        """The comparable spelling, also the order in which plans list resources."""
        return (self.kind, fold(self.scope), fold(self.name))

    @property
    def subscription(self) -> str:
        """The alias of the subscription, from the Scope document."""
        return self.scope.partition("/")[0]

    def within(self, scope: str) -> bool:
        """True where this resource lies in `scope` (`prod`, `prod/rg-web`); whole segments, any casing."""
        return (fold(self.scope) + "/").startswith(fold(scope).rstrip("/") + "/")

    def __str__(self) -> str:
        return f"{self.kind}.{self.scope}/{self.name}"

    def __repr__(self) -> str:
        return f"Address({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Address) and other.key == self.key

    def __lt__(self, other: Address) -> bool:
        return self.key < other.key

    def __hash__(self) -> int:
        return hash(self.key)
