"""The lease is kept by a thread of its own: while a person thinks about a plan, and while a large one is made, nothing
else of the process runs, and a lease that is not renewed for a minute is somebody else's."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any

from reconciler.apply.lease import Blob, Holder, Lease, Watch, hold_lease


@asynccontextmanager
async def hold_beside(
    opening: Callable[[], AbstractAsyncContextManager[Blob]],
    where: str,
    holder: Holder,
    watch: Watch,
    patience: float = 0.0,
) -> AsyncIterator[Lease]:
    """As `hold_lease`, of the blob that `opening` opens, over there. `lost` of the lease is true at any time."""
    there, stack = asyncio.new_event_loop(), AsyncExitStack()
    watch = replace(watch, soon=asyncio.get_running_loop().call_soon_threadsafe)

    async def enter() -> Lease:
        blob = await stack.enter_async_context(opening())
        return await stack.enter_async_context(hold_lease(blob, where, holder, watch, patience))

    def run(work: Coroutine[Any, Any, Any]) -> asyncio.Future[Any]:
        return asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, there))

    thread = threading.Thread(target=there.run_forever, name="lease", daemon=True)
    thread.start()
    try:
        yield await run(enter())
    finally:
        try:
            await run(stack.aclose())
        finally:
            there.call_soon_threadsafe(there.stop)
            thread.join()
            there.close()
