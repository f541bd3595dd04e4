"""Work that takes its time, in a thread of its own: nobody else's work holds it up."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import ParamSpec, Self, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Beside:
    """One thread beside the event loop, which has ended when the context has."""

    def __init__(self, name: str) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.shutdown()  # whoever asked for its work has waited for it

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
