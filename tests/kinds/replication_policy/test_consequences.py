"""What a change of a policy does to the recovery points of the VMs that follow it."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.kinds.base import Comparison, Situation
from reconciler.kinds.replication_policy.consequences import policy_consequences
from reconciler.kinds.replication_policy.spec import ReplicationPolicySpec, spoken_minutes
from reconciler.model.address import Address
from reconciler.model.arm_id import ArmId
from reconciler.model.document import Declared, Document
from reconciler.model.live import Live, Unreadable
from reconciler.model.replicated import ReplicationFacts
from reconciler.model.resource import Ref, Resource, Spec
from reconciler.model.scope import Scope
from reconciler.model.source import Source
from reconciler.plan.change import Consequence, Effect
from tests.kinds.conftest import NOW, PROD

VAULT = ArmId(f"/subscriptions/{PROD}/resourceGroups/rg-dr/providers/Microsoft.RecoveryServices/vaults/rsv-dr")
ADDRESS = Address("replication_policy", "prod/rg-dr/rsv-dr", "day")
DECLARED = Declared(Document("Scope", "scope", Scope(subscriptions={"prod": PROD}), Source("policies/s.yaml", 1, 1)))
DAY = {"retention_minutes": 1440, "app_consistent_minutes": 240, "multi_vm_sync": True}


def machine(number: int, policy: str = "DAY") -> Resource:
    facts = ReplicationFacts(
        vault_id=VAULT,
        item_id=VAULT.child("items", str(number)),
        machine_id=ArmId(f"/subscriptions/{PROD}/vm{number}"),
        name=f"vm{number}",
        policy_name=policy,
        primary_region="westeurope",
        recovery_region="northeurope",
    )
    return Resource(Address("replicated_vm", "prod/rg-app", f"vm{number}"), Spec(), observed=facts)


def consequences(change: dict[str, Any], *machines: Resource, unread: bool = False) -> list[Consequence]:
    vault = Ref.of(Address("vault", "prod/rg-dr", "rsv-dr"))
    live = Resource(ADDRESS, ReplicationPolicySpec(vault=vault, **DAY), VAULT.child("replicationPolicies", "day"))
    desired = Resource(ADDRESS, ReplicationPolicySpec(vault=vault, **{**DAY, **change}))
    gap = Unreadable(kinds=("replicated_vm",), scope="prod/rg-dr/rsv-dr", message="the list could not be read")
    state = {one.address: one for one in (live, *machines)}
    seen = Live(state=state, unreadable=(gap,) if unread else ())
    return list(policy_consequences(Comparison(ADDRESS, desired, live, (), Situation(DECLARED, {}, seen, NOW))))


@pytest.mark.parametrize(
    ("change", "effect", "words"),
    [
        ({"retention_minutes": 720}, Effect.PRUNES, "recovery points of 2 VMs older than 12h are deleted"),
        ({"retention_minutes": 21600}, Effect.STRENGTHENS, "kept for 15d from now on (24h so far)"),
        ({"app_consistent_minutes": 0}, Effect.WEAKENS, "no longer (every 4h so far)"),
        ({"app_consistent_minutes": 720}, Effect.WEAKENS, "every 12h (every 4h so far)"),
        ({"multi_vm_sync": False}, Effect.WEAKENS, "share no recovery points"),
    ],
)
def test_what_is_lost_and_won(change: dict[str, Any], effect: Effect, words: str) -> None:
    (found,) = consequences(change, machine(1), machine(2), machine(3, "other"))
    assert found.effect is effect
    assert words in found.text
    assert found.figures == {"vms": 2}


def test_a_policy_that_nobody_follows_changes_nothing() -> None:
    assert consequences({"retention_minutes": 720}) == []
    assert consequences({"app_consistent_minutes": 60}, machine(1)) == []


def test_where_the_vms_could_not_be_read_it_is_still_told() -> None:
    found = consequences({"retention_minutes": 720}, unread=True)
    assert [one.effect for one in found] == [Effect.NONE, Effect.PRUNES]
    assert "an unknown number of VMs" in found[1].text
    assert found[1].figures == {}


@pytest.mark.parametrize(
    ("count", "text"), [(0, "none"), (30, "30m"), (60, "1h"), (90, "90m"), (1440, "24h"), (2880, "2d"), (21600, "15d")]
)
def test_minutes_are_told_as_the_policies_write_them(count: int, text: str) -> None:
    assert spoken_minutes(count) == text
