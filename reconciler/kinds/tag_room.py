"""How many tags a resource can carry, and which of them go where there are too many (SN-01)."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from reconciler.model.casing import fold

MOST = 50
"""Tags of one resource."""
LONGEST_NAME, LONGEST_VALUE = 512, 256


def fill(
    ours: Mapping[str, str],
    scheduled: Mapping[str, str],
    machine: Mapping[str, str],
    *,
    room: int = MOST,
    reserved: Collection[str] = (),
) -> dict[str, str]:
    """Our tags, then those of the schedule, then those of the VM in order of their names. What comes first wins where
    names are one to Azure, and what comes last goes where there is no room; `reserved` names stay free."""
    tags = dict(ours)
    taken = {fold(name) for name in (*ours, *reserved)}
    for name, value in (*scheduled.items(), *sorted(machine.items())):
        if len(tags) < room and fold(name) not in taken and len(name) <= LONGEST_NAME and len(value) <= LONGEST_VALUE:
            taken.add(fold(name))
            tags[name] = value
    return tags
