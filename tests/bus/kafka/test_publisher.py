"""What lies in the log as other clients see it, and a producer that a broker has refused."""

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from schemas.errors import Unavailable
from schemas.topics import Topic
from tests.bus.reading import Made, read, records, values


async def test_a_record_says_what_it_is_in_one_header(kafka: str, bus: Made, topic: Topic) -> None:
    await bus.publish(records(topic, ["{}"]))
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka)
    await consumer.start()
    try:
        consumer.assign([TopicPartition(topic.name, 0)])
        await consumer.seek_to_beginning()
        record = await consumer.getone()
    finally:
        await consumer.stop()
    assert record.headers == (("content-type", b"application/cloudevents+json"),)


async def test_more_than_a_batch_keeps_its_order(bus: Made, topic: Topic) -> None:
    sent = [f"{i}:".ljust(1000) for i in range(3000)]
    positions = await bus.publish(records(topic, sent))
    assert [position.offset for position in positions] == list(range(3000))
    assert values(await read(bus, topic)) == sent


async def test_a_batch_that_a_broker_refuses_does_not_stop_the_next(
    admin: AIOKafkaAdminClient, bus: Made, topic: Topic
) -> None:
    await bus.publish(records(topic, ["one"]))
    narrow = {"max.message.bytes": "1000"}
    await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic.name, narrow)])
    with pytest.raises(Unavailable):
        await bus.publish(records(topic, ["x" * 2000]))
    await bus.publish(records(topic, ["two"]))
    assert values(await read(bus, topic)) == ["one", "two"]
