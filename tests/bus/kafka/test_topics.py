"""Topics as the brokers keep them, and logs that do not fit."""

import socket

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from bus import kafka as implementation
from bus.kafka import topics
from schemas.errors import Mismatch, Unusable
from schemas.topics import ASSIGNMENTS, MAX_RECORD, REFERRALS, REQUESTS, Kept, Topic
from tests.bus.reading import PARTITIONS, Made


@pytest.mark.parametrize(
    ("kept", "policy"),
    [
        (Kept.FOREVER, ("delete", "-1")),
        (Kept.COMPACTED, ("compact", "-1")),
        (Kept.COMPACTED_WEEK, ("compact,delete", "604800000")),
        (Kept.YEAR, ("delete", "31536000000")),
    ],
)
async def test_a_topic_is_made_as_it_is_kept(
    admin: AIOKafkaAdminClient, bus: Made, name: str, kept: Kept, policy: tuple[str, str]
) -> None:
    topic = Topic(name, kept)
    await bus.create([topic])
    (answer,) = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic.name)])
    found = {name: value for name, value, *_ in answer.resources[0][4]}
    assert (found["cleanup.policy"], found["retention.ms"]) == policy
    assert found["message.timestamp.type"] == "LogAppendTime"
    assert found["min.insync.replicas"] == "1"
    assert int(found["max.message.bytes"]) > MAX_RECORD


async def test_a_topic_nobody_made_is_named_with_the_command_that_makes_it(bus: Made) -> None:
    with pytest.raises(Unusable, match=r"nowhere.*yizhan topics create"):
        bus.partitions(Topic("nowhere", Kept.FOREVER))


async def test_a_topic_with_another_number_of_partitions_is_refused(
    kafka: str, topic: Topic
) -> None:
    async with implementation.connect(kafka, PARTITIONS + 1) as bus:
        with pytest.raises(Mismatch, match=f"{topic.name} was made with {PARTITIONS} partitions"):
            await bus.create([topic])


def test_what_belongs_to_one_pool_must_share_its_partitions() -> None:
    counts = {REQUESTS.name: 4, ASSIGNMENTS.name: 4, REFERRALS.name: 5}
    with pytest.raises(Mismatch, match="referrals has 5"):
        topics.check((), counts, None)


@pytest.fixture
def unused_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])


async def test_no_broker_is_one_sentence_with_the_address(unused_port: int) -> None:
    where = f"127.0.0.1:{unused_port}"
    with pytest.raises(Unusable, match=f"^no Kafka answers at {where}$"):
        async with implementation.connect(where, timeout=0.3):
            pass


async def test_an_address_that_is_none_is_one_sentence_too() -> None:
    with pytest.raises(Unusable, match=r"^no Kafka answers at host:port$"):
        async with implementation.connect("host:port", timeout=0.3):
            pass
