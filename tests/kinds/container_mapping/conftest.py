"""Routes as the loader hands them over: decoded, each value knowing its line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from reconciler.model.document import Document
from reconciler.model.replication import ReplicationRoute
from reconciler.model.source import Source
from tests.kinds.conftest import PROD

GROUPS = f"/subscriptions/{PROD}/resourceGroups"
NEAR = f"{GROUPS}/rg-app/providers/Microsoft.Network/virtualNetworks/vnet-weu"
FAR = f"{GROUPS}/rg-dr/providers/Microsoft.Network/virtualNetworks/vnet-neu"
BASE = {
    "from": "westeurope",
    "to": "northeurope",
    "vault": "rsv-dr",
    "policy": "day",
    "targetResourceGroup": "rg-dr",
    "cacheStorageAccount": f"{GROUPS}/rg-app/providers/Microsoft.Storage/storageAccounts/cacheweu",
}


class Lines(dict[Any, Source]):
    """Every path stands on a line of its own."""

    def get(self, path: Any, default: Any = None) -> Any:
        return Source("policies/routes.yaml", 1 + sum(map(ord, "/".join(map(str, path)))), len(path) or 1)


def document(kind: str, name: str, value: msgspec.Struct) -> Document[Any]:
    return Document(kind, name, value, Source(f"policies/{kind}.yaml", 1, 1), Lines())


def route(name: str, changes: Mapping[str, Any]) -> Document[ReplicationRoute]:
    body = {key: value for key, value in {**BASE, **changes}.items() if value is not None}
    return document("ReplicationRoute", name, msgspec.convert(body, ReplicationRoute))
