"""A process's link to the simulated log: the port, with everything that can happen on the way."""

import asyncio
from asyncio import Lock
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar

from bus.port import Listener, Partition, Position, Record, Start, Subscription
from schemas.errors import Fenced, TooLarge, Unavailable
from schemas.topics import MAX_RECORD, Topic
from tests.simulation.log import Apply, Log
from tests.simulation.reader import Reader

T = TypeVar("T")
PATIENCE = 0.5
"""Virtual seconds after which a log that is down is said to be unavailable."""


class Link:
    """One process's way to the log; it ends with the process."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._epochs: dict[str, int] = {}
        self._busy: dict[str, Lock] = defaultdict(Lock)
        self.readers: list[Reader] = []
        self.freeze: Callable[[], None] = lambda: None
        """Stops whoever holds this link, in the middle of a step."""

    @property
    def identity(self) -> str:
        return self._log.identity

    async def create(self, topics: Sequence[Topic]) -> None:
        self._log.topics.update({topic.name: topic for topic in topics})

    def partitions(self, topic: Topic) -> int:
        return self._log.partitions(topic)

    async def publish(self, records: Sequence[Record]) -> list[Position]:
        _fit(records)
        if not records:
            return []
        return await self._write(lambda: self._log.put(records))

    async def claim(self, owner: str) -> None:
        async with self._busy[owner]:
            self._epochs.pop(owner, None)
            self._epochs[owner] = await self._ask(lambda: self._log.claim(owner))

    async def advance(
        self,
        owner: str,
        moves: Mapping[Partition, tuple[int, int]],
        outputs: Sequence[Record],
    ) -> list[Position]:
        _fit(outputs)
        # As at a real log one process makes one step of an owner after the other.
        async with self._busy[owner]:
            return await self._step(owner, dict(moves), outputs)

    async def _step(
        self, owner: str, moves: Mapping[Partition, tuple[int, int]], outputs: Sequence[Record]
    ) -> list[Position]:
        epoch = self._epochs.get(owner)
        if epoch is None:
            raise Fenced(owner)
        if self._log.odds("pause", 0.03):
            self.freeze()
        try:
            return await self._write(lambda: self._log.step(owner, epoch, moves, outputs), outputs)
        except BaseException:
            self._epochs.pop(owner, None)
            raise

    async def positions(self, owner: str) -> dict[Partition, int]:
        return await self._ask(lambda: dict(self._log.holders[owner].positions))

    async def highwater(self, partition: Partition) -> int:
        return await self._ask(lambda: self._log.tapes[partition].shown)

    @asynccontextmanager
    async def subscribe(
        self,
        group: str | None,
        topics: Sequence[Topic],
        start: Start,
        listener: Listener | None = None,
    ) -> AsyncIterator[Subscription]:
        log = self._log
        places = [Partition(t.name, n) for t in topics for n in range(log.partitions(t))]
        shared = None if group is None else log.group(group, places)
        reader = Reader(log, shared, places, start, listener)
        self.readers.append(reader)
        belonging = asyncio.create_task(reader.belong()) if shared is not None else None
        try:
            yield reader
        finally:
            if belonging is not None:
                belonging.cancel()
            self.leave(reader)
            held = reader.end()
            if held and listener is not None:
                await listener.revoked(held)

    def leave(self, reader: Reader) -> None:
        """Let the group know that a reader has gone."""
        self._log.watching.pop(reader.watch, None)
        if reader in self.readers:
            self.readers.remove(reader)
        if reader.group is not None:
            reader.group.leave(reader)

    async def _write(self, apply: Apply, outputs: Sequence[Record] = ()) -> list[Position]:
        log = self._log
        await self._way()
        if log.odds("lost", 0.04):
            raise Unavailable("the call was lost on its way")
        if outputs and log.odds("abort", 0.04):
            log.abort(outputs)
            raise Unavailable("the step was given up")
        positions = await log.write(apply)
        await self._way()
        if log.odds("doubt", 0.04):
            raise Unavailable("the answer was lost on its way")
        return positions

    async def _ask(self, read: Callable[[], T]) -> T:
        await self._way()
        if self._log.odds("lost", 0.02):
            raise Unavailable("the question was lost on its way")
        found = read()
        await self._way()
        return found

    async def _way(self) -> None:
        log = self._log
        longest = 0.3 if log.odds("delay", 0.03) else 0.002
        await asyncio.sleep(log.dice.random() * longest)
        if log.down:
            await asyncio.sleep(log.dice.random() * PATIENCE)
            if log.down:
                raise Unavailable("the log does not answer")


def _fit(records: Sequence[Record]) -> None:
    for record in records:
        if (size := len(record.key) + len(record.value or b"")) > MAX_RECORD:
            raise TooLarge(size, MAX_RECORD)
