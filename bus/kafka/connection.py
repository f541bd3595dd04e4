"""The bus over one Kafka cluster."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

from bus.kafka import producer, wire
from bus.kafka.cluster import PAUSE, Cluster, quiet
from bus.kafka.consumer import consuming, joined
from bus.kafka.ends import Ends
from bus.kafka.offsets import Offsets
from bus.kafka.owner import Owner, moved
from bus.kafka.publisher import Publisher
from bus.kafka.reader import Reader
from bus.kafka.topics import Topics
from bus.port import Listener, Partition, Position, Record, Start
from schemas.errors import Fenced, Unavailable
from schemas.topics import TOPICS, Topic


@asynccontextmanager
async def connect(
    servers: str,
    partitions: int | None = None,
    *,
    timeout: float = 10.0,
) -> AsyncIterator["KafkaBus"]:
    """Open the log on the Kafka at `servers`, whose spread topics have `partitions` each.

    `timeout` is how many seconds one answer may take.
    """
    cluster = Cluster(servers, timeout)
    quiet()
    wire.mend()
    await cluster.reached()
    async with AsyncExitStack() as stack:
        yield await patiently(cluster, partitions, stack)


async def patiently(cluster: Cluster, partitions: int | None, stack: AsyncExitStack) -> "KafkaBus":
    """Start a bus; raises Unusable.

    For some seconds the brokers name one among them that has just died: whoever asks that one is
    sent away, and must ask again.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + cluster.timeout
    while True:
        try:
            async with AsyncExitStack() as attempt:
                bus = await opened(cluster, partitions, attempt)
                stack.push_async_exit(attempt.pop_all())
                return bus
        except (KafkaError, Unavailable) as error:
            if loop.time() > end:
                raise cluster.unusable() from error
        await asyncio.sleep(PAUSE)


async def opened(cluster: Cluster, partitions: int | None, stack: AsyncExitStack) -> "KafkaBus":
    """Start what a bus is made of; `stack` ends it."""
    admin = AIOKafkaAdminClient(**cluster.options)
    stack.push_async_callback(admin.close)
    await admin.start()
    # It must tire of an answer before those who ask do, to try again over another connection.
    client = AIOKafkaClient(**cluster.options | {"request_timeout_ms": int(cluster.timeout * 400)})
    stack.push_async_callback(client.close)
    await client.bootstrap()
    topics = Topics(cluster, admin, partitions)
    await topics.refresh()
    identity = (await admin.describe_cluster())["cluster_id"]
    bus = KafkaBus(cluster, identity, topics, Offsets(cluster, client), Ends(cluster))
    stack.push_async_callback(bus.close)
    return bus


class KafkaBus:
    """The port on Kafka."""

    def __init__(
        self,
        cluster: Cluster,
        identity: str,
        topics: Topics,
        offsets: Offsets,
        ends: Ends,
    ) -> None:
        self._cluster, self._identity = cluster, identity
        self._topics, self._offsets, self._ends = topics, offsets, ends
        self._publisher = Publisher(cluster)
        self._owners: dict[str, Owner] = {}

    @property
    def identity(self) -> str:
        """The cluster's id."""
        return self._identity

    def partitions(self, topic: Topic) -> int:
        """Return how many partitions `topic` has."""
        return self._topics.count(topic)

    async def create(self, topics: Sequence[Topic] = TOPICS) -> None:
        """Make those of `topics` that are missing."""
        await self._topics.create(topics)

    async def publish(self, records: Sequence[Record]) -> list[Position]:
        """Write `records`; return their positions once all in-sync replicas have them."""
        places, parcels = self._sorted(records)
        return positions(places, parcels, await self._publisher.publish(parcels))

    @asynccontextmanager
    async def subscribe(
        self,
        group: str | None,
        topics: Sequence[Topic],
        start: Start,
        listener: Listener | None = None,
    ) -> AsyncIterator[Reader]:
        """Read `topics`, or this member's share of them."""
        all_ = [Partition(t.name, n) for t in topics for n in range(self.partitions(t))]
        expiring = frozenset(topic.name for topic in topics if topic.kept.days is not None)
        async with (
            consuming(self._cluster, group) as consumer,
            joined(consumer, group, all_, start, listener) as member,
        ):
            yield Reader(self._cluster, consumer, member, expiring)

    async def claim(self, owner: str) -> None:
        """Take `owner` over."""
        await self._owner(owner).claim()

    async def advance(
        self,
        owner: str,
        moves: Mapping[Partition, tuple[int, int]],
        outputs: Sequence[Record],
    ) -> list[Position]:
        """Write `outputs` and move positions in one transaction."""
        places, parcels = self._sorted(outputs)
        if owner not in self._owners:
            raise Fenced(owner)
        written = positions(places, parcels, await self._owners[owner].advance(moves, parcels))
        self._ends.written(written)
        return written

    async def positions(self, owner: str) -> dict[Partition, int]:
        """Return where `owner` stands."""
        if owner in self._owners:
            return await self._owners[owner].positions()
        return moved(await self._offsets.committed(owner))

    async def highwater(self, partition: Partition) -> int:
        """Ask for the last stable offset of `partition`."""
        return await self._ends.end(partition)

    async def close(self) -> None:
        """Let owners go and stop publishing."""
        await asyncio.gather(*[owner.close() for owner in self._owners.values()])
        await self._ends.close()
        await self._publisher.close()

    def _owner(self, name: str) -> Owner:
        if name not in self._owners:
            committed, spare = self._offsets.committed, self._topics.any()
            self._owners[name] = Owner(self._cluster, name, committed, spare)
        return self._owners[name]

    def _sorted(
        self, records: Sequence[Record]
    ) -> tuple[list[Partition], dict[Partition, list[Record]]]:
        """Tell where each record belongs, and which each partition gets."""
        producer.check(records)
        places: list[Partition] = []
        parcels: dict[Partition, list[Record]] = {}
        for record in records:
            topic = record.topic
            place = Partition(topic.name, topic.partition(record.route, self.partitions(topic)))
            places.append(place)
            parcels.setdefault(place, []).append(record)
        return places, parcels


def positions(
    places: Iterable[Partition], parcels: Iterable[Partition], offsets: Iterable[list[int]]
) -> list[Position]:
    """Give each record its position, in the order they came in."""
    next_ = {place: iter(written) for place, written in zip(parcels, offsets, strict=True)}
    return [Position(*place, next(next_[place])) for place in places]
