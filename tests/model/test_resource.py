"""References of a spec: single ones, and those of a tuple."""

from __future__ import annotations

from reconciler.diff.fields import plain
from reconciler.kinds.phrases import spoken
from reconciler.model.address import Address
from reconciler.model.resource import Ref, Spec


class Plan(Spec, frozen=True, kw_only=True):
    vault: Ref
    members: tuple[Ref, ...] = ()
    next: Ref | None = None
    words: tuple[str, ...] = ()


VAULT = Ref.of(Address("vault", "prod/rg", "rsv"))
FIRST, SECOND = (Ref.of(Address("replicated_vm", "prod/rg", name)) for name in ("vm-1", "vm-2"))


def test_every_reference_is_told_by_its_field_in_order() -> None:
    spec = Plan(vault=VAULT, members=(SECOND, FIRST), words=("a",))
    assert list(spec.refs()) == [("vault", VAULT), ("members", SECOND), ("members", FIRST)]


def test_a_tuple_of_references_is_plain_in_plans_and_named_in_reports() -> None:
    spec = Plan(vault=VAULT, members=(FIRST, SECOND))
    assert plain(spec)["members"] == ["replicated_vm.prod/rg/vm-1", "replicated_vm.prod/rg/vm-2"]
    assert {phrase.name: phrase.text for phrase in spoken(spec)} == {"vault": "rsv", "members": "vm-1, vm-2"}
