"""The supply as far as the registry has been read; shared by all partitions that are held."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from bus.beside import Beside
from bus.port import Batch, Partition
from schemas.codec import Event, decoder
from schemas.topics import REGISTRY
from services.matching.supply import Supply

PLACE = Partition(REGISTRY.name, 0)
T = TypeVar("T")


class Stock:
    """Whoever looks at the supply has it for himself meanwhile, in the thread given.

    He has it until the thread is through, also when he goes away before that.
    """

    def __init__(self, thread: Beside) -> None:
        self.supply, self._thread = Supply(), thread
        self.position = 0
        self._read = decoder(REGISTRY, 0, 1)
        self._turn = asyncio.Condition()

    async def take(self, batch: Batch) -> bool:
        """Take in a batch of the registry; say whether that changed anything."""
        async with self._turn:
            if not batch.lease.alive or batch.base != self.position:
                return False
            before = self.supply.version
            await self._thread.run(self._apply, batch)
            self.position = batch.next
            self._turn.notify_all()
            return self.supply.version != before

    async def reached(self, position: int) -> None:
        """Wait until the registry has been read so far."""
        async with self._turn:
            await self._turn.wait_for(lambda: self.position >= position)

    async def lend(self, work: Callable[[Supply, int], T]) -> T:
        """Let `work` look at the supply, and the position it is read up to, in the thread."""
        async with self._turn:
            return await self._thread.run(work, self.supply, self.position)

    def _apply(self, batch: Batch) -> None:
        for record in batch.records:
            event = self._read(record.value)
            if isinstance(event, Event):
                self.supply.apply(event)
