"""Where partitions end, for those who read what is committed."""

import asyncio
from collections.abc import Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass

from aiokafka import TopicPartition

from bus.kafka.cluster import Cluster
from bus.kafka.consumer import Consumer, consuming
from bus.port import Partition, Position
from schemas.errors import Unavailable

PAUSE = 0.002
"""Seconds between two looks at an end that a commit of ours is about to move."""

SETTLING = 1.0
"""Seconds until it is believed: another's open transaction may hold it back for longer."""


class Ends:
    """Asks the brokers; a committed transaction of ours is never missing from the answer.

    Kafka acknowledges a commit before it has marked every partition, so that for some milliseconds
    an end may still lie before what has just been written.

    After a question without an answer the next one goes over new connections. aiokafka would ask
    over the old ones again: a connection that died without a word is noticed only minutes later.
    What is being asked over the old ones is still answered there: mostly one partition has no
    leader, and all else is well.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._line: _Line | None = None
        self._starting = asyncio.Lock()
        self._written: dict[Partition, int] = {}
        self._wanted: set[TopicPartition] = set()
        self._asking: asyncio.Task[dict[TopicPartition, int]] | None = None

    def written(self, positions: Iterable[Position]) -> None:
        """Note what a transaction of ours has written."""
        for topic, number, offset in positions:
            self._written[Partition(topic, number)] = offset

    async def end(self, partition: Partition) -> int:
        """Return the last stable offset of `partition`."""
        loop = asyncio.get_running_loop()
        believed = loop.time() + SETTLING
        while (end := await self._ask(partition)) <= self._written.get(partition, -1):
            if loop.time() > believed:
                break
            await asyncio.sleep(PAUSE)
        return end

    async def _ask(self, partition: Partition) -> int:
        """Ask along with all who ask just now: brokers answer a connection one by one."""
        place = TopicPartition(*partition)
        self._wanted.add(place)
        if self._asking is None:
            self._asking = asyncio.create_task(self._together())
            self._asking.add_done_callback(heard)
        return (await asyncio.shield(self._asking))[place]

    async def _together(self) -> dict[TopicPartition, int]:
        await asyncio.sleep(0)
        wanted, self._wanted, self._asking = self._wanted, set(), None
        topics = ", ".join(sorted({place.topic for place in wanted}))
        line: _Line | None = None
        try:
            async with self._cluster.within(f"say where {topics} end"):
                line = await self._taken()
                ends: dict[TopicPartition, int] = await line.consumer.end_offsets(list(wanted))
        except Unavailable:
            if line is not None and line is self._line:
                self._line = None
            raise
        finally:
            if line is not None:
                await self._left(line)
        return ends

    async def close(self) -> None:
        """Ask no more."""
        if self._line is not None:
            await self._line.held.aclose()

    async def _taken(self) -> "_Line":
        async with self._starting:
            if self._line is None:
                held = AsyncExitStack()
                self._line = _Line(await held.enter_async_context(consuming(self._cluster)), held)
            self._line.asking += 1
            return self._line

    async def _left(self, line: "_Line") -> None:
        line.asking -= 1
        if line is not self._line and not line.asking:
            await line.held.aclose()


@dataclass(slots=True)
class _Line:
    """A consumer, what closes it, and how many questions are asked over its connections now."""

    consumer: Consumer
    held: AsyncExitStack
    asking: int = 0


def heard(asking: asyncio.Task[dict[TopicPartition, int]]) -> None:
    """Know of a failure, should all who asked be gone by then."""
    if not asking.cancelled():
        asking.exception()
