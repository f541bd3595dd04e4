"""Everything that one process publishes: one producer, one lane per partition."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from aiokafka.errors import KafkaError, KafkaTimeoutError

from bus.kafka.cluster import Cluster
from bus.kafka.lane import Lane
from bus.kafka.producer import PARTING, Producer, fill
from bus.port import Partition, Record


class Publisher:
    """Writes records in order; what is queued for a partition shares its next request."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._lanes: dict[Partition, Lane] = {}
        self._producer: Producer | None = None
        self._starting = asyncio.Lock()
        self._retired: set[asyncio.Task[None]] = set()

    async def publish(self, parcels: Mapping[Partition, Sequence[Record]]) -> list[list[int]]:
        """Write each partition's records; return their offsets once all are durable."""
        waiting = [self._lane(partition).put(records) for partition, records in parcels.items()]
        return [await offsets for offsets in waiting]

    async def close(self) -> None:
        """Stop; publishes under way fail."""
        await asyncio.gather(*[lane.close() for lane in self._lanes.values()])
        self._retire()
        await asyncio.gather(*self._retired)

    def _lane(self, partition: Partition) -> Lane:
        lane = self._lanes.get(partition)
        if lane is None:
            lane = self._lanes[partition] = Lane(partial(self._send, partition))
        return lane

    async def _send(self, partition: Partition, records: Iterator[Record]) -> tuple[int, int]:
        async with self._cluster.within(f"take records for {partition.topic}"):
            producer = await self._started()
            batch = producer.create_batch()
            count = fill(batch, records)
            topic, number = partition
            try:
                written = await producer.send_batch(batch, topic, partition=number)
                return (await written).offset, count
            except KafkaError as error:
                if not isinstance(error, KafkaTimeoutError):
                    # Its sequence numbers may have a hole: brokers would refuse all that follows.
                    self._retire(producer)
                raise

    async def _started(self) -> Producer:
        async with self._starting:
            if self._producer is None:
                producer = Producer(self._cluster)
                try:
                    await producer.start()
                except BaseException:
                    await producer.abandon()
                    raise
                self._producer = producer
            return self._producer

    def _retire(self, failed: Producer | None = None) -> None:
        """Let the producer finish what other lanes gave it; the next record gets a new one."""
        producer = self._producer
        if producer is not None and failed in (None, producer):
            self._producer = None
            patience = PARTING if failed is None else self._cluster.timeout
            task = asyncio.create_task(producer.retire(patience))
            self._retired.add(task)
            task.add_done_callback(self._retired.discard)
