"""Recovery points of a machine: one in five minutes, thinned out with age (ASR-04), and the RPO that moves."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from reconciler.emulator.clock import stamp
from reconciler.emulator.providers.backup_jobs import page_of
from reconciler.emulator.providers.replication_item_state import Item, find_item
from reconciler.emulator.providers.replication_names import ITEM, POINTS, below, guid_of, name_of
from reconciler.emulator.providers.replication_refusals import missing, refuse
from reconciler.emulator.router import Request, Response, Route
from reconciler.emulator.store import Body
from reconciler.emulator.world import World

EVERY = timedelta(minutes=5)
LAG = timedelta(seconds=90)
"""What it takes until a point can be used; the RPO swings between this and this and five minutes."""
RECKONED = timedelta(minutes=1)
_DAY = timedelta(days=1)
_ALL = timedelta(hours=2)
_STEPS = ((_DAY, timedelta(hours=1)), (7 * _DAY, timedelta(hours=2)), (15 * _DAY, timedelta(hours=4)))


class Point(NamedTuple):
    """A recovery point: when it was taken, and whether the applications in the machine took part."""

    taken: datetime
    is_app_consistent: bool

    def name(self, item: Item) -> str:
        return guid_of("point", item.lifecycle or item.id, self.taken.isoformat())


def newest(item: Item, now: datetime) -> datetime | None:
    """When the latest usable point was taken; None before the first one and after a commit."""
    if item.points_from is None or item.phase not in ("protected", "failedOver"):
        return None
    end = min(filter(None, (now, item.stalled, item.failover.made if item.failover else None)))
    return item.points_from + max(0, (end - LAG - item.points_from) // EVERY) * EVERY


def rpo(item: Item, now: datetime) -> tuple[int, datetime] | None:
    """Seconds since the latest point, and when they were reckoned; None where the service tells none."""
    latest = newest(item, now)
    if latest is None or item.phase != "protected":
        return None
    reckoned = max(latest, item.since + (now - item.since) // RECKONED * RECKONED)
    return int((reckoned - latest).total_seconds()), reckoned


def points_of(world: World, item: Item) -> list[Point]:
    """The points that the policy keeps, newest first."""
    now = world.clock.now()
    latest = newest(item, now)
    if latest is None or item.points_from is None:
        return []
    policy = (world.store.get(item.policy) or {}).get("properties", {}).get("providerSpecificDetails", {})
    kept = timedelta(minutes=policy.get("recoveryPointHistory", 0))
    app = timedelta(minutes=policy.get("appConsistentFrequencyInMinutes", 0))
    times = {latest, *_thinned(item.points_from, latest, now, kept, app)}
    return [Point(taken, _is_app_consistent(item.points_from, taken, app)) for taken in sorted(times, reverse=True)]


def _thinned(first: datetime, latest: datetime, now: datetime, kept: timedelta, app: timedelta) -> Iterator[datetime]:
    taken = latest
    while taken >= max(first, now - min(kept, _ALL)):
        yield taken
        taken -= EVERY
    oldest = max(first, now - kept)
    floor = now - _ALL
    for limit, step in _STEPS:
        bottom = max(oldest, now - limit)
        start = _round_down(floor, step)
        while start + step > bottom:
            taken = _first_in(first, start, start + step, app)
            if bottom <= taken < min(start + step, floor):
                yield taken
            start -= step
        floor = min(floor, bottom)


def _first_in(first: datetime, start: datetime, end: datetime, app: timedelta) -> datetime:
    """The first application-consistent point of a span, or else its first point."""
    for grid in filter(None, (app, EVERY)):
        taken = first + max(0, -((first - start) // grid)) * grid
        if taken < end:
            return taken
    return end


def _round_down(moment: datetime, step: timedelta) -> datetime:
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return epoch + (moment - epoch) // step * step


def _is_app_consistent(first: datetime, taken: datetime, app: timedelta) -> bool:
    return bool(app) and (taken - first) % app == timedelta(0)


def list_points(world: World, request: Request) -> Response:
    item = find_item(world, below(world, request).rpartition("/")[0])
    page = page_of(world, request, POINTS, points_of(world, item), lambda point: _show(item, point))
    return Response(200, {"nextLink": None, **page.body})


def get_point(world: World, request: Request) -> Response:
    point_id = below(world, request)
    item = find_item(world, point_id.rpartition("/recoveryPoints/")[0])
    return Response(200, _show(item, find_point(world, item, point_id)))


def find_point(world: World, item: Item, point_id: str) -> Point:
    """A point by its id or name. Raises 404 for one that is gone."""
    for point in points_of(world, item):
        if point.name(item) == name_of(point_id).lower():
            return point
    raise missing("Recovery Point", name_of(point_id))


def chosen_point(world: World, item: Item, wanted: str | None) -> str:
    """The id of the wanted point, or of the latest. Raises 404 for one that is gone, 400 where there is none."""
    if wanted:
        return point_id(item, find_point(world, item, wanted))
    points = points_of(world, item)
    if not points:
        message = f"There is no recovery point for the virtual machine {item.friendly}."
        raise refuse("ASR-51", "RecoveryPointNotFound", message)
    return point_id(item, points[0])


def point_id(item: Item, point: Point) -> str:
    return f"{item.id}/recoveryPoints/{point.name(item)}"


def _show(item: Item, point: Point) -> Body:
    return {
        "name": point.name(item),
        "type": POINTS,
        "id": point_id(item, point),
        "properties": {
            "recoveryPointTime": stamp(point.taken),
            "recoveryPointType": "AppConsistent" if point.is_app_consistent else "CrashConsistent",
            "providerSpecificDetails": {
                "instanceType": "A2A",
                "recoveryPointSyncType": "MultiVmSyncRecoveryPoint" if item.team_name else "PerVmRecoveryPoint",
                "disks": [disk.name for disk in item.disks if not disk.pending],
            },
        },
    }


ROUTES: tuple[Route, ...] = (
    Route("GET", ITEM + "/recoveryPoints", list_points),
    Route("GET", ITEM + "/recoveryPoints/{point}", get_point),
)
