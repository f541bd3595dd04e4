"""Long work for anybody who asks: in a few threads of its own, with few waiting for them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from threading import BoundedSemaphore, Event
from typing import ParamSpec, TypeVar

from schemas.problems import Refusal

P = ParamSpec("P")
T = TypeVar("T")


class Aside:
    """Runs what is asked of it; refuses when too much of it is waiting already."""

    def __init__(self, threads: int, waiting: int) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="screens-aside")
        self._places = BoundedSemaphore(threads + waiting)
        self._ended = Event()

    async def run(self, work: Callable[P, T], *args: P.args, **more: P.kwargs) -> T:
        """Return what the work returns; raises a 503 at once when there is no place for it."""
        if not self._places.acquire(blocking=False):
            raise Refusal(503, "busy", "others are asking for what was known earlier: try again")

        def begin() -> T:
            self.go_on()
            return work(*args, **more)

        # Who goes away gives the place back only when its thread is free, or was never needed.
        running = self._threads.submit(begin)
        running.add_done_callback(self._leave)
        return await asyncio.wrap_future(running)

    def go_on(self) -> None:
        """Raise a 503 when all is to end; long work asks now and then."""
        if self._ended.is_set():
            raise Refusal(503, "ending", "this process is about to end: try again")

    async def end(self) -> None:
        """Let what runs end at its next `go_on`, and what waits never begin."""
        self._ended.set()
        await asyncio.to_thread(self._threads.shutdown)

    def _leave(self, _: "Future[T]") -> None:
        self._places.release()


@asynccontextmanager
async def aside(threads: int, waiting: int) -> AsyncIterator[Aside]:
    """Yield threads that have all ended when the context has."""
    opened = Aside(threads, waiting)
    try:
        yield opened
    finally:
        await opened.end()
