"""What speaks against a restore from a vault, as tables: no Azure is asked for any of it."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from reconciler.errors import UsageError
from reconciler.model.arm_id import ArmId
from reconciler.model.restore_request import BackupRequest
from reconciler.model.vault_point import VaultPoint
from reconciler.plan.finding import Severity
from reconciler.restore.secondary_region import secondary_region
from reconciler.restore.vault_points import choose_point
from reconciler.restore.vault_rules import Ask, check_restore
from reconciler.restore.vault_surroundings import VaultSurroundings
from reconciler.restore.wish import Target
from tests.restore.conftest import APP, GROUP, PROD

OTHER = "22222222-2222-4222-8222-222222222222"
POINT = VaultPoint(
    name="101",
    taken=datetime(2026, 3, 1, 22, 3, 4, tzinfo=UTC),
    consistency="AppConsistent",
    snapshot=True,
    vault=True,
    archive=False,
    encrypted=False,
    managed=True,
    private=False,
    mounted=False,
    os_type="Linux",
    zones=("1",),
)
STAGING = (ArmId(f"{GROUP}/providers/Microsoft.Storage/storageAccounts/ststaging"), "westeurope")
VAULT = VaultSurroundings(
    vault=ArmId(f"{GROUP}/providers/Microsoft.RecoveryServices/vaults/rsv-app"),
    location="westeurope",
    redundancy="GeoRedundant",
    across_regions=True,
    accounts=(STAGING,),
    power="running",
)
DISKS = BackupRequest(machine=APP, point="101", into="disks", resource_group="rg-app", staging_account="ststaging")
ASK = Ask(
    request=DISKS,
    machine_id=ArmId(APP),
    machine=None,
    point=POINT,
    around=VAULT,
    target=Target("prod", PROD, "rg-app"),
    region="westeurope",
    staging=STAGING,
)


def ask(
    point: dict[str, Any] | None = None, around: dict[str, Any] | None = None, staging: Any = STAGING, **request: Any
) -> Ask:
    secondary = bool(request.get("secondary"))
    return dataclasses.replace(
        ASK,
        request=msgspec.structs.replace(DISKS, **request),
        point=dataclasses.replace(POINT, **(point or {})),
        around=dataclasses.replace(VAULT, **(around or {})),
        region="northeurope" if secondary else "westeurope",
        staging=(STAGING[0], "northeurope") if secondary else staging,
    )


def elsewhere(**changes: Any) -> Ask:
    """To another subscription."""
    return dataclasses.replace(ask(**changes), target=Target("other", OTHER, "rg-app"))


ARCHIVED = {"snapshot": False, "vault": False, "archive": True}
GONE = {"snapshot": False, "vault": False}
REPLACE = {"into": "replace", "around": {"power": "deallocated"}}
CASES = {
    "disks, at home": (ask(), []),
    "its snapshot is gone and it is not in the vault": (ask(GONE), ["BP-112"]),
    "archived": (ask(ARCHIVED), ["BP-104"]),
    "no account": (ask(staging_account="", staging=None), ["BP-100"]),
    "an account that is not there": (ask(staging=None), ["BP-100"]),
    "an account in another region": (ask(staging=(STAGING[0], "northeurope")), ["BP-100"]),
    "accounts that may not be read": (ask(around={"unread": "denied"}), ["BP-100"]),
    "replace": (ask(**REPLACE), []),
    "replace while it runs": (ask(into="replace"), ["BP-101"]),
    "replace what is gone": (ask(into="replace", around={"power": ""}), ["BP-101"]),
    "replace encrypted disks": (ask({"encrypted": True}, **REPLACE), ["BP-101"]),
    "replace unmanaged disks": (ask({"managed": False}, **REPLACE), ["BP-101"]),
    "replace from afar": (ask(secondary=True, **REPLACE), ["BP-101"]),
    "another subscription": (elsewhere(around={"across_subscriptions": "Enabled"}), []),
    "another subscription, not allowed": (elsewhere(around={"across_subscriptions": "Disabled"}), ["BP-102"]),
    "another subscription, never": (elsewhere(around={"across_subscriptions": "PermanentlyDisabled"}), ["BP-102"]),
    "another subscription, from a snapshot": (
        elsewhere(point={"vault": False}, around={"across_subscriptions": "Enabled"}),
        ["BP-102"],
    ),
    "its own zone": (ask(zone="1"), []),
    "no zone": (ask(zone="none"), []),
    "another zone": (ask(zone="2"), ["BP-103"]),
    "another zone of a zone-redundant vault": (ask(zone="2", around={"redundancy": "ZoneRedundant"}), []),
    "another zone, snapshot alone": (
        ask({"vault": False}, zone="2", around={"redundancy": "ZoneRedundant"}),
        ["BP-103"],
    ),
    "a zone in the secondary region": (ask(secondary=True, zone="2"), []),
    "a zone there, of a VM without one": (ask({"zones": ()}, secondary=True, zone="2"), ["BP-103"]),
    "no copies": (ask(secondary=True, around={"across_regions": False}), ["BP-91"]),
    "no group in the secondary region": (ask(secondary=True, resource_group=""), ["BP-104"]),
    "an encryption set": (ask(encryption_set="/des"), ["BP-105"]),
    "an encryption set for a vault with a key": (ask(encryption_set="/des", around={"own_key": True}), []),
    "private disks": (ask({"private": True}), ["BP-105"]),
    "private disks, as they are": (ask({"private": True}, disk_access="same"), []),
    "private disks, as they are, from afar": (ask({"private": True}, secondary=True, disk_access="same"), ["BP-105"]),
    "access that is not asked for": (ask(disk_access="public"), ["BP-105"]),
    "a disk that it has": (ask({"disks": ("os", "0")}, disks=("0",)), []),
    "a disk that it has not": (ask({"disks": ("os", "0")}, disks=("7",)), ["disk-missing"]),
    "all at once": (
        ask(GONE, zone="2", staging_account="", disk_access="same"),
        ["BP-100", "BP-103", "BP-105", "BP-112"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_errors(name: str) -> None:
    asked, wanted = CASES[name]
    errors = [finding for finding in check_restore(asked) if finding.severity is Severity.ERROR]
    assert sorted(finding.code for finding in errors) == wanted
    assert all(finding.advice for finding in errors), "each says what to do next"


def test_what_is_left_out_of_backups_is_told() -> None:
    found = list(check_restore(ask({"included": 2, "attached": 4})))
    assert [(finding.code, finding.severity) for finding in found] == [("disks-left-out", Severity.WARNING)]
    assert "2 of the 4 disks" in found[0].message


POINTS = tuple(
    dataclasses.replace(POINT, name=str(100 + day), taken=POINT.taken.replace(day=day), **changes)
    for day, changes in ((3, GONE), (2, {}), (1, {}))
)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("latest", "102"), ("101", "101"), ("2026-03-01", "101"), ("2026-03-02T22:03:04z", "102")],
)
def test_the_recovery_point_that_is_meant(text: str, wanted: str) -> None:
    assert choose_point(text, POINTS, "app-01").name == wanted


@pytest.mark.parametrize(
    ("text", "said"),
    [("2026-03", "is the beginning of 3"), ("2025", "there is 2026-03-03T22:03:04Z, "), ("99", "or write latest")],
)
def test_none_is_meant(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        choose_point(text, POINTS, "app-01")
    with pytest.raises(UsageError, match="has no recovery point there"):
        choose_point(text, (), "app-01")


def test_copies_are_in_the_paired_region() -> None:
    assert secondary_region("westeurope") == "northeurope"
    assert secondary_region("brazilsouth") == "southcentralus"
    assert secondary_region("southcentralus") == "northcentralus", "a pair is not always mutual"
    assert secondary_region("atlantis") == ""
