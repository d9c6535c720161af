"""Every recorded body, where the recordings are at hand (they are in CI), goes through the readers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from reconciler.azure.clients import Page
from reconciler.azure.failures import refusal
from reconciler.azure.vault_list import LiveVault
from reconciler.errors import AzureError
from reconciler.kinds.vault.kind import VaultKind, VaultSpec
from reconciler.kinds.vault_settings.kind import VaultSettingsKind
from reconciler.kinds.vault_settings.spec import (
    IMMUTABILITIES,
    REDUNDANCIES,
    SOFT_DELETE_STATES,
    facts_of,
    settings_of,
)
from reconciler.kinds.virtual_machine import MachineBody, machine
from reconciler.model.resource import Ref

WIRE = Path(__file__).parents[2].parent / "shared" / "azure" / "wire"
VAULT, MACHINE = "microsoft.recoveryservices/vaults", "microsoft.compute/virtualmachines"


def exchanges() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in sorted(WIRE.glob("*/*.json")):
        for exchange in msgspec.json.decode(path.read_bytes()).get("exchanges", []):
            yield path.name, exchange


def bodies(kind: str) -> Iterator[tuple[str, bytes]]:
    """Every recorded resource of a type, alone or in a list, as bytes."""
    for name, exchange in exchanges():
        body = exchange["response"].get("body")
        if not isinstance(body, dict):
            continue
        for item in body["value"] if isinstance(body.get("value"), list) else [body]:
            if isinstance(item, dict) and str(item.get("type", "")).lower() == kind and "properties" in item:
                yield name, msgspec.json.encode(item)


def test_every_recorded_vault():
    for name, body in bodies(VAULT):
        vault = msgspec.json.decode(body, type=LiveVault)
        settings = settings_of(vault, Ref("vault.a/b/c"))
        assert vault.arm_id.segment("vaults").lower() == vault.name.lower(), name
        assert settings.redundancy in REDUNDANCIES, name
        assert settings.soft_delete in SOFT_DELETE_STATES, name
        assert settings.immutability in IMMUTABILITIES, name
        assert (settings.soft_delete == "Off") == (settings.soft_delete_days == 0), name
        assert VaultSettingsKind().normalise(settings) == settings, name
        assert facts_of(vault, settings).location == vault.region, name
        spec = VaultKind().normalise(VaultSpec(location=vault.location))
        assert VaultKind().normalise(spec) == spec, name


def test_every_recorded_machine():
    for name, body in bodies(MACHINE):
        found = machine(msgspec.json.decode(body, type=MachineBody), "prod", {})
        assert found.arm_id.name == found.name, name
        assert found.location == found.location.lower(), name
        assert found.os_type.value in ("Windows", "Linux", "Unknown"), name
        assert list(found.data_disks) == sorted(set(found.data_disks)), name


def test_every_recorded_page_of_either():
    for name, exchange in exchanges():
        path, body = exchange["request"]["path"].lower(), exchange["response"].get("body")
        if not (isinstance(body, dict) and isinstance(body.get("value"), list)):
            continue
        page: Page[Any]
        if path.endswith("/vaults"):
            page = msgspec.json.decode(msgspec.json.encode(body), type=Page[LiveVault])
        elif path.endswith("/virtualmachines"):
            page = msgspec.json.decode(msgspec.json.encode(body), type=Page[MachineBody])
        else:
            continue
        assert len(page.value) == len(body["value"]), name


def test_every_recorded_refusal_has_a_reason():
    for name, exchange in exchanges():
        status, body = exchange["response"]["status"], exchange["response"].get("body")
        if status and status >= 400:
            error = refusal(status, body, exchange["request"]["path"])
            assert isinstance(error, AzureError), name
            assert error.why, name
            assert "\r" not in str(error), name


def test_what_the_recordings_are_known_to_say():
    """Always-on vaults of 2026, immutable ones of 2024: found among the recordings wherever there are any."""
    seen = {
        value
        for _, body in bodies(VAULT)
        for settings in [settings_of(msgspec.json.decode(body, type=LiveVault), Ref("vault.a/b/c"))]
        for value in (settings.soft_delete, settings.immutability, settings.redundancy)
    }
    known = {"AlwaysOn", "On", "Unlocked", "Disabled", *REDUNDANCIES}
    assert not seen or known <= seen
