"""Transactions that overlap, grow, or are left open."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from bus.port import Partition, Record
from schemas.topics import MAX_RECORD, Topic
from tests.bus.reading import Made, read, records, values


@asynccontextmanager
async def undecided(kafka: str, owner: str) -> AsyncIterator[AIOKafkaProducer]:
    """Begin a transaction as another process would, and leave it open."""
    producer = AIOKafkaProducer(bootstrap_servers=kafka, transactional_id=owner)
    await producer.start()
    await producer.begin_transaction()
    try:
        yield producer
    finally:
        await producer.stop()


async def test_a_claim_undoes_what_the_last_holder_left_open(
    kafka: str, bus: Made, topic: Topic, name: str
) -> None:
    source = Partition(topic.name, 1)
    await bus.claim(name)
    await bus.advance(name, {source: (0, 1)}, [])
    async with undecided(kafka, name) as producer:
        await producer.send_and_wait(topic.name, b"lost", partition=0)
        await producer.send_offsets_to_transaction({TopicPartition(*source): 9}, name)
        await bus.claim(name)
    assert await bus.positions(name) == {source: 1}
    await bus.advance(name, {source: (1, 2)}, records(topic, ["kept"]))
    assert values(await read(bus, topic)) == ["kept"]


async def test_steps_of_one_owner_wait_for_one_another(bus: Made, topic: Topic, name: str) -> None:
    source = Partition(topic.name, 1)
    await bus.claim(name)
    steps = [bus.advance(name, {source: (i, i + 1)}, records(topic, [i])) for i in range(8)]
    await asyncio.gather(*steps)
    assert values(await read(bus, topic)) == list("01234567")


async def test_a_step_larger_than_a_batch_is_one_step(bus: Made, topic: Topic, name: str) -> None:
    await bus.claim(name)
    large = [Record(topic, "r", b"k", bytes([i]) * (MAX_RECORD // 3)) for i in range(10)]
    positions = await bus.advance(name, {}, large)
    assert [position.offset for position in positions] == list(range(10))
    stored = await read(bus, topic, positions[0].partition)
    assert [(record.value or b"")[0] for record in stored] == list(range(10))


async def test_what_a_step_has_written_and_moved_is_there_when_it_returns(
    bus: Made, topic: Topic, name: str
) -> None:
    """Kafka itself acknowledges a commit some milliseconds before it can be seen."""
    source = Partition(topic.name, 1)
    await bus.claim(name)
    for i in range(20):
        (position,) = await bus.advance(name, {source: (i, i + 1)}, records(topic, [i]))
        assert await bus.highwater(Partition(topic.name, 0)) > position.offset
        assert await bus.positions(name) == {source: i + 1}


async def test_asking_whether_one_is_still_the_owner_moves_nothing(
    bus: Made, topic: Topic, name: str
) -> None:
    source = Partition(topic.name, 1)
    await bus.claim(name)
    await bus.advance(name, {}, [])
    assert await bus.positions(name) == {}
    await bus.advance(name, {source: (0, 3)}, [])
    await bus.advance(name, {}, [])
    assert await bus.positions(name) == {source: 3}


async def test_asking_after_a_claim_keeps_a_position_where_it_is_asked(
    bus: Made, admin: AIOKafkaAdminClient, name: str
) -> None:
    other = f"{name}-other"
    await bus.claim(other)
    await bus.advance(other, {}, [])
    while not (found := await admin.list_consumer_group_offsets(other)):
        pass
    (place,) = (Partition(*where) for where in found)
    await bus.claim(name)
    await bus.advance(name, {place: (0, 3)}, [])
    await bus.claim(name)
    await bus.advance(name, {}, [])
    assert await bus.positions(name) == {place: 3}
