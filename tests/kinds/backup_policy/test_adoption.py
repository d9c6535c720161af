"""Any policy that Azure may hold becomes a document that says exactly the same."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from reconciler.adopt.layout import dump
from reconciler.desired.load import parse
from reconciler.kinds.backup_policy import document as written
from reconciler.kinds.backup_policy.adoption import written_policy
from reconciler.kinds.backup_policy.spec import BackupPolicySpec, InstantRestore, Tiering, spec_of
from reconciler.model.resource import Ref
from reconciler.model.retention import (
    MONTHS,
    WEEKDAYS,
    WEEKS,
    Daily,
    Monthly,
    Retention,
    Schedule,
    Weekly,
    Yearly,
)

VAULT = Ref("vault.prod/rg/rsv")
ZONES = ["UTC", "W. Europe Standard Time", "Tokyo Standard Time", "Pacific Standard Time", "India Standard Time"]
TIMES = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.sampled_from([0, 30]))


def some(order: tuple[str, ...]) -> st.SearchStrategy[tuple[str, ...]]:
    """One or more of these, in their order."""
    return st.sets(st.sampled_from(order), min_size=1).map(lambda chosen: tuple(one for one in order if one in chosen))


DAYS = some((*(str(day) for day in range(1, 29)), "last")).map(lambda days: {"days": days})
IN_WEEKS = st.fixed_dictionaries({"weeks": some(WEEKS), "weekdays": some(WEEKDAYS)})
CHOSEN = st.one_of(DAYS, IN_WEEKS)
MONTHLY = st.builds(lambda months, chosen: Monthly(months=months, **chosen), st.integers(1, 1188), CHOSEN)
YEARLY = st.builds(
    lambda years, months, chosen: Yearly(years=years, months=months, **chosen), st.integers(1, 99), some(MONTHS), CHOSEN
)
TIERINGS = st.one_of(
    st.sampled_from([Tiering(mode="DoNotTier"), Tiering(mode="TierRecommended")]),
    st.builds(
        Tiering,
        mode=st.just("TierAfter"),
        duration=st.integers(1, 99),
        unit=st.sampled_from(["Days", "Weeks", "Months", "Years"]),
    ),
)


@st.composite
def specs(draw: st.DrawFn) -> BackupPolicySpec:
    tier: Any = draw(st.sampled_from(["Standard", "Enhanced"]))
    frequency: Any = draw(st.sampled_from(["Daily", "Weekly", *(["Hourly"] if tier == "Enhanced" else [])]))
    hourly, weekly = frequency == "Hourly", frequency == "Weekly"
    schedule = Schedule(
        frequency=frequency,
        time=draw(TIMES),
        weekdays=draw(some(WEEKDAYS)) if weekly else (),
        interval_hours=draw(st.sampled_from([4, 6, 8, 12])) if hourly else 0,
        duration_hours=draw(st.integers(4, 24)) if hourly else 0,
        time_zone=draw(st.sampled_from(ZONES)),
    )
    every_week = st.builds(Weekly, weeks=st.integers(1, 5163), weekdays=some(WEEKDAYS))
    retention = Retention(
        daily=None if weekly else Daily(days=draw(st.integers(7, 9999))),
        weekly=draw(every_week if weekly else st.none() | every_week),
        monthly=draw(st.none() | MONTHLY),
        yearly=draw(st.none() | YEARLY),
    )
    prefix = draw(st.sampled_from(["", "rg-snap-", "yes", "1.10"]))
    suffix = draw(st.sampled_from(["", "-x", "on"])) if prefix else ""
    return BackupPolicySpec(
        vault=VAULT,
        tier=tier,
        schedule=schedule,
        retention=retention,
        instant_restore=InstantRestore(days=draw(st.integers(1, 30)), prefix=prefix, suffix=suffix),
        tiering=draw(TIERINGS),
        consistency=draw(st.sampled_from(["ApplicationConsistent", "CrashConsistent"])),
    )


@given(specs())
def test_what_is_written_and_read_again_says_what_azure_has(spec: BackupPolicySpec) -> None:
    text = dump(msgspec.to_builtins(written_policy(spec)))
    (document,) = parse(text.encode(), "x").documents
    assert spec_of(msgspec.convert(document.value, written.BackupPolicy), "UTC", VAULT) == spec
