"""What `publish` promises on every log."""

import asyncio
from zlib import crc32

import pytest

from bus.port import Partition, Position, Record
from schemas.errors import TooLarge
from schemas.topics import MAX_RECORD, Topic
from tests.bus.conftest import Log
from tests.bus.reading import PARTITIONS, Made, everywhere, read, records, spread, values


async def test_records_of_one_call_keep_their_order_within_each_partition(
    bus: Made, topic: Topic
) -> None:
    await bus.publish(everywhere(topic, range(50)))
    for number in range(PARTITIONS):
        assert values(await read(bus, topic, number)) == [str(i) for i in range(50)]


async def test_calls_made_one_after_another_keep_their_order(bus: Made, topic: Topic) -> None:
    for i in range(10):
        await bus.publish(records(topic, [i]))
    assert values(await read(bus, topic)) == [str(i) for i in range(10)]


async def test_concurrent_calls_each_keep_their_own_order(bus: Made, topic: Topic) -> None:
    calls = [records(topic, [f"{call}.{i}" for i in range(20)]) for call in range(20)]
    await asyncio.gather(*(bus.publish(call) for call in calls))
    stored = values(await read(bus, topic))
    for call in range(20):
        mine = [value for value in stored if value.startswith(f"{call}.")]
        assert mine == [f"{call}.{i}" for i in range(20)]


async def test_a_position_says_where_its_record_lies(bus: Made, topic: Topic) -> None:
    sent = everywhere(topic, ["a", "b"])
    positions = await bus.publish(sent)
    for record, position in zip(sent, positions, strict=True):
        lying = {s.offset: s.value for s in await read(bus, topic, position.partition)}
        assert lying[position.offset] == record.value


async def test_a_record_lies_in_the_partition_its_route_chooses(bus: Made, topic: Topic) -> None:
    routes = [f"node-{i}" for i in range(20)]
    positions = await bus.publish([Record(topic, route, b"", b"") for route in routes])
    chosen = [position.partition for position in positions]
    assert chosen == [crc32(route.encode()) % PARTITIONS for route in routes]


async def test_a_record_whose_route_is_a_number_lies_in_that_partition(
    bus: Made, topic: Topic
) -> None:
    numbers = [*range(PARTITIONS), *reversed(range(PARTITIONS))]
    positions = await bus.publish([Record(topic, number, b"", b"") for number in numbers])
    assert [position.partition for position in positions] == numbers


async def test_a_topic_that_is_not_spread_has_one_partition(bus: Made, topic: Topic) -> None:
    single = Topic(f"{topic.name}-single", topic.kept, spread=False)
    await bus.create([single])
    positions = await bus.publish([Record(single, str(i), b"", b"") for i in range(9)])
    assert bus.partitions(single) == 1
    assert {position.partition for position in positions} == {0}


async def test_key_and_value_come_back_byte_for_byte(bus: Made, topic: Topic) -> None:
    await bus.publish([Record(topic, "r", bytes(range(256)), b"\x00\xff" * 100)])
    number = topic.partition("r", PARTITIONS)
    (stored,) = await read(bus, topic, number)
    assert (stored.key, stored.value) == (bytes(range(256)), b"\x00\xff" * 100)


async def test_append_time_never_goes_backwards(bus: Made, topic: Topic) -> None:
    for i in range(10):
        await bus.publish(records(topic, [i, i]))
    times = [stored.timestamp for stored in await read(bus, topic)]
    assert times == sorted(times)
    assert times[0] > 1_700_000_000_000


async def test_one_record_too_large_and_nothing_of_the_call_is_written(
    bus: Made, topic: Topic
) -> None:
    large = Record(topic, "r", b"k", b"x" * MAX_RECORD)
    with pytest.raises(TooLarge):
        await bus.publish([*everywhere(topic, ["small"]), large])
    assert [await bus.highwater(partition) for partition in spread(topic)] == [0] * PARTITIONS


async def test_the_largest_record_allowed_is_taken(bus: Made, topic: Topic) -> None:
    value = b"x" * (MAX_RECORD - 1)
    await bus.publish([Record(topic, "r", b"k", value)])
    (stored,) = await read(bus, topic, topic.partition("r", PARTITIONS))
    assert stored.value == value


async def test_publishing_nothing_is_done_at_once(bus: Made) -> None:
    assert await bus.publish([]) == []


async def test_the_end_of_a_partition_is_past_what_was_published(bus: Made, topic: Topic) -> None:
    assert await bus.highwater(Partition(topic.name, 0)) == 0
    positions = await bus.publish(records(topic, range(3)))
    assert positions[-1] < Position(topic.name, 0, await bus.highwater(Partition(topic.name, 0)))


async def test_making_a_topic_again_changes_nothing(bus: Made, topic: Topic) -> None:
    await bus.publish(records(topic, ["kept"]))
    await bus.create([topic])
    assert values(await read(bus, topic)) == ["kept"]


async def test_what_one_bus_published_another_reads(log: Log, bus: Made, topic: Topic) -> None:
    await bus.publish(records(topic, ["shared"]))
    async with log.open() as other:
        assert values(await read(other, topic)) == ["shared"]


async def test_a_log_has_one_identity_however_often_it_is_opened(log: Log, bus: Made) -> None:
    async with log.open() as again:
        assert again.identity == bus.identity != ""
