"""What transactions leave in Kafka: aborted records and markers, which readers must cross."""

import uuid
from collections.abc import AsyncIterator

import pytest
from aiokafka import AIOKafkaProducer

from bus.kafka import connect
from bus.port import Partition
from schemas.topics import Kept, Topic
from tests.bus.reading import PARTITIONS, Made, assigned, drain, read, records, values

pytestmark = pytest.mark.kafka


@pytest.fixture
async def bus(kafka: str) -> AsyncIterator[Made]:
    async with connect(kafka, PARTITIONS) as bus:
        yield bus


@pytest.fixture
async def topic(bus: Made) -> Topic:
    topic = Topic(f"t-{uuid.uuid4().hex}", Kept.FOREVER)
    await bus.create([topic])
    return topic


@pytest.fixture
async def producer(kafka: str) -> AsyncIterator[AIOKafkaProducer]:
    """Somebody else's transactional producer."""
    name = f"other-{uuid.uuid4().hex}"
    producer = AIOKafkaProducer(bootstrap_servers=kafka, transactional_id=name)
    await producer.start()
    yield producer
    await producer.stop()


async def abort(producer: AIOKafkaProducer, topic: Topic, count: int) -> None:
    """Write `count` records to partition 0 and take them back."""
    await producer.begin_transaction()
    for i in range(count):
        await producer.send_and_wait(topic.name, b"aborted %d" % i, partition=0)
    await producer.abort_transaction()


async def ended(bus: Made, topic: Topic, end: int) -> None:
    """Wait until partition 0 ends at `end`: markers follow a moment after their transaction."""
    while await bus.highwater(Partition(topic.name, 0)) < end:
        pass


async def test_aborted_records_are_crossed_and_never_seen(
    bus: Made, topic: Topic, producer: AIOKafkaProducer
) -> None:
    for i in range(3):
        await bus.publish(records(topic, [i]))
        await abort(producer, topic, 5)
    await bus.publish(records(topic, ["last"]))
    await ended(bus, topic, 3 * (1 + 5 + 1) + 1)
    async with assigned(bus, topic) as subscription:
        batches = await drain(bus, subscription, limit=2)
    base = 0
    for batch in batches:
        assert batch.base == base
        base = batch.next
    read_values = values(record for batch in batches for record in batch.records)
    assert read_values == ["0", "1", "2", "last"]
    assert base == await bus.highwater(Partition(topic.name, 0))


async def test_a_log_that_ends_in_aborted_records_is_read_to_its_end(
    bus: Made, topic: Topic, producer: AIOKafkaProducer
) -> None:
    await bus.publish(records(topic, ["kept"]))
    await abort(producer, topic, 5)
    await ended(bus, topic, 1 + 5 + 1)
    async with assigned(bus, topic) as subscription:
        batches = await drain(bus, subscription)
    assert values(record for batch in batches for record in batch.records) == ["kept"]
    assert batches[-1].next == await bus.highwater(Partition(topic.name, 0)) == 1 + 5 + 1


async def test_a_log_that_ends_in_a_commit_marker_is_read_to_its_end(
    bus: Made, topic: Topic
) -> None:
    owner = f"matching-{uuid.uuid4().hex}"
    await bus.claim(owner)
    await bus.advance(owner, {}, records(topic, ["decided"]))
    await ended(bus, topic, 1 + 1)
    async with assigned(bus, topic) as subscription:
        batches = await drain(bus, subscription)
    assert values(record for batch in batches for record in batch.records) == ["decided"]
    assert batches[-1].next == await bus.highwater(Partition(topic.name, 0)) == 2


async def test_a_reader_that_waits_at_the_end_is_carried_over_a_marker(
    bus: Made, topic: Topic, producer: AIOKafkaProducer
) -> None:
    async with assigned(bus, topic) as subscription:
        await abort(producer, topic, 2)
        await ended(bus, topic, 2 + 1)
        batches = await drain(bus, subscription)
        assert batches[-1].next == 3
        assert [list(batch.records) for batch in batches] == [[]] * len(batches)


async def test_records_of_an_open_transaction_are_not_seen_and_the_end_stays_before_them(
    bus: Made, topic: Topic, producer: AIOKafkaProducer
) -> None:
    await bus.publish(records(topic, ["before"]))
    await producer.begin_transaction()
    await producer.send_and_wait(topic.name, b"undecided", partition=0)
    assert await bus.highwater(Partition(topic.name, 0)) == 1
    assert values(await read(bus, topic)) == ["before"]
    await producer.commit_transaction()
    await ended(bus, topic, 1 + 1 + 1)
    assert values(await read(bus, topic)) == ["before", "undecided"]
