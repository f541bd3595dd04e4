"""Asking Kafka where partitions end: many at once are one, and a dead connection is given up."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaTimeoutError

from bus import kafka as implementation
from bus.kafka.cluster import Cluster
from bus.kafka.ends import Ends
from bus.port import Partition
from schemas.errors import Unavailable
from schemas.topics import Kept, Topic
from tests.bus.conftest import Log
from tests.bus.kafka.firewall import walled
from tests.bus.reading import PARTITIONS, Made, records, spread


async def test_many_who_ask_at_once_ask_the_brokers_once_and_each_learns_its_own(
    log: Log, bus: Made, topic: Topic
) -> None:
    for number in range(1, PARTITIONS):
        await bus.publish(records(topic, range(number), number))
    asked = list[int]()
    async with asking(log) as ends:
        consumer = (await ends._taken()).consumer
        answer = consumer.end_offsets

        async def noted(places: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
            asked.append(len(places))
            return dict(await answer(places))

        consumer.end_offsets = noted
        for _ in range(2):
            found = await asyncio.gather(*(ends.end(place) for place in spread(topic)))
            assert found == [0, 1, 2, 3]
    assert asked == [PARTITIONS, PARTITIONS]


async def test_a_partition_without_an_answer_disturbs_nobody_who_asks_about_another(
    log: Log, bus: Made, topic: Topic
) -> None:
    await bus.publish(records(topic, range(3)))
    ends, begun, answered = Ends(Cluster(log.place)), asyncio.Event(), asyncio.Event()
    line = await ends._taken()
    answer = line.consumer.end_offsets

    async def late(places: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        if places[0].partition != 0:
            raise KafkaTimeoutError
        begun.set()
        await answered.wait()
        return dict(await answer(places))

    line.consumer.end_offsets = late
    asked = asyncio.create_task(ends.end(Partition(topic.name, 0)))
    await begun.wait()
    with pytest.raises(Unavailable):
        await ends.end(Partition(topic.name, 1))
    answered.set()
    assert await asked == 3
    await ends.close()


@asynccontextmanager
async def asking(log: Log) -> AsyncIterator[Ends]:
    ends = Ends(Cluster(log.place))
    yield ends
    await ends.close()


async def test_questions_are_answered_again_once_a_connection_has_died_without_a_word(
    kafka_jars: Path, tmp_path: Path, name: str
) -> None:
    assert kafka_jars.is_dir()
    topic = Topic(name, Kept.FOREVER)
    async with (
        walled(tmp_path) as (place, firewall),
        implementation.connect(place, PARTITIONS, timeout=2.0) as bus,
    ):
        await bus.create([topic])
        await bus.publish(records(topic, ["one"]))
        await bus.claim(name)
        await bus.advance(name, {Partition(name, 1): (0, 1)}, [])
        assert await bus.positions(name) == {Partition(name, 1): 1}
        assert await bus.highwater(Partition(name, 0)) == 1
        firewall.forget()
        with pytest.raises(Unavailable):
            await bus.highwater(Partition(name, 0))
        assert await bus.highwater(Partition(name, 0)) == 1
        # Not "in the end": within the very question.
        await bus.claim(name)
        assert await bus.positions(name) == {Partition(name, 1): 1}
