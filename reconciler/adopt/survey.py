"""What an estate is read with before there are policies: documents that want nothing, and have everything read."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from reconciler.azure.clients import Azure
from reconciler.azure.vault_list import LiveVault, vault_list
from reconciler.errors import AzureError
from reconciler.model.document import Declared, Document
from reconciler.model.replication import ROUTE, ReplicationRoute
from reconciler.model.scope import Scope
from reconciler.model.snapshot_schedule import DOCUMENT as SCHEDULE
from reconciler.model.snapshot_schedule import Keep, SnapshotSchedule
from reconciler.model.source import Source
from reconciler.model.vault import Vault

_NOWHERE = Source("adopt")


async def survey(azure: Azure, subscriptions: Mapping[str, str]) -> Declared:
    """Policies that say nothing but which subscriptions (alias → id) and vaults there are, and that something is
    replicated in each and snapshots are taken. Of vaults that share a name the first by id is among them. A list that
    fails is told by the reading that follows, which asks again."""

    async def read(alias: str, subscription_id: str) -> list[tuple[str, LiveVault]]:
        try:
            return [(alias, vault) for vault in await vault_list(azure, subscription_id)]
        except AzureError:
            return []

    answers = await asyncio.gather(*(read(*pair) for pair in subscriptions.items()))
    found: dict[str, Document[Vault]] = {}
    for alias, vault in sorted((pair for answer in answers for pair in answer), key=lambda pair: pair[1].arm_id.key):
        value = Vault(subscription=alias, resource_group=vault.arm_id.resource_group, location=vault.region)
        found.setdefault(vault.name.casefold(), Document("Vault", vault.name, value, _NOWHERE))
    scope = Document("Scope", "estate", Scope(subscriptions=dict(subscriptions)), _NOWHERE)
    return Declared(scope, (*found.values(), *map(_route, found.values()), _SCHEDULE))


def _route(vault: Document[Vault]) -> Document[ReplicationRoute]:
    """Names a vault, so that its replication is read, and nothing else."""
    route = ReplicationRoute(
        from_="", to="", vault=vault.name, policy="", target_resource_group="", cache_storage_account=""
    )
    return Document(ROUTE, vault.name, route, _NOWHERE)


_SCHEDULE = Document(SCHEDULE, "survey", SnapshotSchedule(every="1d", keep=Keep(count=1)), _NOWHERE)
