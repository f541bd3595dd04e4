"""The HTTP requests under way: how many, how long, and how to end them when the process ends."""

import asyncio
import time
from contextlib import suppress

from prometheus_client import CollectorRegistry, Gauge, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

GRACE = 0.5
"""Seconds that a request which is no stream gets to finish."""

_SECONDS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)


class Requests:
    """An ASGI app around another one.

    A stream never ends by itself: a server that waits for its clients would wait for ever.
    """

    def __init__(self, app: ASGIApp, metrics: CollectorRegistry) -> None:
        self._app = app
        self._open: dict[asyncio.Task[object], _Answer] = {}
        self._ending = self._ended = False
        self._seconds = Histogram(
            "yizhan_http_seconds",
            "How long answers took, streams left out.",
            ["method", "route", "status"],
            buckets=_SECONDS,
            registry=metrics,
        )
        streams = Gauge("yizhan_http_streams", "Event streams open.", registry=metrics)
        streams.set_function(lambda: len(self._streams()))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, noting what becomes of it."""
        task = asyncio.current_task()
        if scope["type"] != "http" or task is None:
            await self._app(scope, receive, send)
            return
        answer = _Answer(send)
        if self._ended:  # what it would ask may be closed already
            await answer.finish()
            return
        self._open[task] = answer
        began = time.perf_counter()
        try:
            await self._app(scope, receive, answer.send)
        except asyncio.CancelledError:
            if not self._ending:
                raise
            # A client that has stopped reading must not hold up the end.
            with suppress(TimeoutError):
                async with asyncio.timeout(GRACE):
                    await answer.finish()
        finally:
            del self._open[task]
            if not answer.stream:
                self._count(scope, answer.status, time.perf_counter() - began)

    async def end(self) -> None:
        """End all streams now, and after a short grace whatever else is still under way.

        Who is not answered by then, or comes later, is told to come back.
        """
        self._ending = True
        for task in self._streams():
            task.cancel()
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(GRACE):
                    while self._open:
                        await asyncio.wait(self._open)
        finally:
            self._ended = True
            for task in self._open:
                task.cancel()

    def _streams(self) -> list[asyncio.Task[object]]:
        return [task for task, answer in self._open.items() if answer.stream]

    def _count(self, scope: Scope, status: int, seconds: float) -> None:
        # The route's pattern, not the path: what anybody can make up must not become a label.
        route = getattr(scope.get("route"), "path", "")
        self._seconds.labels(scope["method"], route, status).observe(seconds)


class _Answer:
    """What has been sent of one answer."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status = 0
        self.stream = False

    async def send(self, message: Message) -> None:
        """Send a part."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            kind = dict(message.get("headers", ())).get(b"content-type", b"")
            self.stream = kind.startswith(b"text/event-stream")
        await self._send(message)

    async def finish(self) -> None:
        """End it properly, whatever is missing."""
        if not self.status:
            ending = [(b"retry-after", b"1"), (b"content-length", b"0")]
            await self.send({"type": "http.response.start", "status": 503, "headers": ending})
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})
