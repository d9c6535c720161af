"""The lock as Azurite keeps it, and the addresses and answers that are none."""

from __future__ import annotations

import uuid

import pytest

from reconciler.azure.blob_address import account_key, locate, refuse_strangers
from reconciler.azure.blob_lease import open_blob
from reconciler.azure.clouds import PUBLIC, USGOV, Cloud, custom_cloud
from reconciler.errors import AbsentError, AzureError, ConflictError, DeniedError, UsageError
from tests.azurite.running import KEY, Azurite


@pytest.fixture
def address(azurite: Azurite) -> str:
    return azurite.blob(f"lock-{uuid.uuid4().hex}")


async def test_one_has_it_and_others_can_read_who(azurite: Azurite, address: str) -> None:
    known = azurite.connection_string
    async with open_blob(locate(address), PUBLIC, known) as mine, open_blob(locate(address), PUBLIC, known) as yours:
        assert (await mine.leased(), await mine.read()) == (False, b"")
        assert await mine.acquire()
        await mine.write(b"me")
        assert not await yours.acquire()
        assert (await yours.leased(), await yours.read()) == (True, b"me")
        await mine.renew()
        assert await mine.acquire(), "an answer that was lost can be asked for again"
        with pytest.raises(ConflictError):
            await yours.write(b"you")
        await mine.release()
        assert await yours.acquire()


async def test_what_is_missing_or_refused_is_told_with_the_way_out(azurite: Azurite, address: str) -> None:
    async with open_blob(locate(azurite.blob("x", "nowhere")), PUBLIC, azurite.connection_string) as blob:
        with pytest.raises(AbsentError, match=r"az storage container create .* --name nowhere"):
            await blob.acquire()
    wrong = azurite.connection_string.replace(KEY[:4], "AAAA")
    async with open_blob(locate(address), PUBLIC, wrong) as blob:
        with pytest.raises(DeniedError, match="Storage Blob Data Contributor"):
            await blob.acquire()


async def test_a_signature_is_never_told(azurite: Azurite, address: str) -> None:
    location = locate(f"{address}?sv=2025-01-05&sr=b&sig=c2VjcmV0")
    assert "c2VjcmV0" not in f"{location} {location!r}"
    async with open_blob(location, PUBLIC) as blob:
        with pytest.raises(AzureError) as refused:
            await blob.acquire()
    assert "c2VjcmV0" not in str(refused.value)


@pytest.mark.parametrize(
    ("address", "account", "container"),
    [
        ("https://shop.blob.core.windows.net/locks/prod", "shop", "locks"),
        ("https://shop.blob.core.windows.net/locks/a/b.json?sv=1&sig=x", "shop", "locks"),
        ("http://127.0.0.1:10000/devstoreaccount1/locks/prod", "devstoreaccount1", "locks"),
    ],
)
def test_addresses(address: str, account: str, container: str) -> None:
    location = locate(address)
    assert (location.account, location.container) == (account, container)
    assert "?" not in str(location)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "locks/prod",
        "https://shop.blob.core.windows.net/locks",
        "http://127.0.0.1:10000/devstoreaccount1/locks",
        "http://shop.blob.core.windows.net/locks/prod?sig=c2VjcmV0",
        "ftp://shop/locks/prod?sig=c2VjcmV0",
        "https:///locks/prod?sig=c2VjcmV0",
        "https://[::1/locks/prod?sig=c2VjcmV0",
        "https://shop.blob.core.windows.net:99999/locks/prod?sig=c2VjcmV0",
        "https://shop.blob.core.windows.net/locks/prod&sig=c2VjcmV0",
        "https://shop.blob.core.windows.net/locks/prod%3Fsv=1&SIG%3Dc2VjcmV0",
        "https://shop.blob.core.windows.net/locks/prod#sig=c2VjcmV0",
        "DefaultEndpointsProtocol=https;AccountName=shop;AccountKey=c2VjcmV0;EndpointSuffix=core.windows.net",
        "BlobEndpoint=https://shop.blob.core.windows.net/;SharedAccessSignature=sv=1&si=c2VjcmV0",
        "https://user:c2VjcmV0@shop.blob.core.windows.net/locks/prod",
    ],
)
def test_addresses_that_are_none(address: str) -> None:
    with pytest.raises(UsageError) as error:
        locate(address)
    assert "c2VjcmV0" not in str(error.value)


STACK = custom_cloud("https://management.local.stack.example", "https://login.stack.example")
THROUGH = custom_cloud("https://proxy.example", PUBLIC.authority)


@pytest.mark.parametrize(
    ("host", "cloud"),
    [
        ("evil.example", PUBLIC),
        ("shop.blob.core.windows.net.evil.example", PUBLIC),
        ("127.0.0.1", PUBLIC),
        ("shop.blob.core.windows.net", USGOV),
        ("evil.example", STACK),
        ("evil.example", THROUGH),
    ],
)
async def test_the_sign_in_goes_to_storage_of_the_cloud_only(host: str, cloud: Cloud) -> None:
    """The address may come from a Scope that somebody else wrote."""
    with pytest.raises(UsageError):
        async with open_blob(locate(f"https://{host}/account/locks/prod"), cloud):
            raise AssertionError("the door is open")


@pytest.mark.parametrize(
    ("host", "cloud"),
    [
        ("shop.blob.core.windows.net", PUBLIC),
        ("shop.z01.blob.storage.azure.net", PUBLIC),
        ("shop.blob.core.usgovcloudapi.net", USGOV),
        ("shop.blob.local.stack.example", STACK),
        ("shop.blob.core.windows.net", THROUGH),
    ],
)
def test_storage_of_the_cloud(host: str, cloud: Cloud) -> None:
    refuse_strangers(locate(f"https://{host}/locks/prod"), cloud)


@pytest.mark.parametrize(
    ("host", "parts", "fits"),
    [
        ("shop.blob.core.windows.net", "", True),
        ("shop.blob.core.usgovcloudapi.net", "EndpointSuffix=core.usgovcloudapi.net", True),
        ("shop.blob.core.windows.net", "BlobEndpoint=https://shop.blob.core.windows.net/", True),
        ("other.blob.core.windows.net", "", False),
        ("shop.evil.example", "", False),
        ("shop.blob.core.windows.net.evil.example", "", False),
    ],
)
def test_a_key_signs_for_its_own_account_only(host: str, parts: str, fits: bool) -> None:
    known = f"DefaultEndpointsProtocol=https;AccountName=shop;AccountKey=c2VjcmV0;{parts}"
    assert bool(account_key(locate(f"https://{host}/locks/prod"), known)) is fits
