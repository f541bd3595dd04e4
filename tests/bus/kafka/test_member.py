"""Groups that share their partitions."""

import asyncio
import math

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.errors import KafkaError

from bus import kafka as implementation
from bus.kafka.cluster import Cluster
from bus.kafka.consumer import consuming, membership
from bus.kafka.reader import Reader
from bus.port import Partition, Subscription
from schemas.errors import Unusable
from schemas.topics import Topic
from tests.bus.reading import (
    PARTITIONS,
    Made,
    beginning,
    drain,
    everywhere,
    poll_on,
    values,
)


class Reading:
    """A member that keeps its positions where the next one finds them, as a state does."""

    def __init__(self, positions: dict[Partition, int], seen: list[str]) -> None:
        self.positions, self.seen = positions, seen

    def start(self, partition: Partition) -> int:
        return self.positions.get(partition, 0)

    async def step(self, subscription: Subscription) -> None:
        for batch in await subscription.poll(0.1, limit=5):
            if batch.lease.alive and batch.base == self.positions.get(batch.source, 0):
                self.positions[batch.source] = batch.next
                self.seen += values(batch.records)


async def test_members_share_a_group_and_take_over_from_one_another(
    kafka: str, bus: Made, topic: Topic, name: str
) -> None:
    seen: list[str] = []
    one = Reading({}, seen)
    two = Reading(one.positions, seen)
    sent = [f"{i}" for i in range(60)]
    await bus.publish(everywhere(topic, sent[:30]))
    async with bus.subscribe(name, [topic], one.start) as first:
        while len(first.assignment) < PARTITIONS or len(seen) < 40:
            await one.step(first)
        async with (
            implementation.connect(kafka) as other,
            other.subscribe(name, [topic], two.start) as second,
        ):
            while not (second.assignment and len(first.assignment) == PARTITIONS // 2):
                await asyncio.gather(one.step(first), two.step(second))
            assert not first.assignment & second.assignment
            await bus.publish(everywhere(topic, sent[30:]))
            while len(seen) < 50 * PARTITIONS:
                await asyncio.gather(one.step(first), two.step(second))
        while len(seen) < 60 * PARTITIONS:
            await one.step(first)
    assert sorted(seen) == sorted(sent * PARTITIONS)


class Diary:
    """A listener that notes what it is told, and fails when told so."""

    def __init__(self, fails: str = "") -> None:
        self.told: list[tuple[str, int]] = []
        self._fails = fails

    async def revoked(self, partitions: frozenset[Partition]) -> None:
        self._note("revoked", partitions)

    async def assigned(self, partitions: frozenset[Partition]) -> None:
        self._note("assigned", partitions)

    def _note(self, word: str, partitions: frozenset[Partition]) -> None:
        self.told.append((word, len(partitions)))
        if word == self._fails:
            raise ZeroDivisionError


async def test_a_listener_hears_of_every_change_in_order(
    bus: Made, topic: Topic, name: str
) -> None:
    diary = Diary()
    async with bus.subscribe(name, [topic], beginning, diary) as first:
        await drain(bus, first)
        async with bus.subscribe(name, [topic], beginning) as second:
            while not second.assignment:
                await asyncio.gather(first.poll(0.05), second.poll(0.05))
            while len(diary.told) < 3:
                await first.poll(0.05)
    half = PARTITIONS // 2
    told = [("assigned", PARTITIONS), ("revoked", PARTITIONS), ("assigned", half)]
    assert diary.told[:3] == told
    assert diary.told[-1][0] == "revoked"


async def test_what_a_listener_raises_reaches_who_polls(bus: Made, topic: Topic, name: str) -> None:
    async with bus.subscribe(name, [topic], beginning, Diary("assigned")) as subscription:
        with pytest.raises(ZeroDivisionError):
            await poll_on(subscription)


@pytest.mark.parametrize("alone", [True, False])
async def test_what_start_raises_reaches_who_polls(
    bus: Made, topic: Topic, name: str, *, alone: bool
) -> None:
    def start(_partition: Partition) -> int:
        raise ZeroDivisionError

    async with bus.subscribe(None if alone else name, [topic], start) as subscription:
        with pytest.raises(ZeroDivisionError):
            await poll_on(subscription)


async def test_a_member_that_its_group_does_not_take_fails_though_it_holds_nothing(
    kafka: str, bus: Made, topic: Topic, name: str
) -> None:
    other = AIOKafkaConsumer(
        topic.name,
        bootstrap_servers=kafka,
        group_id=name,
        partition_assignment_strategy=[RoundRobinPartitionAssignor],
    )
    await other.start()
    async with bus.subscribe(name, [topic], beginning) as subscription:
        with pytest.raises(
            Unusable, match=f"any more by group {name}: .*InconsistentGroupProtocol"
        ):
            await poll_on(subscription)
        with pytest.raises(Unusable):
            await _commit_on(subscription)
    await other.stop()


async def _commit_on(subscription: Subscription) -> None:
    while True:
        await subscription.commit({})
        await asyncio.sleep(0)


async def test_a_reader_whose_fetches_have_ended_fails(kafka: str) -> None:
    async with consuming(Cluster(kafka)) as consumer:
        consumer.check()
        fetching, fails = consumer._fetcher._fetch_task, asyncio.create_task(_fails())
        await asyncio.wait([fails])
        consumer._fetcher._fetch_task = fails
        with pytest.raises(ZeroDivisionError):
            consumer.check()
        consumer._fetcher._fetch_task = fetching


async def _fails() -> None:
    raise ZeroDivisionError


async def test_who_reads_alone_fails_too_when_what_fetches_for_it_has_ended(
    bus: Made, topic: Topic
) -> None:
    async with bus.subscribe(None, [topic], beginning) as subscription:
        await subscription.poll(0)
        assert isinstance(subscription, Reader)
        fetcher = subscription._consumer._fetcher
        fetching, fetcher._fetch_task = fetcher._fetch_task, asyncio.create_task(_broken())
        with pytest.raises(Unusable, match=r"cannot be read any more: .*data retrieval"):
            await poll_on(subscription)
        fetcher._fetch_task = fetching


async def _broken() -> None:
    raise KafkaError("Unexpected error during data retrieval")


def test_a_member_that_has_nothing_to_read_stays_in_its_group() -> None:
    assert membership("any")["max_poll_interval_ms"] == math.inf
