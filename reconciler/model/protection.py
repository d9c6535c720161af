"""Exemption: which VMs are excused from what. (Protection's shape is composed from the aspects of the kinds.)"""

from __future__ import annotations

import datetime as dt
from typing import Annotated

import msgspec
from msgspec import Meta

from reconciler.model.selector import Selector


class Exemption(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """Excuses VMs from protection, with a reason, until a day. An expired one is an error."""

    select: Selector
    reason: Annotated[str, Meta(min_length=10, description="Why these VMs need no protection; shown in reports.")]
    until: Annotated[dt.date, Meta(description="Last day on which it holds, as 2027-03-31.")]
    from_: Annotated[
        tuple[str, ...] | None, Meta(min_length=1, description="Aspects it excuses from, as backup. All when absent.")
    ] = None
    allow_empty: Annotated[bool, Meta(description="Accept that no VM matches.", extra_json_schema={})] = False


class Protection(msgspec.Struct, frozen=True, kw_only=True):
    """What a Protection says, whatever its aspects are.

    `aspects` maps an aspect's name (`backup`) to that kind's own struct; `objectives` may be None (defaults apply).
    """

    select: Selector
    aspects: dict[str, msgspec.Struct]
    objectives: msgspec.Struct | None = None
    priority: int = 0
    allow_empty: bool = False
