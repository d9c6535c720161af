"""Ctrl-C while an apply runs: a wish to stop, not the end of the process."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def interrupts(request: Callable[[], None]) -> Iterator[None]:
    """Ctrl-C and SIGTERM ask to stop, as long as this lasts; a second one gives up waiting."""
    loop = asyncio.get_running_loop()
    signals = (signal.SIGINT, signal.SIGTERM)
    for number in signals:
        with contextlib.suppress(NotImplementedError):  # Windows has no signal handlers in asyncio: Ctrl-C ends the run
            loop.add_signal_handler(number, request)
    try:
        yield
    finally:
        for number in signals:
            with contextlib.suppress(NotImplementedError):
                loop.remove_signal_handler(number)
