"""The recovery points of a VM in a vault, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.model.counting import count
from reconciler.model.duration import format_age
from reconciler.model.vault_point import VaultPoint, VaultPoints, spell_time
from reconciler.render import json
from reconciler.render.escape import visible
from reconciler.render.style import Tone, paint

_HEADS = ("TAKEN", "AGE", "CONSISTENCY", "TIER", "DISKS", "STATE", "ID")
_GAP = "  "


def points_text(found: VaultPoints, *, colour: bool = False) -> str:
    """A line for the VM and its vault, then a table, the newest first."""
    return "\n".join(paint(text, tone, colour=colour) for text, tone in _lines(found))


def points_json(found: VaultPoints) -> str:
    """The same, as JSON."""
    return json.render(
        {
            "format_version": "1.0",
            "machine": {"id": str(found.machine), "name": found.label, "gone": found.gone},
            "vault": str(found.vault),
            "region": found.region,
            "complete": not found.unread,
            "recovery_points": [_entry(point, found) for point in found.points],
        }
    )


def _lines(found: VaultPoints) -> Iterator[tuple[str, Tone]]:
    gone = ": the VM is gone" if found.gone else ""
    yield visible(f"{found.label}{gone}"), Tone.STRONG
    for gap in found.unread:
        yield visible(f"  {gap}: there may be more"), Tone.ALARM
    where = visible(f"{found.vault.resource_group}/{found.vault.name}, {found.region}")
    if not found.points:
        yield f"  no recovery point in {where}", Tone.CHANGE
        return
    age = format_age(found.now - found.points[0].taken)
    yield f"  {count(len(found.points), 'recovery point')} in {where}, the newest {age} old", Tone.QUIET
    yield "", Tone.PLAIN
    cells = [_cells(point, found) for point in found.points]
    widths = [max(map(len, column)) for column in zip(_HEADS, *cells, strict=True)]
    yield _row(_HEADS, widths), Tone.QUIET
    for point, texts in zip(found.points, cells, strict=True):
        yield _row(texts, widths), Tone.PLAIN if point.state == "ready" else Tone.CHANGE


def _row(texts: tuple[str, ...], widths: list[int]) -> str:
    return "  " + _GAP.join(text.ljust(width) for text, width in zip(texts, widths, strict=True)).rstrip()


def _cells(point: VaultPoint, found: VaultPoints) -> tuple[str, ...]:
    texts = (
        spell_time(point.taken),
        format_age(found.now - point.taken),
        point.consistency or "-",
        " + ".join(point.tiers) or "-",
        f"{point.included} of {point.attached}" if point.included is not None else "all",
        point.state,
        point.name,
    )
    return tuple(map(visible, texts))


def _entry(point: VaultPoint, found: VaultPoints) -> dict[str, object]:
    return {
        "id": point.name,
        "taken": spell_time(point.taken),
        "age_seconds": int((found.now - point.taken).total_seconds()),
        "consistency": point.consistency or None,
        "tiers": point.tiers,
        "disks_included": point.included,
        "disks_attached": point.attached,
        "os_type": point.os_type or None,
        "zones": point.zones,
        "encrypted": point.encrypted,
        "private_access": point.private,
        "files_open": point.mounted,
        "state": point.state,
    }
