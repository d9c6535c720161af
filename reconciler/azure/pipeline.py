"""The policies that every request passes, ours and those of the typed clients. Imports azure-core: import it lazily."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import Any

import aiohttp
from azure.core.credentials import AccessToken
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import ClientAuthenticationError
from azure.core.pipeline import PipelineRequest, PipelineResponse, policies
from azure.core.pipeline.policies import AsyncHTTPPolicy, AsyncRetryPolicy
from azure.mgmt.core.policies import AsyncARMChallengeAuthenticationPolicy

from reconciler.azure.clock_watch import ClockWatch
from reconciler.azure.clouds import Cloud
from reconciler.azure.pace import Pace
from reconciler.azure.session import READS

log = logging.getLogger("reconciler.azure")
_NEVER = 253_402_300_799
"""9999-12-31T23:59:59Z: an emulator's token does not expire."""


class RetryPolicy(AsyncRetryPolicy[Any, Any]):
    """azure-core's retries; every wait is announced, and holds back other requests of the same sort.

    A write is repeated only where it is certain that it took no effect: it was refused (429, or any 4xx with a
    Retry-After), or never sent. After a 5xx or a dropped connection it may run: `apply` looks before it sends again.
    """

    def __init__(self, pace: Pace) -> None:
        super().__init__(retry_total=10, retry_status=5, retry_connect=3, retry_read=3)
        self._pace = pace

    def is_retry(self, settings: dict[str, Any], response: PipelineResponse[Any, Any]) -> bool:
        """As azure-core has it, but for the 5xx of a write; and a 429 is no less one without Retry-After."""
        status = response.http_response.status_code
        if status >= 500 and response.http_request.method not in READS:
            return False
        if status == 429:
            return bool(settings["total"])
        return bool(super().is_retry(settings, response))

    def increment(
        self,
        settings: dict[str, Any],
        response: PipelineRequest[Any] | PipelineResponse[Any, Any] | None = None,
        error: Exception | None = None,
    ) -> bool:
        """False where nothing may be sent again."""
        if error is not None and response is not None and response.http_request.method not in READS and _sent(error):
            return False
        return super().increment(settings, response, error)

    async def sleep(
        self,
        settings: dict[str, Any],
        transport: Any,  # noqa: ARG002 - azure-core's signature
        response: PipelineResponse[Any, Any] | None = None,
    ) -> None:
        """Waits as long as Retry-After says, whatever its length, or else for a growing while."""
        asked = self.get_retry_after(response) if response else None
        seconds = asked or self.get_backoff_time(settings)
        why = "no answer"
        if response is not None:
            status = response.http_response.status_code
            why = f"Azure answered {status}"
            if status == 429 and asked:
                request = response.http_request
                self._pace.hold(request.method, request.url, asked)
                why = "Azure limits the requests (429)"
        await self._pace.wait(seconds, why)


def _sent(error: Exception) -> bool:
    """True unless no connection came about: azure-core takes every connection error for that, dropped ones as well."""
    cause = error.__cause__
    return not isinstance(cause, (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError))


class PacePolicy(AsyncHTTPPolicy[Any, Any]):
    """Counts, paces and bounds what is really sent: one pass for every try."""

    def __init__(self, pace: Pace) -> None:
        super().__init__()
        self._pace = pace

    async def send(self, request: PipelineRequest[Any]) -> PipelineResponse[Any, Any]:
        """Sends the request when it is its turn."""
        method, url = request.http_request.method, request.http_request.url
        if not request.context.get("retry_count"):
            await self._pace.await_turn(method, url)
        async with self._pace.slot():
            self._pace.requests += 1
            response = await self.next.send(request)
        self._pace.note(method, url, response.http_response.headers)
        log.debug("%s %s -> %s", method, url.partition("?")[0], response.http_response.status_code)
        return response


class ClockPolicy(AsyncHTTPPolicy[Any, Any]):
    """Holds the clock against the `Date` of what comes back."""

    def __init__(self, watch: ClockWatch) -> None:
        super().__init__()
        self._watch = watch

    async def send(self, request: PipelineRequest[Any]) -> PipelineResponse[Any, Any]:
        """Sends the request, and compares."""
        asked = self._watch.ask()
        response = await self.next.send(request)
        self._watch.compare(asked, response.http_response.headers.get("Date", ""))
        return response


class FixedToken(AsyncTokenCredential):
    """The token an emulator gave out. Never used with a cloud."""

    def __init__(self, token: str) -> None:
        self._token = token

    async def get_token(self, *_scopes: str, **_options: Any) -> AccessToken:
        """The token, for any scope."""
        return AccessToken(self._token, _NEVER)

    async def close(self) -> None:
        """Nothing is open."""

    async def __aexit__(self, *exc: object) -> None:
        await self.close()


_FAILED = 30.0
"""Seconds for which a failed sign-in stands for all who ask."""


class SharedToken(AsyncTokenCredential):
    """One token for all clients: `az` and metadata services are asked once, not once for each subscription.

    So is a failure told once to all who wait. Were each to try again, the sign-in programs that they start would be cut
    off when the first failure ends the run, and asyncio may wait for such a program for ever.
    """

    def __init__(self, credential: AsyncTokenCredential, wall: Callable[[], float] = time.time) -> None:
        self._credential = credential
        self._wall = wall
        self._lock = asyncio.Lock()
        self._tokens: dict[tuple[str, ...], AccessToken] = {}
        self._failures: dict[tuple[str, ...], tuple[float, ClientAuthenticationError]] = {}

    async def get_token(
        self, *scopes: str, claims: str | None = None, tenant_id: str | None = None, **kwargs: Any
    ) -> AccessToken:
        """The token that is still good for five minutes, or a new one. Raises ClientAuthenticationError."""
        key = (*scopes, claims or "", tenant_id or "")
        async with self._lock:
            known = self._tokens.get(key)
            if known is not None and known.expires_on >= self._wall() + 300:
                return known
            failed = self._failures.get(key)
            if failed and self._wall() - failed[0] < _FAILED:
                return self._good_for_now(known, failed[1])
            try:
                known = await self._credential.get_token(*scopes, claims=claims, tenant_id=tenant_id, **kwargs)
            except ClientAuthenticationError as error:
                self._failures[key] = (self._wall(), error)
                return self._good_for_now(known, error)
            self._tokens[key] = known
            return known

    def _good_for_now(self, known: AccessToken | None, error: ClientAuthenticationError) -> AccessToken:
        """A sign-in that fails while the last token is still good costs nothing: it is tried again before the end."""
        if known is None or known.expires_on <= self._wall() + _FAILED:
            raise error
        return known

    async def close(self) -> None:
        """Closes the credential underneath."""
        await self._credential.close()

    async def __aexit__(self, *exc: object) -> None:
        await self.close()


def credential(cloud: Cloud) -> AsyncTokenCredential:
    """How we sign in, in this order: environment (client secret or certificate), workload identity federation, managed
    identity, the shared token cache and VS Code, `az`, Azure PowerShell, `azd`. Nothing is stored.

    Source: DefaultAzureCredential of azure-identity.
    """
    if cloud.token is not None:
        return FixedToken(cloud.token)
    from azure.identity.aio import DefaultAzureCredential

    settings: dict[str, Any] = {"authority": cloud.authority}
    if cloud.ca_file:
        settings["connection_verify"] = str(cloud.ca_file)
    if not cloud.known_authority:
        settings["disable_instance_discovery"] = True
    return SharedToken(DefaultAzureCredential(**settings))


def request_policies(
    cloud: Cloud, signed_in: AsyncTokenCredential, pace: Pace, watch: ClockWatch, *, typed: bool
) -> list[Any]:
    """The policies, outermost first; `typed` adds what the generated clients need on top.

    There is no automatic registration of resource providers: that would be a write outside the plan.
    """
    agent = policies.UserAgentPolicy(base_user_agent=f"reconciler/{version('reconciler')}")
    passes: list[Any] = [policies.RequestIdPolicy(), policies.HeadersPolicy(), agent]
    if typed:
        passes.append(policies.ContentDecodePolicy())
    passes += [RetryPolicy(pace), AsyncARMChallengeAuthenticationPolicy(signed_in, cloud.audience)]
    if typed:
        passes.append(policies.CustomHookPolicy())
    passes += [PacePolicy(pace), ClockPolicy(watch)]
    return passes


def plain(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers with lower-case names: HTTP/1.1 servers spell them as they like."""
    return {name.lower(): value for name, value in headers.items()}
