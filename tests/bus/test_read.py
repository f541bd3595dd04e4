"""What a subscription promises on every log."""

import asyncio
import uuid
from collections.abc import Iterable
from contextlib import suppress

import pytest

from bus.port import Batch, Partition
from schemas.errors import Fenced, OutOfRange
from schemas.topics import Topic
from tests.bus.conftest import Log
from tests.bus.reading import (
    PARTITIONS,
    Made,
    assigned,
    beginning,
    drain,
    everywhere,
    poll_on,
    records,
    spread,
    values,
)


def group() -> str:
    return f"g-{uuid.uuid4().hex}"


def chained(batches: Iterable[Batch], base: int = 0) -> bool:
    """Whether each batch begins where the one before it ended."""
    for batch in batches:
        if batch.base != base or batch.next < base:
            return False
        base = batch.next
    return True


def of(batches: Iterable[Batch], number: int) -> list[Batch]:
    return [batch for batch in batches if batch.partition == number]


async def test_each_batch_begins_where_the_one_before_it_ended(bus: Made, topic: Topic) -> None:
    await bus.publish(everywhere(topic, range(100)))
    async with assigned(bus, topic) as subscription:
        batches = await drain(bus, subscription, limit=7)
    assert all(chained(of(batches, number)) for number in range(PARTITIONS))


async def test_a_batch_holds_the_records_between_its_base_and_its_next(
    bus: Made, topic: Topic
) -> None:
    await bus.publish(everywhere(topic, range(100)))
    async with assigned(bus, topic) as subscription:
        for batch in await drain(bus, subscription, limit=7):
            offsets = [record.offset for record in batch.records]
            assert offsets == sorted(set(offsets))
            assert all(batch.base <= offset < batch.next for offset in offsets)


async def test_a_poll_returns_no_more_than_its_limit_in_all(bus: Made, topic: Topic) -> None:
    await bus.publish(everywhere(topic, range(50)))
    async with assigned(bus, topic) as subscription:
        read = 0
        while read < 50 * PARTITIONS:
            sizes = [len(batch.records) for batch in await subscription.poll(1, limit=10)]
            assert sum(sizes) <= 10
            read += sum(sizes)


async def test_a_reader_gets_as_far_as_the_end_it_asked_for(bus: Made, topic: Topic) -> None:
    await bus.publish(everywhere(topic, range(5)))
    async with assigned(bus, topic) as subscription:
        await drain(bus, subscription)
        for partition in spread(topic):
            lease = subscription.lease(partition)
            assert lease is not None
            assert lease.position == await bus.highwater(partition)


async def test_an_empty_log_gives_nothing_when_the_time_is_over(bus: Made, topic: Topic) -> None:
    async with assigned(bus, topic) as subscription:
        assert await subscription.poll(0.05) == []


async def test_a_waiting_reader_is_woken_by_what_is_published(bus: Made, topic: Topic) -> None:
    async with assigned(bus, topic) as subscription:
        waiting = asyncio.create_task(subscription.poll(60))
        await bus.publish(records(topic, ["news"]))
        (batch,) = await waiting
    assert values(batch.records) == ["news"]


async def test_a_waiting_reader_is_woken_by_another_bus(log: Log, bus: Made, topic: Topic) -> None:
    async with assigned(bus, topic) as subscription, log.open() as other:
        waiting = asyncio.create_task(subscription.poll(60))
        await other.publish(records(topic, ["news"]))
        (batch,) = await waiting
    assert values(batch.records) == ["news"]


async def test_start_is_asked_for_every_partition_and_reading_begins_there(
    bus: Made, topic: Topic
) -> None:
    await bus.publish(everywhere(topic, range(10)))
    asked: list[Partition] = []

    def start(partition: Partition) -> int:
        asked.append(partition)
        return partition.number + 2

    async with bus.subscribe(None, [topic], start) as subscription:
        batches = await drain(bus, subscription)
    assert sorted(asked) == spread(topic)
    for number in range(PARTITIONS):
        assert chained(of(batches, number), number + 2)
        read = [record for batch in of(batches, number) for record in batch.records]
        assert values(read) == [str(i) for i in range(number + 2, 10)]


async def test_a_read_narrowed_to_some_partitions_leaves_the_others_for_later(
    bus: Made, topic: Topic
) -> None:
    await bus.publish(everywhere(topic, range(10)))
    wanted = Partition(topic.name, 2)
    async with assigned(bus, topic) as subscription:
        narrow = [batch for _ in range(3) for batch in await subscription.poll(0.2, 4, [wanted])]
        assert {batch.source for batch in narrow} == {wanted}
        rest = await drain(bus, subscription)
    for number in range(PARTITIONS):
        both = of([*narrow, *rest], number)
        assert chained(both)
        assert sum(len(batch.records) for batch in both) == 10


async def test_a_seek_ends_the_lease_and_reading_goes_on_from_there(
    bus: Made, topic: Topic
) -> None:
    await bus.publish(records(topic, range(10)))
    async with assigned(bus, topic) as subscription:
        before = await drain(bus, subscription)
        subscription.seek(before[0].source, 4)
        assert not any(batch.lease.alive for batch in before)
        after = await drain(bus, subscription)
    assert chained(after, 4)
    assert values(record for batch in after for record in batch.records) == list("456789")


async def test_a_seek_between_two_polls_throws_away_what_was_fetched_ahead(
    bus: Made, topic: Topic
) -> None:
    await bus.publish(records(topic, range(100)))
    async with assigned(bus, topic) as subscription:
        (first,) = await subscription.poll(5, limit=10)
        subscription.seek(first.source, first.base)
        again = await drain(bus, subscription, limit=30)
    assert chained(again)
    assert sum(len(batch.records) for batch in again) == 100


async def test_the_lease_of_a_batch_is_the_living_one(bus: Made, topic: Topic) -> None:
    await bus.publish(records(topic, range(3)))
    async with assigned(bus, topic) as subscription:
        for batch in await drain(bus, subscription):
            assert batch.lease is subscription.lease(batch.source)
            assert batch.lease.alive


async def test_closing_a_subscription_ends_its_leases(bus: Made, topic: Topic) -> None:
    await bus.publish(records(topic, range(3)))
    async with assigned(bus, topic) as subscription:
        batches = await drain(bus, subscription)
    assert not any(batch.lease.alive for batch in batches)


@pytest.mark.parametrize("position", [-1, 4])
async def test_a_position_outside_the_log_is_an_error(
    log: Log, bus: Made, topic: Topic, position: int
) -> None:
    await bus.publish(everywhere(topic, range(3)))
    async with bus.subscribe(None, [topic], lambda _: position) as subscription:
        with pytest.raises(OutOfRange) as caught:
            await poll_on(subscription)
    assert caught.value.position == position
    assert log.place in str(caught.value)


async def test_a_seek_outside_the_log_is_an_error(bus: Made, topic: Topic) -> None:
    await bus.publish(everywhere(topic, range(3)))
    async with assigned(bus, topic) as subscription:
        await drain(bus, subscription)
        subscription.seek(Partition(topic.name, 1), 99)
        with pytest.raises(OutOfRange):
            await poll_on(subscription)


async def test_the_end_of_the_log_is_a_position_within_it(bus: Made, topic: Topic) -> None:
    await bus.publish(everywhere(topic, range(3)))
    async with bus.subscribe(None, [topic], lambda _: 3) as subscription:
        assert await drain(bus, subscription) == []


async def test_two_groups_each_read_everything(bus: Made, topic: Topic) -> None:
    await bus.publish(everywhere(topic, range(3)))
    async with assigned(bus, topic, group()) as one, assigned(bus, topic, group()) as two:
        for subscription in (one, two):
            batches = await drain(bus, subscription)
            assert sum(len(batch.records) for batch in batches) == 3 * PARTITIONS


async def test_readers_without_a_group_each_hold_all_partitions(bus: Made, topic: Topic) -> None:
    async with assigned(bus, topic) as one, assigned(bus, topic) as two:
        assert one.assignment == two.assignment == set(spread(topic))


async def test_several_topics_are_read_by_one_subscription(bus: Made, topic: Topic) -> None:
    second = Topic(f"{topic.name}-2", topic.kept)
    await bus.create([second])
    await bus.publish([*records(topic, ["one"]), *records(second, ["two"])])
    async with bus.subscribe(group(), [topic, second], beginning) as subscription:
        batches = await drain(bus, subscription)
    read = {batch.topic: values(batch.records) for batch in batches if batch.records}
    assert read == {topic.name: ["one"], second.name: ["two"]}


async def test_another_member_ends_leases_in_the_middle_of_reading(
    log: Log, bus: Made, topic: Topic
) -> None:
    await bus.publish(everywhere(topic, range(50)))
    name = group()
    async with assigned(bus, topic, name) as old:
        batches: list[Batch] = []
        while {batch.partition for batch in batches} != set(range(PARTITIONS)):
            batches += await old.poll(1, limit=20)
        async with log.open() as other, other.subscribe(name, [topic], beginning) as new:
            taken: frozenset[Partition] = frozenset()
            while not taken:
                for subscription in (old, new):
                    with suppress(Fenced):
                        await subscription.poll(0.05)
                taken = new.assignment
            for batch in batches:
                if batch.source in taken:
                    assert not batch.lease.alive
                    assert old.lease(batch.source) is None


async def test_what_a_group_said_it_had_read_does_not_move_its_next_reader(
    bus: Made, topic: Topic
) -> None:
    await bus.publish(records(topic, range(5)))
    name = group()
    async with assigned(bus, topic, name) as subscription:
        await drain(bus, subscription)
        await subscription.commit({Partition(topic.name, 0): 5})
    async with assigned(bus, topic, name) as subscription:
        batches = await drain(bus, subscription)
    assert chained(batches)
    assert sum(len(batch.records) for batch in batches) == 5


class Diary:
    """A listener that notes what it was told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, frozenset[Partition]]] = []

    async def revoked(self, partitions: frozenset[Partition]) -> None:
        self.told.append(("revoked", partitions))

    async def assigned(self, partitions: frozenset[Partition]) -> None:
        self.told.append(("assigned", partitions))


async def test_a_listener_is_told_of_its_partitions_before_their_first_batch(
    bus: Made, topic: Topic
) -> None:
    await bus.publish(records(topic, range(3)))
    diary = Diary()
    async with bus.subscribe(group(), [topic], beginning, diary) as subscription:
        while not await subscription.poll(1):
            assert not subscription.assignment or diary.told
        assert diary.told[-1] == ("assigned", frozenset(spread(topic)))
