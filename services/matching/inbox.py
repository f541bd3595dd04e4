"""What has been read of some partitions and waits to be taken out, in the order it came."""

import asyncio
from collections import deque
from collections.abc import Mapping
from contextlib import suppress

from bus.port import Batch, Partition

MOST = 4000
"""Records after which no more are read, and the most that are taken out at once."""


class Inbox:
    """Reads on from `at`, the next offset of each partition."""

    def __init__(self, at: Mapping[Partition, int]) -> None:
        self._at = dict(at)
        self._batches: deque[Batch] = deque()
        self._news = asyncio.Event()
        self.count = 0

    def wanted(self) -> Mapping[Partition, int]:
        """Return what to read next; {} while there is enough."""
        return self._at if self.count < MOST else {}

    def put(self, batch: Batch) -> None:
        """Take a batch in if it follows what was read before."""
        if batch.lease.alive and self._at.get(batch.source) == batch.base:
            self._at[batch.source] = batch.next
            self._batches.append(batch)
            self.count += len(batch.records)
            self._news.set()

    def ring(self) -> None:
        """Wake who waits, although nothing came."""
        self._news.set()

    async def heard(self, within: float | None) -> bool:
        """Wait for news, at most so many seconds; say whether there were any."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                await self._news.wait()
        found = self._news.is_set()
        self._news.clear()
        return found

    def take(self) -> list[Batch]:
        """Take out what is there, at most `MOST` records."""
        taken: list[Batch] = []
        room = MOST
        while self._batches and (room >= len(self._batches[0].records) or not taken):
            taken.append(self._batches.popleft())
            room -= len(taken[-1].records)
            self.count -= len(taken[-1].records)
        if self._batches:
            self._news.set()
        return taken
