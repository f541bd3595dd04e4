"""Positions that Kafka no longer has."""

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from schemas.errors import OutOfRange
from schemas.topics import Kept, Topic
from tests.bus.reading import Made, assigned, beginning, drain, poll_on, records, values


async def cut(admin: AIOKafkaAdminClient, topic: Topic, before: int) -> None:
    """Let the records of partition 0 before an offset go."""
    await admin.delete_records({TopicPartition(topic.name, 0): RecordsToDelete(before)})


async def test_a_position_that_has_expired_is_one_more_gap(
    admin: AIOKafkaAdminClient, bus: Made, name: str
) -> None:
    topic = Topic(name, Kept.YEAR)
    await bus.create([topic])
    await bus.publish(records(topic, range(5)))
    await cut(admin, topic, 3)
    async with assigned(bus, topic) as subscription:
        batches = await drain(bus, subscription)
    assert [value for batch in batches for value in values(batch.records)] == ["3", "4"]
    base = 0
    for batch in batches:
        assert batch.base == base
        base = batch.next
    assert base == 5


async def test_where_nothing_expires_a_position_before_the_log_is_an_error(
    admin: AIOKafkaAdminClient, bus: Made, topic: Topic
) -> None:
    await bus.publish(records(topic, range(5)))
    await cut(admin, topic, 3)
    async with bus.subscribe(None, [topic], beginning) as subscription:
        with pytest.raises(OutOfRange) as caught:
            await poll_on(subscription)
    assert (caught.value.position, caught.value.start, caught.value.end) == (0, 3, 5)
