"""Reading and writing as the tests of the log do it; nothing here waits by the clock."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

from bus.port import Batch, Bus, Partition, Position, Record, Stored, Subscription
from schemas.topics import Topic

PARTITIONS = 4


class Made(Bus, Protocol):
    """A bus that can make topics, as every implementation can."""

    async def create(self, topics: Sequence[Topic]) -> None: ...


def beginning(_partition: Partition) -> int:
    return 0


def route(number: int, topic: Topic) -> str:
    """Return a route that leads to partition `number`."""
    return next(r for r in map(str, range(1000)) if topic.partition(r, PARTITIONS) == number)


def records(topic: Topic, values: Iterable[object], number: int = 0) -> list[Record]:
    """Return one record per value, all for one partition."""
    to = route(number, topic)
    return [Record(topic, to, b"key", str(value).encode()) for value in values]


def everywhere(topic: Topic, values: Iterable[object]) -> list[Record]:
    """Return one record per value and partition."""
    values = list(values)
    return [one for number in range(PARTITIONS) for one in records(topic, values, number)]


def spread(topic: Topic) -> list[Partition]:
    return [Partition(topic.name, number) for number in range(PARTITIONS)]


def values(stored: Iterable[Stored]) -> list[str]:
    return [(record.value or b"").decode() for record in stored]


async def drain(bus: Bus, subscription: Subscription, limit: int = 4000) -> list[Batch]:
    """Read until every partition held has been read to its end."""
    batches: list[Batch] = []
    while not subscription.assignment:
        batches += await subscription.poll(0.1, limit)
    ends = {partition: await bus.highwater(partition) for partition in subscription.assignment}
    while any(_position(subscription, partition) < end for partition, end in ends.items()):
        batches += await subscription.poll(1, limit)
    return batches


async def visible(bus: Bus, positions: Iterable[Position]) -> None:
    """Wait until readers may see these records: Kafka shows them a moment after the commit."""
    for topic, number, offset in positions:
        while await bus.highwater(Partition(topic, number)) <= offset:
            pass


async def poll_on(subscription: Subscription) -> None:
    """Go on polling; only an error ends it."""
    while True:
        await subscription.poll(1)


async def read(bus: Bus, topic: Topic, number: int = 0) -> list[Stored]:
    """Return all that a partition holds."""
    async with bus.subscribe(None, [topic], beginning) as subscription:
        batches = await drain(bus, subscription)
    return [record for batch in batches if batch.partition == number for record in batch.records]


@asynccontextmanager
async def assigned(bus: Bus, topic: Topic, group: str | None = None) -> AsyncIterator[Subscription]:
    """Read `topic` from its beginning, from when its partitions are there."""
    async with bus.subscribe(group, [topic], beginning) as subscription:
        while not subscription.assignment:
            assert await subscription.poll(0.05, among=()) == []
        yield subscription


def _position(subscription: Subscription, partition: Partition) -> int:
    lease = subscription.lease(partition)
    assert lease is not None, f"{partition} was lost while it was read"
    return lease.position
