"""`make bench-emulator`: what it takes to serve 100,000 VMs: start, memory, requests a second, a start from its file.

Memory is the resident set of the server's process, now and at most. Requests are sent over kept-alive TLS connections
by a client that shares the machine with the server.
"""

from __future__ import annotations

import asyncio
import ssl
import sys
import tempfile
import time
from pathlib import Path

import aiohttp

from reconciler.emulator import lifecycle
from reconciler.emulator.remote import Running

VMS = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
SECONDS = 5.0
PARALLEL = 8
VERSION = "api-version=2024-07-01"


def memory(running: Running) -> tuple[float, float]:
    """MiB that the server holds now, and that it held at most."""
    told = dict(
        line.split(":", 1) for line in Path(f"/proc/{running.pid}/status").read_text().splitlines() if ":" in line
    )
    now, most = (int(told[name].split()[0]) / 1024 for name in ("VmRSS", "VmHWM"))
    return now, most


async def fetch(session: aiohttp.ClientSession, url: str) -> dict[str, object]:
    async with session.get(url) as answer:
        found: dict[str, object] = await answer.json()
        return found


async def rate(session: aiohttp.ClientSession, urls: list[str]) -> float:
    """Requests a second, of one after the other in each of PARALLEL lanes."""
    ends = time.perf_counter() + SECONDS
    done = 0

    async def lane(number: int) -> None:
        nonlocal done
        position = number
        while time.perf_counter() < ends:
            async with session.get(urls[position % len(urls)]) as answer:
                await answer.read()
            done += 1
            position += PARALLEL

    started = time.perf_counter()
    await asyncio.gather(*(lane(number) for number in range(PARALLEL)))
    return done / (time.perf_counter() - started)


async def measure_requests(running: Running) -> None:
    tls = ssl.create_default_context(cafile=running.ca)
    headers = {"Authorization": "Bearer a.b.c"}
    async with aiohttp.ClientSession(headers=headers, connector=aiohttp.TCPConnector(ssl=tls)) as session:
        subscriptions = (await fetch(session, f"{running.endpoint}/subscriptions?{VERSION}"))["value"]
        assert isinstance(subscriptions, list)
        below = f"{running.endpoint}{subscriptions[0]['id']}/providers"
        page = await fetch(session, f"{below}/Microsoft.Compute/virtualMachines?{VERSION}")
        vaults = await fetch(session, f"{below}/Microsoft.RecoveryServices/vaults?{VERSION}")
        machines, held = page["value"], vaults["value"]
        assert isinstance(machines, list)
        assert isinstance(held, list)
        items = f"{running.endpoint}{held[0]['id']}/backupProtectedItems?{VERSION}"
        for name, urls in {
            "GET one VM": [f"{running.endpoint}{machine['id']}?{VERSION}" for machine in machines],
            f"list VMs ({len(machines)} a page)": [f"{below}/Microsoft.Compute/virtualMachines?{VERSION}"],
            "list protected items (500 a page)": [items],
        }.items():
            print(f"{name:<36} {await rate(session, urls):>8,.0f} requests/s")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        started = time.perf_counter()
        running = lifecycle.start(home, vms=VMS, seed=7, timeout=600.0)
        try:
            print(f"{'generate and serve ' + format(VMS, ','):<36} {time.perf_counter() - started:>8.1f} s")
            print(f"{'memory, at most':<36} {memory(running)[0]:>8,.0f} MiB, {memory(running)[1]:,.0f} MiB")
            asyncio.run(measure_requests(running))
            lifecycle.stop(home)
            started = time.perf_counter()
            running = lifecycle.start(home, timeout=600.0)
            print(f"{'start again from its file':<36} {time.perf_counter() - started:>8.1f} s")
            print(f"{'memory, at most':<36} {memory(running)[0]:>8,.0f} MiB, {memory(running)[1]:,.0f} MiB")
            print(f"{'its file':<36} {(home / 'state.db').stat().st_size / 2**20:>8,.0f} MiB")
        finally:
            lifecycle.stop(home)


if __name__ == "__main__":
    main()
