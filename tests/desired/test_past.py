"""What base and last apply asked for: found by digest or in git, expanded on the Azure of today, or said to be lost."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from reconciler.desired.git.repository import Repository
from reconciler.desired.git.revision import RevisionError
from reconciler.desired.past import Checkout, Policies, find_applied, look_back, read_policies_at, recall
from reconciler.desired.validate import validate
from reconciler.kinds.base import Kind
from reconciler.model.arm_id import ArmId
from reconciler.model.live import Live, Unreadable
from reconciler.model.machine import Machine
from reconciler.model.resource import State
from reconciler.model.stamp import Stamp
from tests.desired.history import History

Kinds = tuple[Kind[Any], ...]
IDS = {"prod": "00000000-0000-0000-0000-00000000000a", "dev": "00000000-0000-0000-0000-00000000000b"}
NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
GAP = Unreadable(("vault",), "prod", "the list of vaults could not be read", advice="give the identity a role")
HERE: State = {}
"""The state of the policies here: recognised by being this very object."""


def write(strength: int, subscriptions: dict[str, str] | None = None) -> str:
    """Policies that put a lock of some strength on every VM."""
    documents: list[dict[str, Any]] = [
        {"kind": "Scope", "name": "shop", "subscriptions": subscriptions or IDS},
        {"kind": "Lock", "name": "base", "strength": strength},
        {"kind": "Protection", "name": "all", "select": {"names": ["vm-*"]}, "locked": {"lock": "base"}},
    ]
    return "---\n".join(json.dumps({"apiVersion": "reconciler/v1", **one}) + "\n" for one in documents)


def machine(alias: str) -> Machine:
    vm = f"/subscriptions/{IDS[alias]}/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm-{alias}"
    return Machine(ArmId(vm), alias, "rg", f"vm-{alias}", "westeurope")


LIVE = Live({}, machines=(machine("prod"), machine("dev")))


@pytest.fixture
def opened() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def checkout(opened: ExitStack, kinds: Kinds, base: str = "", *, git: bool = True) -> Checkout:
    """Of the policies on disk, and of the base at a commit."""
    paths = [Path("policies")]
    validation = validate(paths, NOW.date(), kinds)
    assert validation.declared, validation.findings
    found = Checkout(Policies(validation.declared, validation))
    repository = Repository.around(paths) if git else None
    if repository is None:
        return found
    opened.enter_context(repository)
    found = dataclasses.replace(found, repository=repository, head=repository.head, dirty=repository.dirty())
    if not base:
        return found
    policies, _ = read_policies_at(repository, base, NOW.date(), kinds)
    return dataclasses.replace(found, ref="main", commit=base, base=policies)


def stamp_of(at: str, kinds: Kinds, **values: Any) -> Stamp:
    repository = Repository.around([Path("policies")])
    assert repository
    with repository:
        policies, _ = read_policies_at(repository, at, NOW.date(), kinds)
    return Stamp(**{"commit": at, "policies": policies.digest, "at": NOW, **values})


def strengths(state: State | None) -> set[int]:
    assert state is not None
    return {resource.spec.strength for resource in state.values() if hasattr(resource.spec, "strength")}


def test_three_sets_of_policies_on_one_azure(history: History, kinds: Kinds, opened: ExitStack) -> None:
    first, merged = (history.commit({"policies/all.yaml": write(strength)}) for strength in (1, 2))
    history.commit({"policies/all.yaml": write(3)})
    past = recall(checkout(opened, kinds, merged), stamp_of(first, kinds), HERE, LIVE, NOW, kinds)
    assert strengths(past.at_base) == {2}
    assert strengths(past.applied) == {1}
    assert past.findings == ()
    assert past.base is not None
    assert (past.base.ref, past.base.commit, past.base.applied) == ("main", merged, first)


def test_one_digest_is_expanded_once(history: History, kinds: Kinds, opened: ExitStack) -> None:
    """A rename and a commit that leaves the policies alone are no other policies."""
    first = history.commit({"policies/all.yaml": write(1)})
    history.commit({"policies/all.yaml": None, "policies/renamed.yaml": write(1), "README": "more"})
    past = recall(checkout(opened, kinds, first), stamp_of(first, kinds), HERE, LIVE, NOW, kinds)
    assert past.at_base is HERE
    assert past.applied is HERE


@pytest.mark.parametrize("stamped", [True, False])
def test_what_is_known_stands_in_for_what_is_not(
    history: History, kinds: Kinds, opened: ExitStack, stamped: bool
) -> None:
    first = history.commit({"policies/all.yaml": write(1)})
    history.commit({"policies/all.yaml": write(2)})
    found = checkout(opened, kinds, "" if stamped else first)
    past = recall(found, stamp_of(first, kinds) if stamped else None, HERE, LIVE, NOW, kinds)
    assert past.at_base is past.applied
    assert strengths(past.applied) == {1}


def test_nothing_is_told_where_nothing_is_known(history: History, kinds: Kinds, opened: ExitStack) -> None:
    first = history.commit({"policies/all.yaml": write(1)})
    assert recall(checkout(opened, kinds), None, HERE, LIVE, NOW, kinds).base is None
    invalid = dataclasses.replace(checkout(opened, kinds), ref="main", commit=first, invalid=True)
    past = recall(invalid, stamp_of(first, kinds), HERE, LIVE, NOW, kinds)
    assert (past.base, past.at_base, past.applied) == (None, None, None)


def test_policies_select_in_the_subscriptions_of_their_own_scope(
    history: History, kinds: Kinds, opened: ExitStack
) -> None:
    """The edit adds a subscription: its VMs are wanted here, and were not at the base."""
    other = {"prod": IDS["prod"], "dev": "00000000-0000-0000-0000-00000000000c"}
    bases = [history.commit({"policies/all.yaml": write(1, only)}) for only in ({"prod": IDS["prod"]}, other)]
    history.commit({"policies/all.yaml": write(1)})
    for base in bases:
        past = recall(checkout(opened, kinds, base), None, HERE, LIVE, NOW, kinds)
        assert past.at_base is not None
        assert [str(address) for address in past.at_base] == ["locked_vm.prod/rg/vm-prod", "lock.shop/base"]


def test_a_subscription_that_had_another_alias_is_told(history: History, kinds: Kinds, opened: ExitStack) -> None:
    renamed = write(1, {"production": IDS["prod"], "dev": IDS["dev"]})
    base = history.commit({"policies/all.yaml": renamed})
    history.commit({"policies/all.yaml": write(1)})
    past = recall(checkout(opened, kinds, base), stamp_of(base, kinds), HERE, LIVE, NOW, kinds)
    (told,) = past.findings
    assert told.code == "renamed-alias"
    assert "prod here, and production in" in told.message


def test_no_policies_at_the_base_make_everything_new(history: History, kinds: Kinds, opened: ExitStack) -> None:
    empty = history.commit({"README": "begun"})
    history.commit({"policies/all.yaml": write(1)})
    past = recall(checkout(opened, kinds, empty), None, HERE, LIVE, NOW, kinds)
    assert past.at_base == {}


@pytest.mark.parametrize(
    ("stamp", "git", "words"),
    [
        ({"dirty": True}, True, "they were not as committed"),
        ({"commit": ""}, True, "they were in no git repository"),
        ({}, False, "no git repository to look"),
        ({"commit": "e" * 40}, True, "not in this clone"),
        ({"policies": "f" * 64}, True, "other policies at these paths"),
    ],
)
def test_why_the_last_apply_is_not_known(
    history: History, kinds: Kinds, opened: ExitStack, stamp: dict[str, Any], git: bool, words: str
) -> None:
    first = history.commit({"policies/all.yaml": write(1)})
    history.commit({"policies/all.yaml": write(2)})
    applied = stamp_of(first, kinds, **stamp)
    found = checkout(opened, kinds, git=git)
    with pytest.raises(RevisionError) as error:
        find_applied(found, applied, NOW.date(), kinds)
    assert words in str(error.value)
    assert error.value.advice
    past = recall(found, applied, HERE, LIVE, NOW, kinds)
    (told,) = (finding for finding in past.findings if finding.code == "applied-unknown")
    assert told.severity == "warning"
    assert told.advice == error.value.advice
    with pytest.raises(RevisionError):
        look_back(found, applied, NOW.date(), kinds)


def test_policies_that_were_applied_and_are_not_valid_any_more(
    history: History, kinds: Kinds, opened: ExitStack
) -> None:
    first = history.commit({"policies/all.yaml": write(1).replace('"Lock"', '"Padlock"')})
    history.commit({"policies/all.yaml": write(2)})
    with pytest.raises(RevisionError, match="Padlock"):
        find_applied(checkout(opened, kinds), stamp_of(first, kinds), NOW.date(), kinds)


def test_a_list_that_failed_is_told_where_there_is_git(history: History, kinds: Kinds, opened: ExitStack) -> None:
    history.commit({"policies/all.yaml": write(1)})
    for git, codes in ((True, ["applied-unknown"]), (False, [])):
        found = checkout(opened, kinds, git=git)
        assert [item.code for item in recall(found, GAP, HERE, LIVE, NOW, kinds).findings] == codes
        policies, past = look_back(found, GAP, NOW.date(), kinds)
        assert policies is found.here
        assert [item.code for item in past.findings] == codes


def test_drift_is_measured_by_what_was_applied(history: History, kinds: Kinds, opened: ExitStack) -> None:
    first = history.commit({"policies/all.yaml": write(1)})
    stamp = stamp_of(first, kinds)
    assert look_back(checkout(opened, kinds), None, NOW.date(), kinds)[1].base is None
    assert look_back(checkout(opened, kinds), stamp, NOW.date(), kinds)[1].findings == ()
    for strength in (2, 3):
        history.commit({"policies/all.yaml": write(strength)})
    policies, past = look_back(checkout(opened, kinds), stamp, NOW.date(), kinds)
    assert policies.digest == stamp.policies
    (waiting,) = past.findings
    assert waiting.code == "unapplied"
    assert "2 commits since then change the policies" in waiting.message


def test_a_checkout_that_lacks_what_was_applied(history: History, kinds: Kinds, opened: ExitStack) -> None:
    first = history.commit({"policies/all.yaml": write(1)})
    newer = history.commit({"policies/all.yaml": write(2)})
    stamp = stamp_of(newer, kinds)
    history.detach(first)
    history.commit({"policies/all.yaml": write(3)})
    _, past = look_back(checkout(opened, kinds), stamp, NOW.date(), kinds)
    behind = next(finding for finding in past.findings if finding.code == "behind")
    assert newer[:10] in behind.message
    assert "rebase" in behind.advice


def test_a_stamp_that_is_disputed_counts_and_is_told(history: History, kinds: Kinds, opened: ExitStack) -> None:
    first = history.commit({"policies/all.yaml": write(1)})
    stamp = stamp_of(first, kinds, doubts=("vault rsv-two says commit eeeeeeeeee, applied 2026-03-02 08:00 UTC",))
    for found in (
        recall(checkout(opened, kinds), stamp, HERE, LIVE, NOW, kinds),
        look_back(checkout(opened, kinds), stamp, NOW.date(), kinds)[1],
    ):
        (told,) = found.findings
        assert (told.code, told.severity) == ("stamp-disputed", "warning")
        assert f"commit {first[:10]}" in told.message
        assert "vault rsv-two says commit eeeeeeeeee" in told.message
