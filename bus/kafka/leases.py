"""The partitions that one reader holds, and how far it has read each."""

from collections.abc import Iterable, Mapping, Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition

from bus.port import Batch, Lease, Partition, Start, Stored

NOWHERE = 1 << 62
"""Sought instead of a negative offset, which aiokafka refuses; the brokers find it out of range."""

Records = Mapping[TopicPartition, Sequence[Stored]]


class Leases:
    """Living leases; what the consumer has read becomes batches that follow one another."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer
        self._leases: dict[TopicPartition, Lease] = {}

    @property
    def held(self) -> frozenset[Partition]:
        """The partitions held now."""
        return frozenset(Partition(*where) for where in self._leases)

    def get(self, partition: Partition) -> Lease | None:
        """Return the living lease of `partition`."""
        return self._leases.get(TopicPartition(*partition))

    def begin(self, partitions: Iterable[TopicPartition], start: Start) -> None:
        """Hold `partitions`, each to be read from where `start` says."""
        for where in partitions:
            self._begin(where, start(Partition(*where)))

    def seek(self, partition: Partition, offset: int) -> None:
        """Begin another lease of `partition`; one that is not held any more has no next."""
        if lease := self.get(partition):
            lease.alive = False
            self._begin(TopicPartition(*partition), offset)

    def end(self) -> frozenset[Partition]:
        """Let all partitions go; return what they were."""
        held = self.held
        for lease in self._leases.values():
            lease.alive = False
        self._leases.clear()
        return held

    def back(self, records: Records) -> None:
        """Undo a read: what it returned is to be read again."""
        for where in records.keys() & self._leases.keys():
            self._consumer.seek(where, self._leases[where].position)

    def skip(self, where: TopicPartition, start: int) -> None:
        """Go on at `start` in the same lease: what has expired is one more gap in the log."""
        self._consumer.seek(where, start)

    async def batches(self, records: Records) -> list[Batch]:
        """Wrap what was just read.

        The consumer's position also passes what is never returned: transaction markers, aborted and
        compacted records. Every partition is asked, because a log may end in those.
        """
        batches = []
        for where, lease in self._leases.items():
            position = await self._consumer.position(where)
            if position not in (lease.position, NOWHERE):
                found = records.get(where, ())
                base, lease.position = lease.position, position
                batches.append(Batch(where.topic, where.partition, base, position, found, lease))
        return batches

    def _begin(self, where: TopicPartition, offset: int) -> None:
        self._leases[where] = Lease(offset)
        self._consumer.seek(where, offset if offset >= 0 else NOWHERE)
