"""Work that takes its time, in a thread of its own: nobody else's work holds it up."""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Beside:
    """One thread beside the event loop."""

    def __init__(self, name: str) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)

    async def run(self, work: Callable[P, T], *args: P.args, **more: P.kwargs) -> T:
        """Return what the work returns; when cancelled, even twice, end only after it."""
        loop = asyncio.get_running_loop()
        running = loop.run_in_executor(self._thread, partial(work, *args, **more))
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            while not running.done():
                with suppress(asyncio.CancelledError):
                    await asyncio.wait([running])
            raise

    def end(self) -> None:
        """Let the thread end; whoever asked for its work has waited for it."""
        self._thread.shutdown()


@asynccontextmanager
async def beside(name: str) -> AsyncIterator[Beside]:
    """Yield a thread that has ended when the context has."""
    opened = Beside(name)
    try:
        yield opened
    finally:
        opened.end()
