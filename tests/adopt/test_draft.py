"""What kinds answer becomes documents: asked again where one is left out, told where one cannot be written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from reconciler.adopt.draft import Draft, draft
from reconciler.kinds.adoption import Adopted, AdoptedEstate, Chosen, Held, Leave, Written, left_out, not_adopted
from reconciler.kinds.base import Kind
from reconciler.kinds.protected_vm.document import Backup
from reconciler.model.address import Address
from reconciler.model.document import Declared, Document
from reconciler.model.live import Live
from reconciler.model.machine import Machine
from reconciler.model.scope import Scope
from reconciler.model.source import Source
from tests.adopt.conftest import PROD, vm

Answer = Callable[[AdoptedEstate], Iterator[Adopted]]
ONE, TWO = vm("one"), vm("two")
VAULT = Address("vault", "prod/rg", "rsv")


class Answering:
    """A kind that only adopts."""

    def __init__(self, answer: Answer) -> None:
        self.adopt = answer


def drafted(*answers: Answer, machines: tuple[Machine, ...] = (ONE, TWO), **fields: Any) -> Draft:
    """Asked in this order: dependencies first, so the registry has them the other way round."""
    scope = Document("Scope", "estate", Scope(subscriptions={"prod": PROD}), Source("x"))
    estate = AdoptedEstate(Live({}, machines), Declared(scope), datetime(2026, 11, 22, tzinfo=UTC), **fields)
    return draft(estate, [cast("Kind[Any]", Answering(answer)) for answer in reversed(answers)])


def test_parts_of_a_document_are_put_together_and_seen_by_the_kinds_that_come_later() -> None:
    def vaults(estate: AdoptedEstate) -> Iterator[Adopted]:
        yield Written("Vault", "RSV", {"location": "westeurope"}, "Holds 1 VM.")

    def settings(estate: AdoptedEstate) -> Iterator[Adopted]:
        assert estate.has("Vault", "rsv")
        assert not estate.has("Vault", "other")
        yield Written("Vault", "rsv", {"redundancy": "GeoRedundant"})

    (sheet,) = drafted(vaults, settings).sheets
    assert (sheet.name, sheet.value) == ("RSV", {"location": "westeurope", "redundancy": "GeoRedundant"})
    assert sheet.origins == ["Holds 1 VM."]


def test_everything_is_asked_again_without_what_has_to_be_left() -> None:
    def vaults(estate: AdoptedEstate) -> Iterator[Adopted]:
        yield left_out("", "told once") if VAULT in estate.left else Written("Vault", "rsv", {})

    def policies(estate: AdoptedEstate) -> Iterator[Adopted]:
        if estate.has("Vault", "rsv"):
            yield Leave(VAULT, not_adopted(VAULT, "its policy is another"))
            yield not_adopted("", "of the first round only")

    found = drafted(vaults, policies)
    assert found.sheets == ()
    assert found.left == {VAULT}
    assert [finding.message for finding in found.findings] == ["its policy is another", "told once"]


@pytest.mark.parametrize("text", ["a\nb", "a\u202eb", "a\x00", "\u200b"])
def test_what_nobody_can_see_is_in_no_document(text: str) -> None:
    for written in (
        Written("Vault", text, {}),
        Written("Vault", "x", {"a": [{"b": text}]}),
        Written("V", "x", {text: 1}),
    ):
        found = drafted(lambda _, written=written: iter([written]))
        assert found.sheets == ()
        (finding,) = found.findings
        assert finding.code == "not-adopted"
        assert finding.message.isprintable()


def test_a_vm_whose_name_no_selector_can_say_is_told() -> None:
    odd = vm("web*")
    held = [Held(one.arm_id, "backup", Backup(policy="daily")) for one in (ONE, odd)]
    found = drafted(lambda _: iter(held), machines=(ONE, TWO, odd))
    assert [one.body["select"] for one in found.protections] == [{"ids": [str(ONE.arm_id)]}]
    assert "cannot stand in a selector" in found.findings[0].message


def test_sets_of_vms_become_selectors_of_exactly_those() -> None:
    groups = [Chosen(frozenset([ONE.arm_id])), Chosen(frozenset())]
    (sheet,) = drafted(lambda _: iter([Written("RecoveryPlan", "p", {"groups": groups})])).sheets
    assert sheet.value == {"groups": [{"ids": [str(ONE.arm_id)]}, {"not": {"subscriptions": ["prod"]}}]}


def test_what_broke_a_rule_is_not_written_again() -> None:
    held = [Held(ONE.arm_id, "backup", Backup(policy="daily"))]
    answers = [Written("Vault", "RSV", {}), *held]
    refused = frozenset({("Vault", "rsv"), ("Protection", "one")})
    found = drafted(lambda _: iter(answers), refused=refused)
    assert (found.sheets, found.protections) == ((), ())
