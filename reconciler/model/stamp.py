"""What was last applied: written on every vault that we manage, since Azure is the only place that all runs share."""

from __future__ import annotations

from datetime import datetime

import msgspec

COMMIT_TAG = "reconciler-commit"
POLICIES_TAG = "reconciler-policies"
APPLIED_TAG = "reconciler-applied"
TAGS = (COMMIT_TAG, POLICIES_TAG, APPLIED_TAG)
DIRTY = "+dirty"
"""Ends the commit where the policies were not as committed: it does not tell what was applied."""

SHORT = 10
"""Digits of a commit, for people."""


class Stamp(msgspec.Struct, frozen=True, kw_only=True):
    """`commit` is the full id, "" where the policies were in no git repository; `dirty` where they were not as
    committed; `policies` the digest of the policy files (`Validation.digest`); `at` aware UTC."""

    commit: str
    policies: str
    at: datetime
    dirty: bool = False
    doubts: tuple[str, ...] = ()
    """What speaks against it: other vaults that say something else, a time that is still to come."""


def spell(stamp: Stamp) -> str:
    """`commit 1a2b3c4d5e, applied 2026-03-02 08:00 UTC`."""
    commit = f"commit {stamp.commit[:SHORT]}" if stamp.commit else "policies outside of git"
    return f"{commit}{' with changes' if stamp.dirty else ''}, applied {stamp.at:%Y-%m-%d %H:%M} UTC"
