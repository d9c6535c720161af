"""Whatever there is, whatever failed: what must never happen does not (SN-10, SN-12, SN-16)."""

from __future__ import annotations

import re
from datetime import timedelta
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.diff.engine import compare
from reconciler.kinds.base import Situation
from reconciler.kinds.snapshot.coming import Coming
from reconciler.kinds.snapshot.kind import SnapshotKind
from reconciler.kinds.snapshot.names import LONGEST, snapshot_name
from reconciler.kinds.snapshot.retention import Expiry
from reconciler.kinds.snapshot.spec import SnapshotSpec
from reconciler.model.observed import SnapshotFacts
from reconciler.model.resource import Resource
from reconciler.plan.change import Action
from reconciler.plan.graph import order
from tests.kinds.conftest import NOW
from tests.kinds.snapshot.estates import HOUR, SIX, Estate, Outlook, disk, foreign, gap, machine, schedule, snapshot

DISKS = [disk("app-01-os"), disk("app-01-0"), disk("gone"), disk("ultra", "UltraSSD_LRS")]
KEEPS: list[dict[str, Any]] = [
    {"count": 1}, {"count": 3}, {"age": "12h"}, {"daily": 2, "weekly": 2}, {"hourly": 4, "yearly": 1},
]  # fmt: skip
TAGS = ['{"count":1}', '{"count":30}', '{"age":"12h"}', '{"age":"365d"}', "nonsense", ""]


@st.composite
def snapshots(draw: st.DrawFn) -> list[Resource]:
    """Ours of up to 20 slots and three schedules, one of which nobody declares; copies, failures, strangers."""
    found = []
    for index in range(draw(st.integers(0, 14))):
        of = draw(st.sampled_from(DISKS))
        slot = SIX - draw(st.integers(-1, 20)) * 6 * HOUR
        facts = {
            "by": draw(st.sampled_from(["six-hourly", "six-hourly", "six-hourly", "daily", "unknown"])),
            "state": draw(st.sampled_from(["Succeeded"] * 4 + ["Failed", "Updating", "Deleting"])),
            "completion": draw(st.sampled_from([100.0] * 4 + [0.0, 50.0])),
            "copy_error": draw(st.sampled_from([""] * 6 + ["Broken"])),
            "disk_state": draw(st.sampled_from(["Unattached"] * 4 + ["ActiveSAS"])),
            "keep": draw(st.sampled_from(TAGS)),
        }
        if found and draw(st.integers(0, 3)) == 0:
            source = draw(st.sampled_from(found))
            facts |= {"region": "northeurope", "copy_of": source.observed.arm_id}
        make = foreign if draw(st.integers(0, 5)) == 0 else snapshot
        found.append(make(of, slot, f"s-{index}", **facts))
    return found


@st.composite
def estates(draw: st.DrawFn) -> Estate:
    vm = machine("app-01", DISKS[0], DISKS[1], DISKS[3])
    first = schedule(
        keep=draw(st.sampled_from(KEEPS)),
        disks=draw(st.sampled_from(["all", "osOnly", {"only": [0]}])),
        copyTo=draw(st.sampled_from([None, "northeurope", "northeurope", "westeurope"])),
        networkAccessPolicy=draw(st.sampled_from([None, "DenyAll"])),
    )
    return Estate(
        schedules=[first, schedule("daily", every="1d", keep=draw(st.sampled_from(KEEPS)))],
        disks=[DISKS[0], DISKS[1], DISKS[3]],
        machines=[vm],
        selected=draw(st.sampled_from([[vm], [vm], []])),
        live=draw(snapshots()),
        unreadable=draw(st.sampled_from([()] * 5 + [(gap("disk"),), (gap("virtual_machine"),), (gap("snapshot"),)])),
        now=NOW + draw(st.sampled_from([timedelta(), timedelta(minutes=7), 5 * HOUR])),
    )


def facts(one: Resource) -> SnapshotFacts:
    assert isinstance(one.observed, SnapshotFacts)
    return one.observed


def usable(one: Resource) -> bool:
    return facts(one).usable and facts(one).state == "Succeeded"


@settings(max_examples=400, deadline=None)
@given(estates())
def test_nothing_is_lost_that_must_not_be(estate: Estate) -> None:
    outlook = estate.outlook()
    live = {one.address.name: one for one in estate.live}
    expired = {name: live[name] for name in outlook.expired}
    ours = {name for name, one in live.items() if facts(one).slot is not None}
    assert set(expired) <= ours <= set(outlook.resources)
    assert set(outlook.resources) & set(live) == ours
    if estate.unreadable or not estate.schedules:
        assert expired == {}
    for one in expired.values():
        assert facts(one).schedule in ("six-hourly", "daily")
        assert facts(one).disk_state != "ActiveSAS"
        assert facts(one).state in ("Succeeded", "Failed")
    _last_ones_stay(outlook, live, expired)
    _sources_stay(outlook, live, expired)


def _last_ones_stay(outlook: Outlook, live: dict[str, Resource], expired: dict[str, Resource]) -> None:
    """Of each disk one usable snapshot stays, or the deletions wait for the one that is taken."""
    for of in DISKS:
        points = {
            name: one
            for name, one in live.items()
            if facts(one).slot and facts(one).disk_unique_id == of.unique_id and facts(one).copy_of is None
        }
        going = [name for name in points if name in expired]
        if any(usable(one) and name not in expired for name, one in points.items()) or not any(
            usable(points[name]) for name in going
        ):
            continue
        new = {one.address for one in outlook.taken if one.observed.disk == of}
        assert all((waits := outlook.spec(name).waits_for) and waits.address in new for name in going)


def _sources_stay(outlook: Outlook, live: dict[str, Resource], expired: dict[str, Resource]) -> None:
    """Of copies that are not complete, and of those that this plan starts."""
    running = {
        facts(one).copy_of
        for one in live.values()
        if facts(one).copy_of
        and facts(one).completion < 100
        and facts(one).state != "Failed"
        and not facts(one).copy_error
    }
    assert not running & {facts(one).arm_id for one in expired.values()}
    for one in outlook.copied:
        spec = one.spec
        assert isinstance(spec, SnapshotSpec)
        assert spec.source is not None
        source = outlook.resources[spec.source.address.name]
        assert isinstance(source.observed, Coming) or (source.address.name not in expired and usable(source))


@settings(max_examples=400, deadline=None)
@given(estates())
def test_copies_are_in_order_and_one_at_a_time(estate: Estate) -> None:
    outlook = estate.outlook()
    for of in DISKS:
        copies = [one for one in outlook.copied if one.observed.disk == of]
        slots = [one.observed.slot for one in copies]
        assert slots == sorted(set(slots))
        for before, after in pairwise(copies):
            waits = outlook.spec(after.address.name).waits_for
            assert waits is not None
            assert waits.address == before.address


@settings(max_examples=200, deadline=None)
@given(estates())
def test_plans_are_whole(estate: Estate) -> None:
    """Every reference is to something that is there or comes; the steps have an order; each is told."""
    expansion, outlook, kind = estate.expansion(), estate.outlook(), SnapshotKind()
    desired = {one.address: one for one in outlook.resources.values()}
    for one in desired.values():
        assert all(reference.address in desired for _, reference in one.spec.refs())
    plan = compare(Situation(expansion.declared, desired, expansion.live, expansion.now), [kind])
    assert len(order(plan.steps())) == len(list(plan.steps()))
    for change in plan.changes:
        assert change.why
        assert change.consequences or change.action is Action.BLOCKED
    deleted = {change.address.rpartition("/")[2] for change in plan.changes if change.action is Action.DELETE}
    hidden = {str(one) for one in plan.unknown}
    assert deleted == set(outlook.expired)
    assert not any(name in text for name in deleted for text in hidden)


@given(st.text(min_size=1, max_size=90), st.text(min_size=1), st.text(max_size=40), st.datetimes(), st.booleans())
def test_names_are_azures(of: str, uid: str, by: str, slot: Any, copied: bool) -> None:
    name = snapshot_name(of, uid, by, slot.replace(tzinfo=NOW.tzinfo), region="southafricanorth" if copied else "")
    assert len(name) <= LONGEST
    assert re.fullmatch(r"[A-Za-z0-9_-]+", name)


def test_names_tell_disks_schedules_slots_and_regions_apart() -> None:
    long = "d" * 80
    names = [
        snapshot_name(of, uid, by, slot, region=region)
        for of in (long, "d")
        for uid in ("one", "two")
        for by in ("hourly", "daily")
        for slot in (SIX, SIX + HOUR)
        for region in ("", "northeurope", "westus")
    ]
    assert len(set(names)) == len(names)
    assert snapshot_name("d", "ONE", "Hourly", SIX) == snapshot_name("d", "one", "hourly", SIX)


def test_expiry_is_the_only_way_to_go() -> None:
    """What the desired side does not name stays: a bug there deletes nothing."""
    estate = Estate(live=[snapshot(DISKS[0], SIX - 60 * HOUR)])
    expansion = estate.expansion()
    plan = compare(Situation(expansion.declared, {}, expansion.live, expansion.now), [SnapshotKind()])
    assert (plan.changes, [item.code for item in plan.findings]) == ((), [])
    assert not any(
        isinstance(one.observed, Expiry) for one in Estate(schedules=[], live=estate.live).outlook().resources.values()
    )
