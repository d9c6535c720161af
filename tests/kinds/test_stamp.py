"""The stamp of the last apply: found among what people do to tags, and written without a trace in any plan."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from reconciler.apply.preflight import Permission
from reconciler.azure.clients import Azure
from reconciler.azure.vault_list import vault_list
from reconciler.errors import DeniedError
from reconciler.kinds.stamp import PERMISSION, Stamping, read_stamp, stamp_of, tags_of, write_stamp
from reconciler.kinds.vault.kind import VaultKind
from reconciler.model.document import Declared, Document
from reconciler.model.live import Unreadable
from reconciler.model.resource import Resource
from reconciler.model.stamp import Stamp
from reconciler.model.vault import Vault
from tests.kinds.conftest import PROD, TEST

ROLES = Path(__file__).parents[2] / "docs" / "roles"

COMMIT, POLICIES = "c" * 40, "d" * 64
AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
STAMP = Stamp(commit=COMMIT, policies=POLICIES, at=AT)
TAGS = {"reconciler-commit": COMMIT, "reconciler-policies": POLICIES, "reconciler-applied": "2026-03-02T08:00:00Z"}
LATER = {**TAGS, "reconciler-commit": "e" * 40, "reconciler-applied": "2026-03-02T08:30:00Z"}
Make = Callable[..., Any]


def vault(name: str, subscription: str = "Prod", **tags: str) -> dict[str, Any]:
    place = {"subscription": subscription, "resourceGroup": "rg-backup", "location": "westeurope"}
    return {"name": name, **place, "tags": tags}


@pytest.fixture
def declared(vault_document: Callable[..., Document[Vault]], declare: Callable[..., Declared]) -> Declared:
    """Two vaults in one subscription, one in another; `owner` is a tag that the policies speak of."""
    return declare(
        vault_document("rsv-one", tags={"owner": "platform"}),
        vault_document("rsv-two"),
        vault_document("rsv-test", subscription="test"),
    )


async def tags_there(azure: Azure) -> dict[str, dict[str, str | None]]:
    azure.forget()
    lists = await asyncio.gather(*(vault_list(azure, home) for home in (PROD, TEST)))
    return {vault.name: dict(vault.tags or {}) for found in lists for vault in found}


@pytest.mark.parametrize(
    ("tags", "found"),
    [
        (TAGS, STAMP),
        ({name.title(): value for name, value in TAGS.items()}, STAMP),
        ({**TAGS, "reconciler-commit": f"{COMMIT}+dirty"}, Stamp(commit=COMMIT, policies=POLICIES, at=AT, dirty=True)),
        ({**TAGS, "reconciler-commit": ""}, Stamp(commit="", policies=POLICIES, at=AT)),
        ({**TAGS, "reconciler-applied": "2026-03-02T09:00:00+01:00"}, STAMP),
        ({}, None),
        ({**TAGS, "reconciler-commit": "main"}, None),
        ({**TAGS, "reconciler-policies": ""}, None),
        ({**TAGS, "reconciler-applied": "yesterday"}, None),
        ({**TAGS, "reconciler-applied": "2026-03-02T08:00:00"}, None),
        ({**TAGS, "reconciler-applied": None}, None),
        ({**TAGS, "reconciler-applied": "0001-01-01T00:00:00+14:00"}, None),
        ({**TAGS, "reconciler-applied": "9999-12-31T23:59:59-14:00"}, None),
        ({**TAGS, "reconciler-commit": f"../../{COMMIT}"}, None),
        ({**TAGS, "reconciler-commit": f"{COMMIT}\n"}, None),
        ({**TAGS, "reconciler-policies": f"{POLICIES}\x1b[2J"}, None),
        ({name: value for name, value in TAGS.items() if name != "reconciler-commit"}, None),
    ],
)
def test_what_is_a_stamp(tags: dict[str, str | None], found: Stamp | None) -> None:
    assert stamp_of(tags) == found


@pytest.mark.parametrize("stamp", [STAMP, Stamp(commit="a" * 64, policies=POLICIES, at=AT, dirty=True)])
def test_tags_say_the_whole_stamp(stamp: Stamp) -> None:
    assert stamp_of(tags_of(stamp)) == stamp


@pytest.mark.parametrize(
    ("vaults", "commit"),
    [
        ([vault("rsv-one")], None),
        ([vault("rsv-one", **TAGS), vault("rsv-test", "Test", **LATER)], "e" * 40),
        ([vault("rsv-one", **LATER), vault("rsv-two", **TAGS)], "e" * 40),
        ([vault("rsv-one", **TAGS), vault("rsv-other", **LATER)], COMMIT),
        ([vault("RSV-ONE", **TAGS), vault("rsv-two", **{**LATER, "reconciler-policies": "x"})], COMMIT),
    ],
    ids=["none", "newest", "newest of one subscription", "declared vaults only", "damaged ones do not count"],
)
async def test_the_newest_stamp_counts(
    emulated: Make, estate: dict[str, Any], declared: Declared, vaults: list[dict[str, Any]], commit: str | None
) -> None:
    estate["resourceGroups"].append({"subscription": "Test", "name": "rg-backup", "location": "westeurope"})
    estate["backup"] = {"vaults": vaults}
    async with emulated(estate) as (_, azure):
        found = await read_stamp(azure, declared)
    assert not isinstance(found, Unreadable)
    assert (found and found.commit) == commit


FUTURE = {**LATER, "reconciler-applied": "2099-01-01T00:00:00Z"}


@pytest.mark.parametrize(
    ("vaults", "commit", "doubts"),
    [
        ([vault("rsv-one", **TAGS), vault("rsv-two", **TAGS)], COMMIT, []),
        ([vault("rsv-one", **TAGS), vault("rsv-two")], COMMIT, []),
        ([vault("rsv-one", **TAGS), vault("rsv-two", **LATER)], "e" * 40, ["vault rsv-one says commit cccccccccc"]),
        ([vault("rsv-one", **TAGS), vault("rsv-two", **FUTURE)], COMMIT, ["vault rsv-two says commit eeeeeeeeee"]),
        ([vault("rsv-one", **FUTURE)], "e" * 40, ["vault rsv-one is of the future (2099-01-01"]),
    ],
    ids=["agreed", "a new vault", "one lags, or lies", "one of the future among others", "one of the future alone"],
)
async def test_whoever_writes_tags_decides_nothing_in_silence(
    emulated: Make,
    estate: dict[str, Any],
    declared: Declared,
    vaults: list[dict[str, Any]],
    commit: str,
    doubts: list[str],
) -> None:
    estate["backup"] = {"vaults": vaults}
    async with emulated(estate) as (_, azure):
        found = await read_stamp(azure, declared)
        assert isinstance(found, Stamp)
        assert found.commit == commit
        assert len(found.doubts) == len(doubts)
        assert all(part in told for part, told in zip(doubts, found.doubts, strict=True))
        written = await write_stamp(azure, declared, Stamp(commit="e" * 40, policies=POLICIES, at=azure.now()))
        assert written.failures == ()
        healed = await read_stamp(azure, declared)
    assert isinstance(healed, Stamp)
    assert healed.doubts == ()


async def test_a_list_that_fails_is_not_the_absence_of_a_stamp(
    emulated: Make, estate: dict[str, Any], declared: Declared
) -> None:
    estate["backup"] = {"vaults": [vault("rsv-one", **TAGS)]}
    async with emulated(estate) as (served, azure):
        fault = {"path": f"*{TEST}*vaults", "status": 403, "code": "AuthorizationFailed", "message": "denied"}
        await asyncio.to_thread(served.running.ask, "POST", "faults", fault)
        found = await read_stamp(azure, declared)
    assert isinstance(found, Unreadable)
    assert found.scope == "test"


async def test_it_is_merged_onto_every_declared_vault_that_is_there(
    emulated: Make, estate: dict[str, Any], declared: Declared
) -> None:
    """Tags of others stay, vaults of others are left alone, and one that is missing is no failure."""
    estate["backup"] = {"vaults": [vault("rsv-one", owner="platform", cost="7"), vault("rsv-two"), vault("rsv-other")]}
    async with emulated(estate) as (served, azure):
        assert await write_stamp(azure, declared, STAMP) == Stamping(vaults=("rsv-one", "rsv-two"))
        there = await tags_there(azure)
        served.emulator.log.clear()
        later = Stamp(commit=COMMIT, policies=POLICIES, at=datetime.now(UTC))
        assert await write_stamp(azure, declared, later) == Stamping()
        again = [entry.method for entry in served.emulator.log.recent()]
    assert there == {"rsv-one": {"owner": "platform", "cost": "7", **TAGS}, "rsv-two": TAGS, "rsv-other": {}}
    assert "PATCH" not in again, "another time alone is not worth a write"


async def test_one_vault_that_lags_makes_all_of_them_new(
    emulated: Make, estate: dict[str, Any], declared: Declared
) -> None:
    """What was applied before is applied once more: its older time must not lose against what lies between."""
    estate["backup"] = {"vaults": [vault("rsv-one", **TAGS), vault("rsv-two", **LATER)]}
    async with emulated(estate) as (_, azure):
        now = AT + timedelta(minutes=45)
        written = await write_stamp(azure, declared, Stamp(commit=COMMIT, policies=POLICIES, at=now))
        assert written == Stamping(vaults=("rsv-one", "rsv-two"))
        assert (await read_stamp(azure, declared)) == Stamp(commit=COMMIT, policies=POLICIES, at=now)
        assert {tags["reconciler-applied"] for tags in (await tags_there(azure)).values()} == {"2026-03-02T08:45:00Z"}


async def test_a_vault_that_refuses_is_named_and_the_others_are_stamped(
    emulated: Make, estate: dict[str, Any], declared: Declared
) -> None:
    estate["backup"] = {"vaults": [vault("rsv-one"), vault("rsv-two")]}
    async with emulated(estate) as (served, azure):
        fault = {"path": "*rsv-one*tags*", "status": 403, "code": "AuthorizationFailed", "message": "denied"}
        await asyncio.to_thread(served.running.ask, "POST", "faults", fault)
        written = await write_stamp(azure, declared, STAMP)
        there = await tags_there(azure)
    (failure,) = written.failures
    assert written.vaults == ("rsv-two",)
    assert isinstance(failure, DeniedError)
    assert "rsv-one" in failure.resource
    assert there["rsv-two"] == TAGS


async def test_no_plan_sees_the_stamp(emulated: Make, estate: dict[str, Any], declared: Declared) -> None:
    """The vault is read as before: nothing differs, and no basis is another."""

    async def seen(azure: Azure) -> list[Any]:
        azure.forget()
        return [found async for found in VaultKind().read(azure, declared) if isinstance(found, Resource)]

    estate["backup"] = {"vaults": [vault("rsv-one", owner="platform")]}
    async with emulated(estate) as (_, azure):
        before = await seen(azure)
        await write_stamp(azure, declared, STAMP)
        assert await seen(azure) == before


def test_the_role_of_apply_may_write_it() -> None:
    actions = json.loads((ROLES / "apply.json").read_text(encoding="utf-8"))["Actions"]
    assert Permission(actions=tuple(actions)).allows(PERMISSION)
