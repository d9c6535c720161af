"""Which recovery point an operation starts from: one of Azure's words for a plan, one point for a VM (ASR-51)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from reconciler.azure.clients import Azure
from reconciler.errors import UsageError
from reconciler.kinds.replication.jobs import job_time
from reconciler.kinds.replication.listing import API_VERSION
from reconciler.model.arm_id import ArmId
from reconciler.model.operation_request import CONSISTENT, LATEST, PROCESSED
from reconciler.operate.target import Target

CONSISTENT_OF_PLAN = "LatestApplicationConsistent"
_TYPES = {LATEST: "Latest", PROCESSED: "LatestProcessed", CONSISTENT: CONSISTENT_OF_PLAN}
_NAMED = 6


class PointProperties(msgspec.Struct, frozen=True, rename="camel"):
    recovery_point_time: str | None = None
    recovery_point_type: str | None = None


class PointBody(msgspec.Struct, frozen=True):
    """One recovery point of a replicated VM."""

    id: str
    name: str = ""
    properties: PointProperties = PointProperties()

    @property
    def taken(self) -> datetime | None:
        return job_time(self.properties.recovery_point_time)

    @property
    def consistent(self) -> bool:
        return self.properties.recovery_point_type == "AppConsistent"


@dataclass(frozen=True, slots=True)
class Point:
    """`sent` is what Azure is sent: a type, the id of a point, or "" for the latest. `words` is the same for people."""

    sent: str
    words: str
    taken: datetime | None = None


async def choose_point(azure: Azure, wanted: str, target: Target) -> Point:
    """The point that `wanted` means. Raises UsageError where there is none, or a plan cannot take it."""
    if target.plan:
        if wanted not in _TYPES:
            raise UsageError(
                f"a recovery plan takes no recovery point of its own choice: {wanted!r}",
                why="each of its VMs has points of its own (ASR-51)",
                advice=f"write one of {', '.join(_TYPES)}, or fail the VMs over one by one",
            )
        return Point(_TYPES[wanted], wanted)
    if wanted == LATEST:
        return Point("", LATEST)
    item = target.members[0].facts.item_id
    points = [body async for body in azure.list(f"{item}/recoveryPoints", API_VERSION, PointBody)]
    return pick(wanted, sorted(points, key=_age, reverse=True), target.name)


def pick(wanted: str, points: Sequence[PointBody], name: str) -> Point:
    """Of points, newest first: the newest, the newest consistent one, the newest that is no younger than a time, or the
    one of a name. Pure."""
    if wanted == PROCESSED:
        found = next(iter(points), None)
    elif wanted == CONSISTENT:
        found = next((point for point in points if point.consistent), None)
    else:
        moment = _moment(wanted)
        found = next(
            (
                point
                for point in points
                if (moment is not None and point.taken is not None and point.taken <= moment)
                or (moment is None and wanted.casefold() in (point.name.casefold(), point.id.casefold()))
            ),
            None,
        )
    if found is None:
        shown = ", ".join(f"{point.taken:%Y-%m-%dT%H:%M:%SZ}" for point in points[:_NAMED] if point.taken)
        raise UsageError(
            f"{name} has no recovery point {wanted!r}",
            advice=f"there is {shown}{' and older ones' if len(points) > _NAMED else ''}" if shown else "it has none",
        )
    kind = "application-consistent" if found.consistent else "crash-consistent"
    when = f"{found.taken:%Y-%m-%d %H:%M:%S} UTC" if found.taken else found.name
    return Point(str(ArmId(found.id)), f"{when}, {kind}", found.taken)


def _age(point: PointBody) -> datetime:
    return point.taken or datetime.min.replace(tzinfo=UTC)


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
