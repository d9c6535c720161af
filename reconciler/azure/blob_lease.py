"""A blob whose lease says who may apply: the only door to Azure Storage. The SDK is imported when it opens.

A lease of 60 s (the longest that ends by itself) is over when nobody renews it: whoever was killed is in nobody's way
for longer. It takes the role Storage Blob Data Contributor on the container. Source: Lease Blob, in the REST reference
of Azure Storage.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any

from reconciler.azure.blob_address import Location, account_key, refuse_strangers
from reconciler.azure.clouds import Cloud
from reconciler.errors import (
    AbsentError,
    AzureError,
    ConflictError,
    DeniedError,
    DoubtfulError,
    FailedError,
    UnreachableError,
)

if TYPE_CHECKING:
    from azure.core import exceptions
    from azure.storage.blob.aio import BlobClient

LEASE_SECONDS = 60
_MOST = 64 * 1024
"""Bytes of a record that are read: whatever else somebody has put there is not ours to show."""
_TAKEN = frozenset({"LeaseAlreadyPresent", "LeaseIsBreakingAndCannotBeAcquired"})
_MADE = frozenset({"BlobAlreadyExists", "ConditionNotMet", "LeaseIdMissing"})
"""Somebody else made it in between, and may have its lease already."""
_GOES_WITHOUT = "or go without the lock (--no-lock) where nobody else can be applying"
_PLAIN = "name a block blob that nothing keeps from being written (no immutability policy, no legal hold)"
_ROLE = "give the identity the role Storage Blob Data Contributor on the container"


class LeasedBlob:
    """The blob, and the lease of it once `acquire` has got one."""

    def __init__(self, client: BlobClient, location: Location) -> None:
        from azure.storage.blob.aio import BlobLeaseClient

        self.location = location
        self._client = client
        self._lease = BlobLeaseClient(client)

    async def acquire(self) -> bool:
        """Take the lease; False where somebody else has it. The blob is made where it is missing. Safe to repeat after
        a lost answer: the id is ours from the beginning."""
        try:
            await self._try_acquire()
        except AbsentError as error:
            if error.code != "BlobNotFound":
                raise
            await self._make()
            return await self.acquire()
        except ConflictError as error:
            if error.code not in _TAKEN:
                raise
            return False
        return True

    async def renew(self) -> None:
        """Another 60 s. Raises ConflictError or AbsentError where the lease is lost for good, else what went wrong."""
        with _in_our_words(self.location):
            await self._lease.renew()

    async def release(self) -> None:
        """Let it go now, so that the next need not wait for its end."""
        with _in_our_words(self.location):
            await self._lease.release()

    async def write(self, record: bytes) -> None:
        """What others read to learn who has it. Only whoever has the lease can."""
        with _in_our_words(self.location):
            await self._client.upload_blob(record, overwrite=True, lease=self._lease)

    async def read(self) -> bytes:
        """What the last holder wrote; nothing where the blob is not there yet."""
        try:
            with _in_our_words(self.location):
                stream = await self._client.download_blob(offset=0, length=_MOST)
                return await stream.readall()
        except AbsentError as error:
            if error.code == "BlobNotFound":
                return b""
            raise
        except FailedError as error:
            if error.code == "InvalidRange":  # it is empty
                return b""
            raise

    async def leased(self) -> bool:
        """Whether anybody has the lease right now."""
        try:
            with _in_our_words(self.location):
                found = await self._client.get_blob_properties()
                return bool(found.lease.status == "locked")
        except AbsentError as error:
            if error.code == "BlobNotFound":
                return False
            raise

    async def _try_acquire(self) -> None:
        with _in_our_words(self.location):
            await self._lease.acquire(lease_duration=LEASE_SECONDS)

    async def _make(self) -> None:
        try:
            with _in_our_words(self.location):
                await self._client.upload_blob(b"", overwrite=False)
        except ConflictError as error:
            if error.code not in _MADE:
                raise


@asynccontextmanager
async def open_blob(location: Location, cloud: Cloud, connection_string: str = "") -> AsyncIterator[LeasedBlob]:
    """The door, open. Signs in by the signature in the address, else by a connection string of the same account, else
    as to Azure itself. Raises UsageError where none of these may be sent there."""
    from azure.core.pipeline.transport import AioHttpTransport
    from azure.storage.blob.aio import BlobClient

    from reconciler.azure.pipeline import credential

    options: dict[str, Any] = {
        "transport": AioHttpTransport(use_env_settings=not location.loopback),
        "connection_timeout": 10,
        "read_timeout": 15,
        "retry_total": 2,
        "retry_connect": 1,
        "initial_backoff": 1,
        "increment_base": 2,
    }
    async with AsyncExitStack() as stack:
        key = account_key(location, connection_string)
        if location.query:
            client = BlobClient.from_blob_url(f"{location.url}?{location.query}", **options)
        elif key:
            client = BlobClient.from_blob_url(location.url, key, **options)
        else:
            refuse_strangers(location, cloud)
            signed_in = credential(cloud)
            stack.push_async_callback(signed_in.close)
            client = BlobClient.from_blob_url(location.url, signed_in, **options)
        yield LeasedBlob(await stack.enter_async_context(client), location)


@contextmanager
def _in_our_words(location: Location) -> Iterator[None]:
    """Errors of the SDK become those of `reconciler.errors`. Its address may be secret: it is not told."""
    from azure.core.exceptions import AzureError as SdkError

    try:
        yield
    except SdkError as error:
        raise _translate(error, location) from None
    except OSError as error:  # time limits among them
        raise _unreachable(location, type(error).__name__) from None


def _translate(error: exceptions.AzureError, location: Location) -> AzureError:
    from azure.core import exceptions

    if isinstance(error, exceptions.HttpResponseError) and error.response is not None:
        return _refused(error.response.status_code or 500, _code(error), location)
    if isinstance(error, exceptions.ClientAuthenticationError):
        return DeniedError(
            f"nobody is signed in who could use the lock {location}",
            resource=location.url,
            why="; ".join(line.strip() for line in str(error.message).splitlines() if line.strip())[:500],
            advice=f"run `az login`, or set up the pipeline's identity; {_GOES_WITHOUT}",
        )
    cause = error.__cause__ or error.__context__ or error
    return _unreachable(location, type(cause).__name__)


def _code(error: exceptions.HttpResponseError) -> str:
    """The SDK has an enumeration of those it knows, and text for the others."""
    code = getattr(error, "error_code", None)
    return str(getattr(code, "value", code) or "")


def _unreachable(location: Location, what: str) -> UnreachableError:
    return UnreachableError(
        f"the lock {location} cannot be reached",
        resource=location.url,
        why=f"no answer from {location.host} ({what})",
        advice=f"check the name of the account, the network and its firewall; {_GOES_WITHOUT}",
    )


def _refused(status: int, code: str, location: Location) -> AzureError:
    said = {"resource": location.url, "code": code, "why": code or f"HTTP {status}"}
    if code == "ContainerNotFound" or (status == 404 and code not in ("BlobNotFound", "")):
        where = f"az storage container create --auth-mode login --account-name {location.account}"
        advice = f"create it once: {where} --name {location.container}"
        return AbsentError(f"the lock {location}: there is no container {location.container}", **said, advice=advice)
    if status == 404:  # a HEAD tells no code
        return AbsentError(f"the lock {location} does not exist", **{**said, "code": "BlobNotFound"})
    if status in (401, 403):
        return DeniedError(
            f"the identity may not use the lock {location}",
            **said,
            advice=f"{_ROLE} {location.container} (a firewall of the account answers so, too); {_GOES_WITHOUT}",
        )
    if status in (409, 412):
        if code.startswith("Lease"):
            return ConflictError(f"somebody else has the lock {location}", **said)
        return ConflictError(
            f"the lock {location} cannot be used as it is", **said, advice=f"{_PLAIN}; {_GOES_WITHOUT}"
        )
    kind = DoubtfulError if status >= 500 else FailedError
    return kind(f"the lock {location} cannot be used", **said, advice=f"try again; {_GOES_WITHOUT}")
