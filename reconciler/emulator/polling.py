"""What a 202 tells the client: where to poll, and how long to wait before."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from reconciler.emulator.operations import Operation
from reconciler.emulator.router import Request
from reconciler.emulator.world import World


def polling_headers(
    world: World,
    request: Request,
    *,
    operation: Operation,
    async_url: str | None = None,
    location: str | None = None,
) -> dict[str, str]:
    """The headers of a 202 (or 201), for URLs given as path and query.

    ARM signs polling URLs (t, c, s, h; about 2 kB, differing between the two headers and in every repeat), and
    clients must follow them as given. The wait is told in ``x-ms-retry-after-ms``, the one header that every client
    reads right below a second; with ``retry_after_seconds`` configured it is Azure's integer ``Retry-After``.
    """
    headers: dict[str, str] = {}
    if async_url:
        headers["Azure-AsyncOperation"] = _signed(world, request, async_url)
    if location:
        headers["Location"] = _signed(world, request, location)
    headers.update(timing_headers(world, operation))
    return headers


def timing_headers(world: World, operation: Operation) -> dict[str, str]:
    """How long to wait before the next poll; nothing once the operation is done."""
    return {} if operation.done else reading_headers(world, operation.end)


def reading_headers(world: World, moment: datetime | None) -> dict[str, str]:
    """How long to wait before it is worth reading again what changes at ``moment``; a second where nobody knows.

    Azure says it of operations only. Here it is said of jobs and of machines that are being replicated, too: those who
    wait by reading them would wait as long as in Azure, although the clock jumps.
    """
    seconds = world.configuration.retry_after_seconds
    if seconds is not None:
        return {"Retry-After": str(seconds)}
    remaining = (moment - world.clock.now()) if moment else timedelta(seconds=1)
    wait = 0.0 if world.clock.auto_advance else world.clock.wall_seconds(remaining)
    milliseconds = min(max(20, int(wait * 1000)), 60_000)
    return {"x-ms-retry-after-ms": str(milliseconds), "X-Go-Azure-Sdk-Skip-Polling-Delay": "true"}


def waiting_headers(headers: Mapping[str, str], user_agent: str) -> dict[str, str]:
    """What half of Terraform's provider needs besides: it reads whole seconds only, and waits 30 when told nothing."""
    told = headers.get("x-ms-retry-after-ms")
    if told is None or "HashiCorp" not in user_agent:
        return {}
    return {"Retry-After": str(int(told) // 1000)}


def _signed(world: World, request: Request, url: str) -> str:
    absolute = url if url.startswith("https:") else request.base_url + url
    if not world.configuration.sign_polling_urls:
        return absolute
    ticks = 621355968000000000 + int(world.clock.now().timestamp() * 10_000_000) + world.random.randrange(10_000_000)
    noise = world.random.randbytes(32).hex()
    separator = "&" if "?" in absolute else "?"
    return f"{absolute}{separator}t={ticks}&c=MIIHhzCCBm-gAwIBAgITHgT{noise}&s={noise[:43]}&h={noise[21:]}"
