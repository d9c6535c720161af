"""Where each cloud is, and how a cloud of one's own is found."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from reconciler.azure.clouds import (
    cloud_from_metadata,
    custom_cloud,
    discover_cloud,
    emulator_cloud,
    known_cloud,
)
from reconciler.azure.pipeline import FixedToken, credential
from reconciler.errors import UnreachableError, UsageError

METADATA = {
    "name": "AzureStack-Bern",
    "resourceManager": "https://management.bern.example/",
    "portal": "https://portal.bern.example",
    "authentication": {
        "loginEndpoint": "https://login.bern.example/adfs",
        "audiences": ["https://management.bern.example/0a1b"],
        "tenant": "common",
        "identityProvider": "AAD",
    },
}


@pytest.mark.parametrize(
    ("name", "manager", "authority"),
    [
        ("public", "https://management.azure.com", "https://login.microsoftonline.com"),
        ("USGov", "https://management.usgovcloudapi.net", "https://login.microsoftonline.us"),
        ("china", "https://management.chinacloudapi.cn", "https://login.chinacloudapi.cn"),
    ],
)
def test_known_clouds(name, manager, authority):
    cloud = known_cloud(name)
    assert (cloud.resource_manager, cloud.authority) == (manager, authority)
    assert cloud.audience == f"{manager}/.default"
    assert cloud.token is None


def test_an_unknown_cloud_names_the_known_ones():
    with pytest.raises(UsageError, match="no cloud named 'mars'") as caught:
        known_cloud("mars")
    assert "usgov" in caught.value.advice


@pytest.mark.parametrize("address", ["http://localhost:1", "localhost", "", "https://"])
def test_only_https_addresses(address):
    with pytest.raises(UsageError, match="not the address"):
        custom_cloud(address, "https://login.example")


def test_metadata():
    cloud = cloud_from_metadata("https://management.bern.example", msgspec.json.encode(METADATA))
    assert cloud.name == "AzureStack-Bern"
    assert cloud.authority == "https://login.bern.example/adfs"
    assert cloud.audience == "https://management.bern.example/.default"
    assert not cloud.known_authority


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"{}", b'{"authentication": {"loginEndpoint": ""}}'])
def test_metadata_that_describes_no_cloud(body):
    with pytest.raises(UsageError):
        cloud_from_metadata("https://management.bern.example", body)


async def test_discovery(script, say):
    script.on["/metadata/endpoints"] = [say(body=METADATA)]
    cloud = await discover_cloud(script.endpoint, script.ca)
    assert cloud.resource_manager == script.endpoint
    assert cloud.ca_file == script.ca
    assert cloud.authority == "https://login.bern.example/adfs"
    assert script.asked == ["GET /metadata/endpoints?api-version=2022-09-01"]


async def test_discovery_that_fails(script):
    with pytest.raises(UnreachableError, match="does not say what cloud"):
        await discover_cloud(script.endpoint, script.ca)
    with pytest.raises(UnreachableError) as caught:
        await discover_cloud(script.endpoint, None)
    assert "CA file" in caught.value.advice


def test_the_emulators_token_is_shown_nowhere():
    cloud = emulator_cloud("https://localhost:9443/", Path("ca.pem"), "secret-token")
    assert "secret" not in repr(cloud)
    assert isinstance(credential(cloud), FixedToken)
