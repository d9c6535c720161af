"""The policy directory that belongs to a generated estate: what its protected machines have is what it asks for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from reconciler.emulator.generate import POLICIES, Generation, subscription_ids, vault_names

Document = dict[str, Any]

_SELECTIONS: dict[str, Document] = {
    "enhanced-4h": {"tags": {"env": "prod", "tier": ["db", "pg"]}},
    "daily-30d": {"all": [{"tags": {"env": "prod"}}, {"not": {"tags": {"tier": ["db", "pg"]}}}]},
    "daily-14d": {"tags": {"env": ["test", "dev"]}},
}


def write_policies(directory: Path, wanted: Generation) -> list[Path]:
    """Writes scope.yaml, vaults.yaml, backup-policies.yaml and protections.yaml; answers what was written.

    A plan of them on the estate of the same Generation changes no protected machine, and protects the others.
    """
    import yaml

    directory.mkdir(parents=True, exist_ok=True)
    files = {
        "scope.yaml": [_document("Scope", "generated", subscriptions=subscription_ids(wanted))],
        "vaults.yaml": _vaults(wanted),
        "backup-policies.yaml": [_policy(name, template) for name, template in POLICIES.items()],
        "protections.yaml": [
            _document("Protection", f"all-{name}", select=select, allowEmpty=True, backup={"policy": name})
            for name, select in _SELECTIONS.items()
        ],
    }
    written: list[Path] = []
    for name, documents in files.items():
        path = directory / name
        path.write_text(yaml.safe_dump_all(documents, sort_keys=False, width=120), encoding="utf-8")
        written.append(path)
    return written


def _document(kind: str, name: str, **fields: Any) -> Document:
    return {"apiVersion": "reconciler/v1", "kind": kind, "name": name, **fields}


def _vaults(wanted: Generation) -> list[Document]:
    return [
        _document(
            "Vault",
            name,
            subscription=alias,
            resourceGroup="rg-backup",
            location=region,
            redundancy="LocallyRedundant",
            softDelete={"state": "On", "days": 14},
        )
        for (alias, region), names in vault_names(wanted).items()
        for name in names
    ]


def _policy(name: str, template: Document) -> Document:
    schedule = template["schedule"]
    if schedule["frequency"] == "Hourly":
        when = {
            "frequency": "Hourly",
            "windowStart": schedule["time"],
            "intervalHours": schedule["interval"],
            "durationHours": schedule["duration"],
        }
    else:
        when = {"frequency": schedule["frequency"], "time": schedule["time"]}
    kept = template["retention"]
    retention: Document = {"daily": {"days": kept["daily"]}}
    if "weekly" in kept:
        retention["weekly"] = {"weeks": kept["weekly"]["weeks"], "weekdays": kept["weekly"]["days"]}
    return _document(
        "BackupPolicy",
        name,
        tier=template.get("tier", "Standard"),
        schedule=when,
        retention=retention,
        instantRestore={"days": template["instantRestoreDays"]},
    )
