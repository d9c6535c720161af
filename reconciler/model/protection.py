"""Protection and Exemption: which VMs get what, and which are excused from what."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

import msgspec
from msgspec import Meta

from reconciler.model.scope import Objectives
from reconciler.model.selector import Selector


class Exemption(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    rename={"from_": "from", "allow_empty": "allowEmpty"},
):
    """VMs that are excused from protection, why, and until when. An expired one is an error."""

    select: Annotated[Selector, Meta(description="The VMs it speaks of.")]
    reason: Annotated[str, Meta(min_length=10, description="Why these VMs need no protection; shown in reports.")]
    until: Annotated[dt.date, Meta(description="The last day on which it holds, as 2027-03-31.")]
    from_: Annotated[
        Annotated[tuple[str, ...], Meta(min_length=1)] | None,
        Meta(description="The aspects that it excuses from, as backup. Left out: from all of them."),
    ] = None
    allow_empty: Annotated[bool, Meta(description="Accept that no VM matches.")] = False


class Protection(msgspec.Struct, frozen=True, kw_only=True):
    """What a Protection says, whatever its aspects are. Its YAML shape is composed from the aspects of the kinds.

    `aspects` maps an aspect's name (`backup`) to that kind's own struct; where `objectives` is None the Scope's
    defaults apply. Where two Protections give one VM the same aspect, the higher `priority` wins.
    """

    select: Selector
    aspects: dict[str, msgspec.Struct]
    objectives: Objectives | None = None
    priority: int = 0
    allow_empty: bool = False
