"""A response that follows a channel until the client goes, falls behind, or the process ends."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress

from fastapi.sse import EventSourceResponse
from starlette.types import Receive, Scope, Send

from schemas.problems import Refusal
from services.screens.channel import Client
from services.screens.stays import gone
from services.screens.told import refused

HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class Stream(EventSourceResponse):
    """Server-sent events, encoded once for all who follow.

    Not the stock streaming: a client that has stopped reading would hold that up for ever.
    """

    def __init__(self, follow: Callable[[], AbstractContextManager[Client]], ping: float) -> None:
        super().__init__(iter(()), headers=HEADERS)
        self._follow, self._ping = follow, ping

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until one of the three ends it, or a problem when there is no place to follow."""
        try:
            with self._follow() as client:
                await self._serve(client, receive, send)
        except Refusal as full:
            await refused(full)(scope, receive, send)

    async def _serve(self, client: Client, receive: Receive, send: Send) -> None:
        sending = asyncio.create_task(self._send(client, send))
        leaving = asyncio.create_task(gone(receive))
        falling = asyncio.create_task(client.ended())
        tasks = sending, leaving, falling
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if client.dropped and not leaving.done():
                # It may be just about to say goodbye; a stuck one is cut off.
                await asyncio.wait([sending], timeout=1.0)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _send(self, client: Client, send: Send) -> None:
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        with suppress(OSError):
            await send(start)
            while (message := await client.next(self._ping)) is not None:
                await send({"type": "http.response.body", "body": message, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
