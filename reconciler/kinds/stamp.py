"""The stamp of the last apply: three tags on every vault that the policies declare (docs/decisions/0023).

It is no setting of a vault. The vault kind compares only the tags that a policy speaks of, and merges: it neither shows
these as drift nor takes them away, and no plan rests on them.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import msgspec

from reconciler.azure.clients import Azure
from reconciler.azure.vault_list import LiveVault, vault_list
from reconciler.errors import AzureError
from reconciler.kinds.located_vault import declared_vaults, unread_vaults
from reconciler.model.document import Declared
from reconciler.model.live import Unreadable
from reconciler.model.stamp import APPLIED_TAG, COMMIT_TAG, DIRTY, POLICIES_TAG, Stamp, spell

TAGS_VERSION = "2021-04-01"
PERMISSION = "Microsoft.Resources/tags/write"
_COMMIT = re.compile(r"(?P<commit>[0-9a-f]{40}|[0-9a-f]{64}|)(?P<dirty>" + re.escape(DIRTY) + ")?")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_SLOW = timedelta(hours=1)
"""How far the clock of whoever applied may have been ahead of ours."""


@dataclass(frozen=True, slots=True)
class Stamping:
    """`vaults` were tagged just now, by name; none where all of them said so already. Each of the failures names its
    vault or its subscription."""

    vaults: tuple[str, ...] = ()
    failures: tuple[AzureError, ...] = ()


async def read_stamp(azure: Azure, declared: Declared) -> Stamp | Unreadable | None:
    """The newest stamp on the declared vaults; None where none of them carries one. Tags that somebody has damaged are
    no stamp. Costs nothing where the vaults were listed already (`azure.shared`).

    Whoever may write tags can write these: vaults that disagree are its `doubts`, and one that was stamped in the
    future counts only where there is no other. A list that failed may hide a newer one: then nothing is known, and the
    first gap is answered.
    """
    ours = declared_vaults(declared)

    async def read(alias: str, subscription_id: str) -> list[LiveVault] | Unreadable:
        try:
            return [vault for vault in await vault_list(azure, subscription_id) if vault.arm_id in ours]
        except AzureError as error:
            return unread_vaults(error, "vault", alias)

    answers = await asyncio.gather(*(read(*pair) for pair in _homes(declared).items()))
    stamps: list[tuple[str, Stamp]] = []
    for answer in answers:
        if isinstance(answer, Unreadable):
            return answer
        stamps += [(vault.name, found) for vault in answer if (found := stamp_of(vault.tags or {}))]
    return _newest(stamps, azure.now())


def _newest(stamps: Sequence[tuple[str, Stamp]], now: datetime) -> Stamp | None:
    if not stamps:
        return None
    latest = now + _SLOW
    newest, counts = max(stamps, key=lambda pair: (pair[1].at <= latest, pair[1].at, pair[1].commit))
    doubts = [f"vault {name} says {spell(other)}" for name, other in stamps if not _says(other, counts)]
    if counts.at > latest:
        doubts.append(f"the stamp of vault {newest} is of the future ({counts.at:%Y-%m-%d %H:%M} UTC)")
    return msgspec.structs.replace(counts, doubts=tuple(sorted(doubts)))


async def write_stamp(azure: Azure, declared: Declared, stamp: Stamp) -> Stamping:
    """Tag every declared vault that is there, unless all of them say so already; `at` alone is no difference. Other
    tags are left alone."""
    azure.forget()  # vaults may have been made since they were listed
    ours = declared_vaults(declared)
    homes = _homes(declared).values()
    tagged: list[str] = []
    failures: list[AzureError] = []

    async def read(home: str) -> list[LiveVault]:
        try:
            return [vault for vault in await vault_list(azure, home) if vault.arm_id in ours]
        except AzureError as error:
            failures.append(error)
            return []

    async def tag(vault: LiveVault) -> None:
        body = {"operation": "Merge", "properties": {"tags": tags_of(stamp)}}
        try:
            await azure.send("PATCH", f"{vault.arm_id}/providers/Microsoft.Resources/tags/default", TAGS_VERSION, body)
            tagged.append(vault.name)
        except AzureError as error:
            failures.append(error)

    vaults = [vault for found in await asyncio.gather(*map(read, homes)) for vault in found]
    there = [stamp_of(vault.tags or {}) for vault in vaults]
    if any(not _says(found, stamp) or (found and found.at > stamp.at + _SLOW) for found in there):
        await asyncio.gather(*map(tag, vaults))
        azure.forget()
    return Stamping(tuple(sorted(tagged)), tuple(failures))


def tags_of(stamp: Stamp) -> dict[str, str]:
    """The stamp as tags of a vault."""
    return {
        COMMIT_TAG: stamp.commit + (DIRTY if stamp.dirty else ""),
        POLICIES_TAG: stamp.policies,
        APPLIED_TAG: stamp.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def stamp_of(tags: Mapping[str, str | None]) -> Stamp | None:
    """The stamp that these tags are, or None. Azure compares the names of tags without casing."""
    values = {name.casefold(): value or "" for name, value in tags.items()}
    commit = _COMMIT.fullmatch(values.get(COMMIT_TAG, "?"))
    policies = values.get(POLICIES_TAG, "")
    try:
        at = datetime.fromisoformat(values.get(APPLIED_TAG, ""))
        if not commit or not _DIGEST.fullmatch(policies) or at.tzinfo is None:
            return None
        return Stamp(commit=commit["commit"], policies=policies, at=at.astimezone(UTC), dirty=bool(commit["dirty"]))
    except (ValueError, OverflowError):
        return None


def _says(found: Stamp | None, stamp: Stamp) -> bool:
    return found is not None and msgspec.structs.replace(found, at=stamp.at, doubts=stamp.doubts) == stamp


def _homes(declared: Declared) -> dict[str, str]:
    """The subscriptions of the declared vaults: alias → id."""
    ours = {vault.group.partition("/")[0] for vault in declared_vaults(declared).values()}
    return {alias: identifier for alias, identifier in declared.subscriptions.items() if alias in ours}
