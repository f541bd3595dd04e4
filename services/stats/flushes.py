"""Flushes of many partitions, side by side: who takes long holds up no other."""

import asyncio
from asyncio import Task
from collections.abc import Awaitable, Callable, Iterable

from services.stats.source import Source

PATIENCE = 0.5
"""Seconds that a round waits for what it has begun."""


class Flushes:
    """The flushes under way; `flush` makes one of a partition."""

    def __init__(self, flush: Callable[[Source], Awaitable[None]]) -> None:
        self._flush = flush
        self._under_way = set[Task[None]]()

    async def round(self, sources: Iterable[Source]) -> None:
        """Flush each that is not still being flushed; raise what went wrong with one of them."""
        begun = set[Task[None]]()
        for source in sources:
            if source.flushing is None or source.flushing.done():
                source.flushing = asyncio.create_task(self._whole(source))
                begun.add(source.flushing)
        self._under_way |= begun
        if begun:
            await asyncio.wait(begun, timeout=PATIENCE)
        done = {flushing for flushing in self._under_way if flushing.done()}
        self._under_way -= done
        for flushed in done:
            flushed.result()

    async def aclose(self) -> None:
        """Flush no more."""
        for flushing in self._under_way:
            flushing.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    async def _whole(self, source: Source) -> None:
        await self._flush(source)
        source.turns.turn("flush")
