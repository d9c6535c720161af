"""The lock as Azurite keeps it, and the addresses and answers that are none."""

from __future__ import annotations

import uuid

import pytest

from reconciler.azure.blob_lease import locate, open_blob
from reconciler.azure.clouds import PUBLIC
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
        "https://user:c2VjcmV0@shop.blob.core.windows.net/locks/prod",
    ],
)
def test_addresses_that_are_none(address: str) -> None:
    with pytest.raises(UsageError) as error:
        locate(address)
    assert "c2VjcmV0" not in str(error.value)


@pytest.mark.parametrize("host", ["evil.example", "shop.blob.core.windows.net.evil.example", "127.0.0.1"])
async def test_the_sign_in_goes_to_storage_of_the_cloud_only(host: str) -> None:
    """The address may come from a Scope that somebody else wrote."""
    with pytest.raises(UsageError):
        async with open_blob(locate(f"https://{host}/account/locks/prod"), PUBLIC):
            raise AssertionError("the door is open")
