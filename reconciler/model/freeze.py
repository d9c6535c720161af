"""The windows of a Scope in which nothing is applied but what is due by the clock: shape only. `model/frozen.py` tells
whether one is open, `desired/freeze_rules.py` what is wrong with one."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Weekday = Literal["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
_TIME = "([01][0-9]|2[0-3]):[0-5][0-9]"
TimeOfDay = Annotated[str, Meta(pattern=f"^{_TIME}$")]
EndOfDay = Annotated[str, Meta(pattern=f"^({_TIME}|24:00)$")]
Moment = Annotated[str, Meta(pattern=f"^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}(T{_TIME})?$")]


class Weekly(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, rename={"from_": "from"}
):
    """A window that opens every week, on each of these days."""

    weekdays: Annotated[
        tuple[Weekday, ...], Meta(min_length=1, description="The days on which it begins, as [Friday].")
    ]
    from_: Annotated[TimeOfDay, Meta(description='When it begins, as "12:00".')] = "00:00"
    to: Annotated[
        EndOfDay,
        Meta(description='When it ends, as "18:00" or "24:00"; a time that is not after `from` is of the next day.'),
    ] = "24:00"


class Dates(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """A window that opens once."""

    from_: Annotated[Moment, Meta(description="The first day, as 2026-12-18, or a time of it, as 2026-12-18T12:00.")]
    until: Annotated[
        Moment, Meta(description="The last day, as 2027-01-04: all of it. Or the time at which it ends, as …T08:00.")
    ]


class Freeze(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, rename="camel"):
    """A window in which `apply` holds changes back (guard G108); either `weekly` or `dates`. Snapshots that are due,
    restores and operations go on. `plan` and `drift` only tell of it."""

    reason: Annotated[str, Meta(min_length=3, description="Why, for whoever is held up by it.")]
    weekly: Annotated[Weekly | None, Meta(description="{weekdays, from, to}: every week.")] = None
    dates: Annotated[Dates | None, Meta(description="{from, until}: once.")] = None
    time_zone: Annotated[
        Annotated[str, Meta(min_length=1)] | None,
        Meta(description="IANA or Windows name. Default: `defaults.timeZone`."),
    ] = None
