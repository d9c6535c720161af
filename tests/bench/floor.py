"""The floor: fetch the given URLs with aiohttp and json, keep what came, and nothing else.

Reads one JSON object from standard input: {"ca": path, "token": text, "urls": [...]}.
"""

import asyncio
import json
import ssl
import sys
from typing import Any

import aiohttp


async def fetch(order: dict[str, Any]) -> int:
    tls = ssl.create_default_context(cafile=order["ca"])
    headers = {"Authorization": f"Bearer {order['token']}"}
    kept: list[Any] = []
    async with aiohttp.ClientSession(headers=headers, connector=aiohttp.TCPConnector(ssl=tls)) as session:
        for url in order["urls"]:
            async with session.get(url) as response:
                kept.append(json.loads(await response.read()))
    return sum(len(page.get("value", [])) for page in kept)


if __name__ == "__main__":
    print(asyncio.run(fetch(json.load(sys.stdin))))
