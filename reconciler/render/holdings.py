"""What a VM can be restored from, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.model.counting import count
from reconciler.model.duration import format_age
from reconciler.model.restorable import CopyState, Holdings, Restorable
from reconciler.model.slots import spell_slot
from reconciler.render import json
from reconciler.render.escape import visible
from reconciler.render.style import Tone, paint

_HEADS = ("SLOT", "AGE", "DISK", "SIZE", "TYPE", "STATE", "KEPT BY", "COPIES", "NAME")
_GAP = "  "


def holdings_text(holdings: Holdings, *, colour: bool = False) -> str:
    """A line for the VM, a table of ours, the newest first, and a table of what is not ours."""
    return "\n".join(paint(text, tone, colour=colour) for text, tone in _lines(holdings))


def holdings_json(holdings: Holdings) -> str:
    """The same, as JSON."""
    return json.render(
        {
            "format_version": "1.0",
            "machine": {"id": str(holdings.machine), "name": holdings.label, "gone": holdings.gone},
            "complete": not holdings.unread,
            "restorable": [_entry(row, holdings) for row in holdings.ours],
            "not_ours": [_entry(row, holdings) for row in holdings.others],
        }
    )


def _lines(holdings: Holdings) -> Iterator[tuple[str, Tone]]:
    gone = ": the VM is gone" if holdings.gone else ""
    yield visible(f"{holdings.label}{gone}"), Tone.STRONG
    for gap in holdings.unread:
        yield visible(f"  {gap}: there may be more"), Tone.ALARM
    if not holdings.ours:
        yield "  no snapshot and no restore point of ours", Tone.CHANGE
    else:
        newest = holdings.ours[0]
        yield (
            f"  {_summary(holdings)}, the newest {format_age(holdings.now - (newest.slot or newest.created))} old",
            (Tone.QUIET),
        )
        yield "", Tone.PLAIN
        yield from _table(holdings.ours, holdings)
    if holdings.others:
        yield "", Tone.PLAIN
        yield "Not ours, of the same disks: never touched", Tone.STRONG
        yield from _table(holdings.others, holdings)


def _summary(holdings: Holdings) -> str:
    points = sum(row.kind == "restore_point" for row in holdings.ours)
    snapshots = len(holdings.ours) - points
    parts = [count(snapshots, "snapshot")] if snapshots else []
    return ", ".join([*parts, *([count(points, "restore point")] if points else [])])


def _table(rows: Sequence[Restorable], holdings: Holdings) -> Iterator[tuple[str, Tone]]:
    cells = [_cells(row, holdings) for row in rows]
    widths = [max(map(len, column)) for column in zip(_HEADS, *cells, strict=True)]
    yield _row(_HEADS, widths), Tone.QUIET
    for row, texts in zip(rows, cells, strict=True):
        yield _row(texts, widths), Tone.PLAIN if row.state == "ready" else Tone.CHANGE


def _row(texts: Sequence[str], widths: Sequence[int]) -> str:
    return "  " + _GAP.join(text.ljust(width) for text, width in zip(texts, widths, strict=True)).rstrip()


def _cells(row: Restorable, holdings: Holdings) -> tuple[str, ...]:
    when = row.slot or row.created
    kind = row.consistency if row.kind == "restore_point" else "incremental" if row.incremental else "full"
    held = ", ".join(row.kept) if row.kept else "nothing any longer" if row.slot else "-"
    texts = (
        spell_slot(when),
        format_age(holdings.now - when),
        row.disk or row.disk_name or "-",
        f"{row.size_gib:,} GiB" if row.size_gib else "-",
        kind,
        row.state,
        held,
        ", ".join(map(_copy, row.copies)) or "-",
        row.name,
    )
    return tuple(map(visible, texts))


def _copy(copy: CopyState) -> str:
    return f"{copy.region} {copy.completion:.0f} %" if copy.state != "ready" else copy.region


def _entry(row: Restorable, holdings: Holdings) -> dict[str, object]:
    when = row.slot or row.created
    return {
        "kind": row.kind,
        "name": row.name,
        "id": str(row.arm_id),
        "region": row.region,
        "slot": spell_slot(row.slot) if row.slot else None,
        "created": row.created,
        "age_seconds": int((holdings.now - when).total_seconds()),
        "schedule": row.schedule or None,
        "disk": row.disk or None,
        "disk_name": row.disk_name or None,
        "size_gib": row.size_gib,
        "incremental": row.incremental,
        "state": row.state,
        "consistency": row.consistency or None,
        "kept": row.kept,
        "copies": row.copies,
    }
