"""Our machines and disks against recorded ones: every field that we serve has the name and type that Azure serves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from reconciler.emulator import estate as estates
from reconciler.emulator.emulator import Emulator

RECORDINGS = Path(__file__).parents[2].parent / "shared" / "azure" / "wire" / "backup"

# The fields of a machine in a list answer, in the shape of compute 2024-11-01; written by hand from recorded answers.
MACHINE_FIELDS = {
    "name": str,
    "id": str,
    "type": str,
    "location": str,
    "etag": str,
    "properties.vmId": str,
    "properties.provisioningState": str,
    "properties.timeCreated": str,
    "properties.hardwareProfile.vmSize": str,
    "properties.osProfile.computerName": str,
    "properties.osProfile.secrets": list,
    "properties.osProfile.allowExtensionOperations": bool,
    "properties.storageProfile.diskControllerType": str,
    "properties.storageProfile.osDisk.osType": str,
    "properties.storageProfile.osDisk.diskSizeGB": int,
    "properties.storageProfile.osDisk.managedDisk.id": str,
    "properties.storageProfile.osDisk.managedDisk.storageAccountType": str,
    "properties.storageProfile.dataDisks": list,
    "properties.networkProfile.networkInterfaces": list,
}


def leaves(value: Any, path: str = "") -> dict[str, type]:
    """Every field by its dotted path; the elements of a list share one."""
    if isinstance(value, dict) and path not in ("tags", "properties.osProfile.secrets"):
        found: dict[str, type] = {}
        for name, inner in value.items():
            found |= leaves(inner, f"{path}.{name}".lstrip("."))
        return found
    if isinstance(value, list) and value:
        found = {path: list}
        for inner in value:
            found |= leaves(inner, f"{path}[]")
        return found
    return {path: type(value)}


def sample(type_: str) -> list[dict[str, Any]]:
    return Emulator(estate=estates.read(estates.SAMPLE)).world.store.list(type_)


def recorded(type_: str) -> list[dict[str, Any]]:
    """Bodies of one type in all recordings; none where the recordings are not at hand."""
    bodies: list[dict[str, Any]] = []
    for file in sorted(RECORDINGS.glob("c7n-*.json")):
        for exchange in json.loads(file.read_text())["exchanges"]:
            body = exchange["response"]["body"] or {}
            bodies += [b for b in [body, *body.get("value", [])] if b.get("type") == type_]
    return bodies


def test_every_machine_has_every_field():
    for machine in sample("Microsoft.Compute/virtualMachines"):
        found = leaves(machine)
        assert MACHINE_FIELDS.items() <= found.items(), machine["name"]


def test_fields_that_both_serve_have_one_type():
    for type_ in ("Microsoft.Compute/virtualMachines", "Microsoft.Compute/disks"):
        ours: dict[str, type] = {}
        for body in sample(type_):
            ours |= leaves(body)
        for body in recorded(type_):
            theirs = leaves(body)
            wrong = {k: (ours[k], theirs[k]) for k in ours.keys() & theirs.keys() if ours[k] is not theirs[k]}
            assert wrong == {}, body["id"]


def test_casing_differs_between_a_machine_and_its_disks():
    differing = [
        machine["name"]
        for machine in sample("Microsoft.Compute/virtualMachines")
        if machine["id"].split("/")[4]
        != machine["properties"]["storageProfile"]["osDisk"]["managedDisk"]["id"].split("/")[4]
    ]
    assert 10 <= len(differing) <= 25
