"""What the kinds say of their specs, for people: in the names of the policies, with nothing that is not set."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from reconciler.kinds.backup_policy.phrases import policy_phrases
from reconciler.kinds.backup_policy.spec import BackupPolicySpec
from reconciler.kinds.phrases import Phrase, camel, spoken
from reconciler.kinds.protected_vm.phrase import protection_phrases, protection_summary
from reconciler.kinds.protected_vm.spec import Disks, ProtectedVmSpec
from reconciler.kinds.vault_settings.phrases import settings_phrases
from reconciler.kinds.vault_settings.spec import VaultSettingsSpec
from reconciler.model.resource import Ref, Spec

VAULT = Ref("vault.prod/rg/rsv-weu")
DAILY: dict[str, Any] = {
    "vault": {"to": VAULT.to},
    "tier": "Standard",
    "schedule": {"frequency": "Daily", "time": "22:00", "time_zone": "W. Europe Standard Time"},
    "retention": {"daily": {"days": 1}},
    "instant_restore": {"days": 2},
}


def told(**changes: Any) -> dict[str, str]:
    phrases = policy_phrases(msgspec.convert({**DAILY, **changes}, BackupPolicySpec))
    return {phrase.name: phrase.text for phrase in phrases if not phrase.usual}


def test_a_policy_says_only_what_is_set() -> None:
    assert told() == {
        "tier": "Standard",
        "schedule": "daily at 22:00 W. Europe Standard Time",
        "retention.daily": "1 day",
        "instantRestore.days": "2",
    }


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        ({"frequency": "Weekly", "weekdays": ["Monday", "Sunday"]}, "weekly on Monday, Sunday at 20:00 UTC"),
        ({"frequency": "Hourly", "interval_hours": 4, "duration_hours": 12}, "every 4 h from 20:00 to 08:00 UTC"),
        ({"frequency": "Hourly", "interval_hours": 6, "duration_hours": 24}, "every 6 h from 20:00 on UTC"),
    ],
)
def test_schedules(schedule: dict[str, Any], words: str) -> None:
    assert told(schedule={"time": "20:00", "time_zone": "UTC", **schedule})["schedule"] == words


@pytest.mark.parametrize(
    ("retention", "name", "words"),
    [
        ({"weekly": {"weeks": 12, "weekdays": ["Sunday"]}}, "weekly", "12 weeks (Sunday)"),
        (
            {"monthly": {"months": 1, "weeks": ["First", "Last"], "weekdays": ["Sunday"]}},
            "monthly",
            "1 month (First, Last Sunday)",
        ),
        ({"monthly": {"months": 24, "days": ["1", "15", "last"]}}, "monthly", "24 months (days 1, 15 and the last)"),
        ({"monthly": {"months": 24, "days": ["last"]}}, "monthly", "24 months (the last day)"),
        (
            {"yearly": {"years": 7, "months": ["January"], "days": ["1"]}},
            "yearly",
            "7 years (day 1 of January)",
        ),
    ],
)
def test_retentions(retention: dict[str, Any], name: str, words: str) -> None:
    assert told(retention=retention)[f"retention.{name}"] == words


@pytest.mark.parametrize(
    ("changes", "name", "words"),
    [
        ({"tiering": {"mode": "TierAfter", "duration": 3, "unit": "Months"}}, "tiering", "TierAfter 3 months"),
        ({"tiering": {"mode": "TierRecommended"}}, "tiering", "TierRecommended"),
        ({"consistency": "CrashConsistent"}, "consistency", "CrashConsistent"),
        (
            {"instant_restore": {"days": 2, "prefix": "rg-snap", "suffix": "-weu"}},
            "instantRestore.resourceGroup",
            "rg-snapN-weu",
        ),
    ],
)
def test_what_is_unusual_is_said(changes: dict[str, Any], name: str, words: str) -> None:
    assert told(**changes)[name] == words


def test_a_vault_is_set_in_the_names_of_its_document() -> None:
    usual = VaultSettingsSpec(vault=VAULT)
    assert [phrase.name for phrase in settings_phrases(usual) if not phrase.usual] == [
        "redundancy", "softDelete.state", "softDelete.days",
    ]  # fmt: skip
    strong = VaultSettingsSpec(vault=VAULT, cross_region_restore=True, immutability="Locked")
    assert {phrase.name: phrase.text for phrase in settings_phrases(strong) if not phrase.usual} == {
        "redundancy": "GeoRedundant",
        "crossRegionRestore": "true",
        "softDelete.state": "On",
        "softDelete.days": "14",
        "immutability": "Locked",
    }


@pytest.mark.parametrize(
    ("disks", "words", "summary"),
    [
        (Disks(mode="all"), "all", "all disks"),
        (Disks(mode="osOnly"), "the OS disk only", "the OS disk only"),
        (Disks(mode="only", luns=(0, 1)), "data disks 0, 1 only", "data disks 0, 1 only"),
        (Disks(mode="except", luns=(2,)), "all but 2", "all disks but 2"),
    ],
)
def test_a_protection_names_its_policy_and_its_vault(disks: Disks, words: str, summary: str) -> None:
    spec = ProtectedVmSpec(
        policy=Ref("backup_policy.prod/rg/rsv-weu/daily"),
        settings=Ref("vault_settings.prod/rg/rsv-weu"),
        disks=disks,
    )
    assert [phrase.text for phrase in protection_phrases(spec)] == ["protected", "rsv-weu", "daily", words]
    assert protection_summary(spec) == f"with policy daily in vault rsv-weu, {summary}"


class Box(Spec, frozen=True, kw_only=True):
    shelf_place: Ref
    is_open: bool = False
    height: int = 0
    note: str = ""
    tags: dict[str, str] = msgspec.field(default_factory=dict)


def test_a_kind_that_says_nothing_of_its_own_is_read_out() -> None:
    box = Box(shelf_place=Ref("shelf.prod/rg/top"), tags={"cost_center": "1"})
    assert list(spoken(box)) == [
        Phrase("shelf_place", "shelfPlace", "top"),
        Phrase("is_open", "isOpen", "false"),
        Phrase("height", "height", "0"),
        Phrase("tags", "tags.cost_center", "1"),
    ]
    assert camel("a") == "a"
