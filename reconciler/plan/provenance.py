"""Where a difference comes from, with git as the base: this edit, an earlier merge, or somebody's hand in Azure."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec


class Origin(StrEnum):
    """MINE: the policies here say something else than those of the base. PENDING: the base says it, and it has not been
    applied yet. DRIFT: Azure differs from what was applied, and nobody's edit asks for that. BOTH: the edit meets
    drift."""

    MINE = "mine"
    BOTH = "both"
    PENDING = "pending"
    DRIFT = "drift"


class Provenance(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Of one change: its origin, and what each side has to do with it, as paths of `Change.fields`.

    A field may stand under more than one: edited here and drifted in Azure. All are empty where the whole resource is
    new or goes.
    """

    origin: Origin
    edited: tuple[str, ...] = ()
    pending: tuple[str, ...] = ()
    drifted: tuple[str, ...] = ()


class Base(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the policies were compared with beside Azure.

    `ref` is as it was asked for (`origin/main`), "" where the last applied commit is the base; `commit` the one
    that it came to (the merge base), in full; `policies` the digest of the policy files there. `applied` is the
    commit that was last applied, "" where nothing tells, `applied_at` when, and `applied_dirty` that the policies
    were not those of it. `head` is the commit that is checked out, "" outside of git; `dirty` tells that the
    policies there are not those of that commit, `behind` that it lacks the applied one: what is pending then is no
    merge that waits, but one that these policies would take back.
    """

    ref: str = ""
    commit: str = ""
    policies: str = ""
    applied: str = ""
    applied_at: datetime | None = None
    applied_dirty: bool = False
    head: str = ""
    dirty: bool = False
    behind: bool = False


class Write(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One entry of the Azure Activity Log about a resource. `at` is aware UTC; `caller` a user principal name, or the
    object or application id of a service principal; `operation` the role action that was used; `status` Azure's word
    (Succeeded, Accepted, Failed)."""

    at: datetime
    caller: str
    operation: str
    correlation_id: str = ""
    status: str = ""


class LastWrites(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who wrote to a resource that drifted, the newest first. `missing` says why that cannot be told: the right to read
    the log is lacking, or nothing is in its 90 days."""

    writes: tuple[Write, ...] = ()
    missing: str = ""
