"""Our answers against recorded ones, key by key, where the recordings are at hand: they are not in this repository.

What we serve must have been seen with that type of value; what every newer recording has must be there.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

RECORDINGS = Path(__file__).parents[3].parent / "shared" / "azure" / "wire" / "backup"
NEW = "2024"
"""The api-versions that say what must be there. What may be there is known from older ones too (failures are)."""

VAULT = "Microsoft.RecoveryServices/vaults"
ITEM = f"{VAULT}/backupFabrics/protectionContainers/protectedItems"
FREE = ("propertyBag", "internalPropertyBag", "tags", "identity")
"""Objects whose keys are data."""

Shape = dict[str, set[str]]


def shape_of(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    yield path, type(value).__name__ if not isinstance(value, bool) else "bool"
    if isinstance(value, dict) and path.rpartition(".")[2] not in FREE:
        for key, entry in value.items():
            yield from shape_of(entry, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for entry in value:
            yield from shape_of(entry, f"{path}[]")


def recorded(type_: str, since: str = "2019") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for file in sorted(RECORDINGS.glob("*.json")):
        for exchange in json.loads(file.read_text())["exchanges"]:
            request, body = exchange["request"], exchange["response"]["body"]
            version = str(request.get("api_version") or "")
            if (
                request["method"] != "GET"
                or version < since
                or not version[:4].isdecimal()
                or not isinstance(body, dict)
            ):
                continue
            found += [entry for entry in body.get("value", [body]) if entry.get("type") == type_]
    return found


def is_for_machines(body: dict[str, Any]) -> bool:
    return bool(body["properties"]["backupManagementType"] == "AzureIaasVM")


def answers(caller: Any) -> dict[str, list[dict[str, Any]]]:
    """What we serve of each type, in as many states as are quickly had."""
    path = caller.item_path("kept-01")
    done = caller.do("POST", f"{path}/backup", {})
    points = caller.get(f"{path}/recoveryPoints")["value"]
    policies = [entry for entry in caller.get("rsv-app/backupPolicies")["value"] if is_for_machines(entry)]
    return {
        VAULT: [caller.get("rsv-app"), caller.get("rsv-empty")],
        f"{VAULT}/backupPolicies": policies,
        ITEM: caller.get("rsv-app/backupProtectedItems")["value"],
        f"{ITEM}/recoveryPoints": [points[0], caller.get(f"{path}/recoveryPoints/{points[0]['name']}")],
        f"{VAULT}/backupJobs": [
            caller.get(f"rsv-app/backupJobs/{done['properties']['jobId']}"),
            *caller.get("rsv-app/backupJobs")["value"],
        ],
        f"{VAULT}/backupFabrics/protectionContainers": caller.get("rsv-app/backupProtectionContainers")["value"],
        f"{VAULT}/backupFabrics/protectionContainers/protectableItems": caller.get("rsv-app/backupProtectableItems")[
            "value"
        ],
        f"{VAULT}/backupconfig": [caller.get("rsv-app/backupconfig/vaultconfig")],
        f"{VAULT}/backupEncryptionConfigs": [
            caller.get("rsv-app/backupEncryptionConfigs/backupResourceEncryptionConfig")
        ],
    }


def test_shapes_are_those_of_the_recordings(caller: Any) -> None:
    differences = []
    for type_, served in answers(caller).items():
        assert recorded(type_, NEW), f"nothing was recorded of {type_}"
        seen: Shape = defaultdict(set)
        for path, kind in chain.from_iterable(map(shape_of, recorded(type_))):
            seen[path].add(kind)
        always = set.intersection(*({path for path, _ in shape_of(body)} for body in recorded(type_, NEW)))
        for body in served:
            ours = set(shape_of(body))
            differences += [f"{type_}: {path} is {kind}" for path, kind in ours if kind not in seen.get(path, {kind})]
            differences += [f"{type_}: {path} was never recorded" for path, _ in ours if path not in seen]
            differences += [f"{type_}: {path} is missing" for path in always - {path for path, _ in ours}]
    assert not differences, "\n".join(sorted(set(differences)))
