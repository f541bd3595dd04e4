"""Where partitions end, for those who read what is committed."""

import asyncio
from collections.abc import Iterable

from aiokafka import AIOKafkaConsumer, TopicPartition

from bus.kafka.cluster import Cluster
from bus.port import Partition, Position

PAUSE = 0.002
"""Seconds between two looks at an end that a commit of ours is about to move."""

SETTLING = 1.0
"""Seconds until it is believed: another's open transaction may hold it back for longer."""


class Ends:
    """Asks the brokers; a committed transaction of ours is never missing from the answer.

    Kafka acknowledges a commit before it has marked every partition, so that for some milliseconds
    an end may still lie before what has just been written.
    """

    def __init__(self, cluster: Cluster, consumer: AIOKafkaConsumer) -> None:
        self._cluster, self._consumer = cluster, consumer
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
        async with self._cluster.within(f"say where {topics} end"):
            ends: dict[TopicPartition, int] = await self._consumer.end_offsets(list(wanted))
        return ends


def heard(asking: asyncio.Task[dict[TopicPartition, int]]) -> None:
    """Know of a failure, should all who asked be gone by then."""
    if not asking.cancelled():
        asking.exception()
