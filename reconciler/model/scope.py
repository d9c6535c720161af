"""The Scope document: which subscriptions, which limits, which defaults. Exactly one per policy directory."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from reconciler.model.duration import PATTERN
from reconciler.model.freeze import Freeze

Alias = Annotated[
    str,
    Meta(
        pattern=r"^[a-z][a-z0-9-]{0,39}$",
        description="Short name of a subscription: small letters, digits and hyphens, first a letter.",
    ),
]
SubscriptionId = Annotated[
    str,
    Meta(
        pattern=r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$",
        description="Id of the subscription, as 6f1c2a9e-0b7d-4c53-9d8a-2f4e5b6a7c80.",
    ),
]
Duration = Annotated[
    str, Meta(pattern=PATTERN, description="A whole number and m, h, d or w, for example 24h or 180d.")
]

Branch = Annotated[str, Meta(min_length=1)]
BlobAddress = Annotated[str, Meta(pattern="^https?://[^?#]+/[^?#]+/[^?#]+$")]


class Share(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A threshold that refuses only when it is passed in both ways: small estates are not blocked by percentages."""

    percent: Annotated[int, Meta(ge=0, le=100, description="Share of the vault's protected VMs.")]
    count: Annotated[int, Meta(ge=0, description="Number of VMs that is always let through.")]


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """How much one plan may change before a guard refuses it. Lift a guard by name: `--allow G101=40`."""

    updates_per_vault: Annotated[
        Share, Meta(description="VMs of one vault whose protection one plan may change (guard G101).")
    ] = Share(percent=30, count=10)
    releases_per_vault: Annotated[
        Share, Meta(description="VMs of one vault that one plan may release (guard G102).")
    ] = Share(percent=10, count=3)
    snapshot_deletes: Annotated[
        Share,
        Meta(description="Snapshots of one subscription that one plan may delete beyond those it takes (guard G107)."),
    ] = Share(percent=30, count=10)
    policy_writes_per_day: Annotated[
        int, Meta(ge=1, le=50, description="Policy writes to one vault in 24 hours; Azure allows 50 (BP-53).")
    ] = 50
    vms_per_vault: Annotated[int, Meta(ge=1, le=1000, description="Protected VMs of one vault (BP-50).")] = 1000


class Objectives(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """What protection must achieve, checked against what Azure really holds."""

    rpo: Annotated[
        Duration | None, Meta(description="Greatest age that the newest recovery point may have, as 24h.")
    ] = None
    replication_rpo: Annotated[
        Duration | None,
        Meta(description="Greatest age that the newest point of a replicated VM may have, as 30m (ASR-70)."),
    ] = None
    drill_every: Annotated[
        Duration | None,
        Meta(description="Longest time between two test failovers of a replicated VM, as 180d (ASR-53)."),
    ] = None


class Defaults(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """Values for every document that does not say otherwise."""

    time_zone: Annotated[
        str, Meta(min_length=1, description="IANA or Windows name; times of day in the policies are local to it.")
    ] = "UTC"
    objectives: Annotated[
        Objectives, Meta(description="What every protected VM must achieve, unless its Protection says otherwise.")
    ] = Objectives()


class Scope(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """The subscriptions that the policies speak of, safety limits and defaults."""

    subscriptions: Annotated[dict[Alias, SubscriptionId], Meta(min_length=1, description="Alias → subscription id.")]
    limits: Annotated[Limits, Meta(description="How much one plan may change before a guard refuses it.")] = Limits()
    defaults: Annotated[Defaults, Meta(description="Values for documents that do not say otherwise.")] = Defaults()
    base: Annotated[
        Branch | None,
        Meta(
            description="Branch that is applied, as origin/main: `plan` tells your change from drift by the policies "
            "there, unless --base or the pipeline names another.",
        ),
    ] = None
    lock: Annotated[
        BlobAddress | None,
        Meta(
            description="Address of a blob whose lease an apply holds, so that only one runs at a time, as "
            "https://<account>.blob.core.windows.net/<container>/<name>. The container must be there.",
        ),
    ] = None
    freeze: Annotated[
        tuple[Freeze, ...],
        Meta(description="When `apply` holds changes back (guard G108): no Fridays, no changes over Christmas."),
    ] = ()
