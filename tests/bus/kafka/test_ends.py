"""Asking Kafka where partitions end: many questions at once are one."""

import asyncio
from collections.abc import Sequence

from aiokafka import TopicPartition

from bus.kafka.cluster import Cluster
from bus.kafka.consumer import consuming
from bus.kafka.ends import Ends
from schemas.topics import Topic
from tests.bus.conftest import Log
from tests.bus.reading import PARTITIONS, Made, records, spread


async def test_many_who_ask_at_once_ask_the_brokers_once_and_each_learns_its_own(
    log: Log, bus: Made, topic: Topic
) -> None:
    for number in range(1, PARTITIONS):
        await bus.publish(records(topic, range(number), number))
    cluster, asked = Cluster(log.place), list[int]()
    async with consuming(cluster) as consumer:
        answer = consumer.end_offsets

        async def noted(places: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
            asked.append(len(places))
            return dict(await answer(places))

        consumer.end_offsets = noted
        ends = Ends(cluster, consumer)
        for _ in range(2):
            found = await asyncio.gather(*(ends.end(place) for place in spread(topic)))
            assert found == [0, 1, 2, 3]
    assert asked == [PARTITIONS, PARTITIONS]
