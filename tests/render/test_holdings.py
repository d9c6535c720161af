"""What a VM can be restored from, as it is shown: tables that line up, nothing that a name could break out of."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from reconciler.model.arm_id import ArmId
from reconciler.model.restorable import CopyState, Holdings, Restorable
from reconciler.render.holdings import holdings_json, holdings_text

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
GROUP = "/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups/rg-app/providers/Microsoft.Compute"


def row(disk: str, hours: int, /, **fields: object) -> Restorable:
    slot = NOW - timedelta(hours=hours)
    name = f"app-01-{disk}-{slot:%dT%H}"
    made = Restorable(
        kind="snapshot",
        name=f"prod/rg-app/{name}",
        arm_id=ArmId(f"{GROUP}/snapshots/{name}"),
        region="westeurope",
        slot=slot,
        created=slot,
        schedule="six-hourly",
        disk=disk,
        disk_name=f"app-01-{disk}",
        size_gib=64 if disk == "os" else 1024,
        incremental=True,
        state="ready",
        kept=("count",),
    )
    return replace(made, **fields)  # type: ignore[arg-type]


COPY = CopyState("prod/rg-dr/app-01-os-02T06-neu", "northeurope", 40.0, "Azure has copied 40 % of it")
OURS = (
    row("os", 2, copies=(COPY,), kept=("newest", "count", "daily")),
    row("12", 2, state="Azure has copied 12 % of it (SN-12, SN-13)"),
    row("os, 12", 8, kind="restore_point", consistency="ApplicationConsistent", size_gib=1088),
    row("os", 26, copies=(replace(COPY, state="ready", completion=100.0),), incremental=False, kept=()),
)
FOREIGN = row("", 3, slot=None, schedule="", kept=(), disk_name="app-01-os", name="prod/rg-app/before-upgrade")
HOLDINGS = Holdings(ArmId(f"{GROUP}/virtualMachines/app-01"), "prod/rg-app/app-01", False, NOW, OURS, (FOREIGN,))


def test_the_table(golden: Callable[[str, str], None]) -> None:
    golden("snapshots.txt", holdings_text(HOLDINGS))


def test_the_json(golden: Callable[[str, str], None]) -> None:
    golden("snapshots.json", holdings_json(HOLDINGS))


def test_what_is_gone_or_unread_is_said_first() -> None:
    text = holdings_text(replace(HOLDINGS, gone=True, ours=(), others=(), unread=("the list of snapshots failed",)))
    assert text.splitlines() == [
        "prod/rg-app/app-01: the VM is gone",
        "  the list of snapshots failed: there may be more",
        "  no snapshot and no restore point of ours",
    ]
    assert json.loads(holdings_json(replace(HOLDINGS, unread=("x",))))["complete"] is False


def test_no_name_moves_the_cursor_or_fakes_a_line() -> None:
    hostile = "\x1b[2J\n\u202egnp"
    rows = (row("os", 2, name=hostile, disk=hostile, state=hostile, kept=(hostile,)),)
    told = holdings_text(replace(HOLDINGS, label=hostile, ours=rows, others=rows, unread=(hostile,)))
    assert all(line.isprintable() for line in told.split("\n"))
    assert holdings_json(replace(HOLDINGS, ours=rows)).replace("\n", "").isprintable()
