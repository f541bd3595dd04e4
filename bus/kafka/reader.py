"""One reader's hold on its partitions."""

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import suppress

import structlog
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError, OffsetOutOfRangeError

from bus.kafka.cluster import Cluster
from bus.kafka.consumer import Consumer
from bus.kafka.leases import Records
from bus.kafka.member import Member
from bus.port import Batch, Lease, Partition, outside
from schemas.errors import Unavailable, Unusable

SLICE = 0.05
"""Seconds between two looks for positions that have moved without any record."""

_log = structlog.get_logger(__name__)


class Reader:
    """Reads what is assigned to it; `expiring` are the topics whose records go with time."""

    def __init__(
        self,
        cluster: Cluster,
        consumer: Consumer,
        member: Member,
        expiring: frozenset[str],
    ) -> None:
        self._cluster, self._consumer = cluster, consumer
        self._member, self._leases = member, member.leases
        self._expiring = expiring
        self._committing: asyncio.Task[None] | None = None

    @property
    def assignment(self) -> frozenset[Partition]:
        """The partitions held now."""
        return self._leases.held

    async def poll(
        self,
        timeout: float,
        limit: int = 4000,
        among: Iterable[Partition] | None = None,
    ) -> list[Batch]:
        """Return what is there, or [] after `timeout` seconds."""
        loop = asyncio.get_running_loop()
        end = loop.time() + timeout
        wanted = None if among is None else frozenset(among)
        # A reader that always finds something must not keep the loop to itself.
        await asyncio.sleep(0)
        while True:
            left = end - loop.time()
            batches = await self._read(min(max(left, 0), SLICE), limit, wanted)
            if batches or left <= 0:
                return batches

    def seek(self, partition: Partition, offset: int) -> None:
        """Read `partition` from `offset` next; one that is not held any more has no next."""
        self._leases.seek(partition, offset)

    def lease(self, partition: Partition) -> Lease | None:
        """Return the living lease of `partition`."""
        return self._leases.get(partition)

    async def commit(self, positions: Mapping[Partition, int]) -> None:
        """Tell how far this group has come; only displays miss it when that fails."""
        self._check()
        held = self._leases.held
        offsets = {TopicPartition(*one): to for one, to in positions.items() if one in held}
        busy = self._committing is not None and not self._committing.done()
        if offsets and self._member.group is not None and not busy:
            # Waited for, not cancelled: aiokafka would leave a failure behind that nobody asks for.
            self._committing = asyncio.create_task(self._commit(offsets))
            await asyncio.wait([self._committing], timeout=self._cluster.timeout)

    async def _commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        with suppress(KafkaError):
            await self._consumer.commit(offsets)

    async def _read(
        self, within: float, limit: int, wanted: frozenset[Partition] | None
    ) -> list[Batch]:
        self._check()
        if not await self._member.settled(within):
            return []
        among = frozenset() if wanted is None else wanted & self._leases.held
        if wanted is not None and not among:
            await asyncio.sleep(within)
            return []
        records = await self._fetch(within, limit, [TopicPartition(*one) for one in among])
        if not self._member.ready:
            # Assigned anew meanwhile, and the listener does not know yet.
            self._leases.back(records)
            return []
        return await self._leases.batches(records)

    def _check(self) -> None:
        try:
            self._consumer.check()
        except KafkaError as error:
            raise self._ended(error) from error

    async def _fetch(self, within: float, limit: int, among: Iterable[TopicPartition]) -> Records:
        try:
            # Longer than it should take: when a rebalance begins, aiokafka waits for its end.
            async with asyncio.timeout(within + SLICE):
                records: Records = await self._consumer.getmany(
                    *among, timeout_ms=int(within * 1000), max_records=limit
                )
                return records
        except TimeoutError:
            return {}
        except OffsetOutOfRangeError as error:
            for where in error.args[0]:
                await self._outside(where)
            return {}
        except KafkaError as error:
            raise self._ended(error) from error

    async def _outside(self, where: TopicPartition) -> None:
        """Move to the start of a log whose records have expired; raise OutOfRange otherwise."""
        async with self._cluster.within(f"say what {where.topic} holds"):
            start = (await self._consumer.beginning_offsets([where]))[where]
            end = (await self._consumer.end_offsets([where]))[where]
        lease = self._leases.get(Partition(*where))
        if lease is None or start <= lease.position <= end:
            return
        if not 0 <= lease.position < start or where.topic not in self._expiring:
            log = f"Kafka at {self._cluster.servers}"
            raise outside(log, Partition(*where), lease.position, start, end)
        _log.warning(
            "position expired",
            topic=where.topic,
            partition=where.partition,
            position=lease.position,
            start=start,
        )
        self._leases.skip(where, start)

    def _ended(self, error: KafkaError) -> Unavailable | Unusable:
        """Return what to raise: aiokafka reads no further after what is not worth a retry."""
        group, log = self._member.group, f"Kafka at {self._cluster.servers}"
        if error.retriable:
            return Unavailable(f"{log} cannot be read: {error}")
        reader = "" if group is None else f" by group {group}"
        return Unusable(f"{log} cannot be read any more{reader}: {error}")
