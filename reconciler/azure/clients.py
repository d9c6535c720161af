"""The only door to Azure: one signed-in, paced pipeline for lists, and the typed clients for writes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, cast
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from reconciler.azure.clock_watch import ClockWatch
from reconciler.azure.clouds import Cloud
from reconciler.azure.failures import failure, refusal
from reconciler.azure.pace import OnWait, Pace, Pause
from reconciler.errors import FailedError
from reconciler.model.clock_gap import ClockGap

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential
    from azure.mgmt.compute.aio import ComputeManagementClient
    from azure.mgmt.core import AsyncARMPipelineClient
    from azure.mgmt.monitor.aio import MonitorManagementClient
    from azure.mgmt.recoveryservices.aio import RecoveryServicesClient
    from azure.mgmt.recoveryservicesbackup.aio import RecoveryServicesBackupClient
    from azure.mgmt.recoveryservicessiterecovery.aio import SiteRecoveryManagementClient

T = TypeVar("T")
_PAGES = 100_000
"""Of one list: far more than any there is, should they be all empty and never end."""
_URL_SAFE = "%/:?&=#;,+@!$'()*~-._[]"
_PATH_SAFE = "/:;,@!$&'()*+=~-._"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: `headers` with lower-case names, `body` decoded from JSON (None where there is none)."""

    status: int
    headers: dict[str, str]
    body: Any = None


class Page(msgspec.Struct, Generic[T], frozen=True, rename="camel"):
    """One page of any ARM list."""

    value: list[T] = []
    next_link: str | None = None


class Azure:
    """An async context manager. Everything we send to Azure goes through one of these.

    `clock` gives aware UTC; `pause` waits for seconds; `on_wait` is told of every wait that Azure or the quota forces
    on us. `credential` replaces the default one. `parallel` bounds the requests under way.
    """

    def __init__(
        self,
        cloud: Cloud,
        *,
        clock: Callable[[], datetime],
        pause: Pause = asyncio.sleep,
        on_wait: OnWait | None = None,
        credential: AsyncTokenCredential | None = None,
        parallel: int = 8,
    ) -> None:
        self.cloud = cloud
        self.pause = pause
        self._clock = clock
        self._credential = credential
        self._pace = Pace(parallel, pause, on_wait, time.monotonic)
        self._watch = ClockWatch(clock)
        self._stack = AsyncExitStack()
        self._signed_in: AsyncTokenCredential | None = None
        self._transport: Any = None
        self._pipeline: AsyncARMPipelineClient[Any, Any] | None = None
        self._typed: dict[tuple[str, str], Any] = {}
        self._shared: dict[str, asyncio.Future[Any]] = {}

    async def __aenter__(self) -> Self:
        from azure.core.pipeline.transport import AioHttpTransport
        from azure.mgmt.core import AsyncARMPipelineClient

        from reconciler.azure.pipeline import credential, request_policies
        from reconciler.azure.session import open_session

        emulated = self.cloud.token is not None
        session = await self._stack.enter_async_context(open_session(self.cloud.ca_file, trust_env=not emulated))
        self._transport = AioHttpTransport(session=session, session_owner=False, use_env_settings=not emulated)
        self._signed_in = self._credential or credential(self.cloud)
        self._stack.push_async_callback(self._signed_in.close)
        policies = request_policies(self.cloud, self._signed_in, self._pace, self._watch, typed=False)
        self._pipeline = AsyncARMPipelineClient(
            base_url=self.cloud.resource_manager, policies=policies, transport=self._transport
        )
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.forget()
        await self._stack.aclose()

    @property
    def requests(self) -> int:
        """Requests sent so far, retries and polls included."""
        return self._pace.requests

    @property
    def clock_gap(self) -> ClockGap | None:
        """How far the injected clock is from Azure's, where that is too far."""
        return self._watch.gap

    def now(self) -> datetime:
        """The injected clock: aware UTC."""
        return self._clock()

    async def list(self, path: str, api_version: str, item: type[T], **query: str) -> AsyncIterator[T]:
        """Every item of a paged list, each decoded into `item` straight from the bytes.

        `nextLink` is followed as it was given. Raises the errors of `reconciler.errors`; nothing is yielded after one.
        """
        url: str | None = (
            f"{quote(path, safe=_PATH_SAFE)}?{urlencode({'api-version': api_version, **query}, quote_via=quote)}"
        )
        decoder = _page_decoder(item)
        seen: set[str] = set()
        last: list[T] = []
        repeats = 0
        while url:
            seen.add(url)
            response = await self._send("GET", url, path)
            if response.status_code >= 400:
                raise refusal(response.status_code, _decoded(response.content), path)
            try:
                page = decoder.decode(response.content)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise _misshapen(path, error) from error
            url = page.next_link or None
            repeats = repeats + 1 if page.value and page.value == last else 0
            if url in seen or (url and repeats > 1) or len(seen) > _PAGES:
                raise FailedError(f"the list {path} does not end: Azure repeats a page", resource=path, why=url or "")
            last = page.value
            for found in page.value:
                yield found

    async def get(self, path: str, api_version: str, item: type[T], **query: str) -> T:
        """One resource. Raises AbsentError where it does not exist."""
        options = urlencode({"api-version": api_version, **query}, quote_via=quote)
        response = await self._send("GET", f"{quote(path, safe=_PATH_SAFE)}?{options}", path)
        if response.status_code >= 400:
            raise refusal(response.status_code, _decoded(response.content), path)
        try:
            return msgspec.json.decode(response.content, type=item)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise _misshapen(path, error) from error

    async def send(self, method: str, path: str, api_version: str, body: Any = None) -> Answer:
        """One request with a JSON body, through the same pipeline. Raises for every status of 400 or more."""
        answer = await self.exchange(method, f"{quote(path, safe=_PATH_SAFE)}?api-version={api_version}", body)
        if answer.status >= 400:
            raise refusal(answer.status, answer.body, path)
        return answer

    async def exchange(self, method: str, url: str, body: Any = None) -> Answer:
        """As `send`, with a whole URL (or path and query), and without judging the status."""
        from reconciler.azure.pipeline import plain

        response = await self._send(method, url, urlsplit(url).path, body)
        return Answer(response.status_code, plain(response.headers), _decoded(response.content))

    async def shared(self, key: str, read: Callable[[], Awaitable[T]]) -> T:
        """What `read` answers, asked once for all who ask under the same key until `forget`: kinds share lists."""
        known = self._shared.get(key)
        if known is None:
            known = asyncio.ensure_future(read())
            self._shared[key] = known
        return cast("T", await asyncio.shield(known))

    def forget(self) -> None:
        """A new refresh starts: what was shared is out of date."""
        for pending in self._shared.values():
            if not pending.done():
                pending.cancel()
            elif not pending.cancelled():
                pending.exception()
        self._shared.clear()

    def compute(self, subscription_id: str) -> ComputeManagementClient:
        """The typed client for virtual machines and disks."""
        from azure.mgmt.compute.aio import ComputeManagementClient

        return cast("ComputeManagementClient", self._client(ComputeManagementClient, subscription_id))

    def vaults(self, subscription_id: str) -> RecoveryServicesClient:
        """The typed client for Recovery Services vaults."""
        from azure.mgmt.recoveryservices.aio import RecoveryServicesClient

        return cast("RecoveryServicesClient", self._client(RecoveryServicesClient, subscription_id))

    def backup(self, subscription_id: str) -> RecoveryServicesBackupClient:
        """The typed client for policies, protected items and jobs of Azure Backup."""
        from azure.mgmt.recoveryservicesbackup.aio import RecoveryServicesBackupClient

        return cast("RecoveryServicesBackupClient", self._client(RecoveryServicesBackupClient, subscription_id))

    def site_recovery(self, subscription_id: str) -> SiteRecoveryManagementClient:
        """The typed client for the replication objects of a vault."""
        from azure.mgmt.recoveryservicessiterecovery.aio import SiteRecoveryManagementClient

        return cast("SiteRecoveryManagementClient", self._client(SiteRecoveryManagementClient, subscription_id))

    def monitor(self, subscription_id: str) -> MonitorManagementClient:
        """The typed client for the Activity Log."""
        from azure.mgmt.monitor.aio import MonitorManagementClient

        return cast("MonitorManagementClient", self._client(MonitorManagementClient, subscription_id))

    def check_link(self, url: str, resource: str) -> None:
        """Raises FailedError where a link that Azure gave for `resource` leads to another server."""
        self._absolute(url, resource)

    def _client(self, kind: type[Any], subscription_id: str) -> Any:
        from reconciler.azure.pipeline import request_policies

        key = (kind.__name__, subscription_id.lower())
        if key not in self._typed:
            assert self._signed_in is not None, "open the door first: async with Azure(...)"
            self._typed[key] = kind(
                credential=self._signed_in,
                subscription_id=subscription_id,
                base_url=self.cloud.resource_manager,
                credential_scopes=[self.cloud.audience],
                policies=request_policies(self.cloud, self._signed_in, self._pace, self._watch, typed=True),
                transport=self._transport,
            )
        return self._typed[key]

    async def _send(self, method: str, url: str, resource: str, body: Any = None) -> Any:
        """The response of the pipeline, body read. `url` may be absolute; the token never leaves the cloud's hosts."""
        from azure.core.exceptions import AzureError
        from azure.core.rest import HttpRequest

        assert self._pipeline is not None, "open the door first: async with Azure(...)"
        content = msgspec.json.encode(body) if body is not None else None
        headers = {"Accept": "application/json"}
        if content is not None:
            headers["Content-Type"] = "application/json"
        request = HttpRequest(method, self._absolute(url, resource), headers=headers, content=content)
        try:
            return await self._pipeline.send_request(request)
        except AzureError as error:
            raise failure(error, resource) from error

    def _absolute(self, url: str, resource: str) -> str:
        if "://" not in url:
            return quote(self.cloud.resource_manager + url, safe=_URL_SAFE)
        parts = urlsplit(url)
        host, home = (parts.hostname or "").lower(), self.cloud.host.lower()
        if parts.scheme != "https" or (host != home and not host.endswith(f".{home}")):
            raise FailedError(
                f"Azure's answer for {resource} points to another server",
                resource=resource,
                why=f"{parts.scheme}://{host} does not belong to {self.cloud.resource_manager}",
                advice="nothing was sent there; check the cloud's address",
            )
        return quote(url, safe=_URL_SAFE)


def _page_decoder(item: type[T]) -> msgspec.json.Decoder[Page[T]]:
    return msgspec.json.Decoder(Page[item])  # type: ignore[valid-type]


def _decoded(content: bytes) -> Any:
    try:
        return msgspec.json.decode(content) if content else None
    except (msgspec.DecodeError, UnicodeDecodeError):
        return content.decode("utf-8", "replace")[:500]


def _misshapen(path: str, error: msgspec.DecodeError | UnicodeDecodeError) -> FailedError:
    return FailedError(
        f"Azure's answer for {path} has another shape than expected",
        resource=path,
        why=str(error),
        advice="this is worth an issue: the shape of this resource is not known to this version",
    )
