"""Streams as a browser follows them."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.screens.made import Served


class Events:
    """Server-sent events as a browser reads them."""

    def __init__(self, lines: AsyncIterator[str]) -> None:
        self._lines = lines

    async def next(self) -> tuple[str, str, Any]:
        """Return (event, id, data) of the next one with data that is not a ping."""
        found: dict[str, str] = {}
        async with asyncio.timeout(10):
            async for line in self._lines:
                name, _, value = line.partition(": ")
                if line:
                    found[name] = value
                elif found.get("event", "ping") == "ping":
                    found = {}
                else:
                    return found["event"], found["id"], json.loads(found["data"])
        raise EOFError


@asynccontextmanager
async def listening(
    served: Served, node: str = "hub", last_id: str | None = None
) -> AsyncIterator[Events]:
    headers = {} if last_id is None else {"Last-Event-ID": last_id}
    async with served.http.stream("GET", "/v1/live", params={"node": node}, headers=headers) as got:
        assert got.status_code == 200
        assert got.headers["cache-control"] == "no-store"
        assert got.headers["x-accel-buffering"] == "no"
        yield Events(got.aiter_lines())
