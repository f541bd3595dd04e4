"""Long work for anybody who asks: in a few threads of its own, with few waiting for them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from threading import BoundedSemaphore, Event, local
from typing import ParamSpec, TypeVar

from schemas.problems import Refusal

P = ParamSpec("P")
T = TypeVar("T")


class _Here(local):
    left = Event()
    """Whether who asked for what this thread runs has left."""


class Aside:
    """Runs what is asked of it; refuses when too much of it is waiting already.

    `what` says what others are doing who have the places.
    """

    def __init__(self, threads: int, waiting: int, what: str = "for such things") -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="screens-aside")
        self._places = BoundedSemaphore(threads + waiting)
        self._ended, self._here, self._what = Event(), _Here(), what

    async def run(self, work: Callable[P, T], *args: P.args, **more: P.kwargs) -> T:
        """Return what the work returns; raises a 503 at once when there is no place for it."""
        if not self._places.acquire(blocking=False):
            raise Refusal(503, "busy", f"others are asking {self._what}: try again")
        left = Event()

        def begin() -> T:
            self._here.left = left
            self.go_on()
            return work(*args, **more)

        # Who goes away gives the place back only when its thread is free, or was never needed.
        running = self._threads.submit(begin)
        running.add_done_callback(self._leave)
        try:
            return await asyncio.wrap_future(running)
        finally:
            left.set()

    def go_on(self) -> None:
        """Raise a 503 when all is to end, or who asked has left; long work asks now and then."""
        if self._ended.is_set():
            raise Refusal(503, "ending", "this process is about to end: try again")
        if self._here.left.is_set():
            raise Refusal(503, "left", "who asked for this has left")

    async def end(self) -> None:
        """Let what runs end at its next `go_on`, and what waits never begin."""
        self._ended.set()
        await asyncio.to_thread(self._threads.shutdown)

    def _leave(self, _: "Future[T]") -> None:
        self._places.release()


@asynccontextmanager
async def aside(threads: int, waiting: int, what: str = "for such things") -> AsyncIterator[Aside]:
    """Yield threads that have all ended when the context has."""
    opened = Aside(threads, waiting, what)
    try:
        yield opened
    finally:
        await opened.end()
