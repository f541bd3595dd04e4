"""An owner: positions and outputs moved in one transaction, fenced by its transactional id."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from aiokafka import TopicPartition
from aiokafka.errors import InvalidProducerEpoch, ProducerFenced

from bus.kafka.bound import Bound
from bus.kafka.cluster import Cluster
from bus.kafka.producer import Producer, fill
from bus.port import Partition, Record
from schemas.errors import Fenced

UNMOVED = "unmoved"
"""Metadata of an offset that is committed only to ask whether this is still the owner."""

PAUSE = 0.002
"""Seconds between two looks for a commit that is not yet to be seen."""

Moves = Mapping[Partition, tuple[int, int]]
Outputs = Mapping[Partition, Sequence[Record]]
T = TypeVar("T")
Commits = dict[TopicPartition, tuple[int, str]]
Committed = Callable[[str], Awaitable[dict[Partition, tuple[int, str]]]]


class Owner:
    """One owner as this process holds it, from `claim` until it is fenced or has failed."""

    def __init__(self, cluster: Cluster, name: str, committed: Committed, spare: Partition) -> None:
        self._cluster, self._name = cluster, name
        self._committed, self._spare = committed, spare
        self._positions: dict[Partition, int] | None = None  # not asked for yet
        self._left: dict[Partition, int] = {}  # where the last advance moved away from
        self._producer: Producer | None = None
        self._busy = asyncio.Lock()
        self._given_up: set[asyncio.Task[None]] = set()

    async def claim(self) -> None:
        """Fence whoever held the name."""
        async with self._busy:
            self._give_up()
            producer = Producer(
                self._cluster,
                transactional_id=self._name,
                transaction_timeout_ms=int(self._cluster.timeout * 2000),
                # Between back-to-back transactions aiokafka waits this long for the last one's end.
                retry_backoff_ms=5,
            )
            self._producer = producer
            try:
                async with self._cluster.within(f"make this process {self._name}"):
                    await producer.start()
                # Starting has ended what the last holder left open: nothing is pending any more.
                self._left, self._positions = {}, None
            except BaseException:
                self._give_up()
                raise

    async def advance(self, moves: Moves, outputs: Outputs) -> list[list[int]]:
        """Write and move in one step; return the offsets of each partition's outputs."""
        async with self._busy:
            producer = self._producer
            if producer is None:
                raise Fenced(self._name)
            asking = not outputs
            standing = await self._moved(moves, asking=asking)
            try:
                async with self._cluster.within(f"advance {self._name}"):
                    offsets = await self._transact(producer, standing, outputs)
            except BaseException as error:
                self._give_up()
                if fenced(error):
                    raise Fenced(self._name) from error
                raise
            if moves or asking:
                self._positions = standing
            self._left = {partition: at for partition, (at, to) in moves.items() if at != to}
            return offsets

    async def positions(self) -> dict[Partition, int]:
        """Return where the owner stands, whoever holds it now."""
        async with self._cluster.within(f"say where {self._name} stands"):
            while True:
                positions = moved(await self._committed(self._name))
                if all(positions.get(partition, 0) != at for partition, at in self._left.items()):
                    return positions
                # Acknowledged, but not yet to be seen: Kafka marks a commit's partitions later.
                await asyncio.sleep(PAUSE)

    async def close(self) -> None:
        """Let the name go; nobody is fenced by that."""
        async with self._busy:
            self._give_up()
        await asyncio.gather(*self._given_up)

    async def _moved(self, moves: Moves, *, asking: bool) -> dict[Partition, int]:
        """Return where all will stand; raises Fenced when it does not stand where they begin.

        Asked for at the first move: many owners never make one. Whoever commits only to ask who
        the owner is must not commit over a position that it does not know.
        """
        if self._positions is None and (moves or asking):
            self._positions = moved(await self._committed(self._name))
        stands = self._positions or {}
        if any(stands.get(partition, 0) != at for partition, (at, _) in moves.items()):
            raise Fenced(self._name)
        return stands | {partition: to for partition, (_, to) in moves.items()}

    async def _transact(
        self, producer: Producer, standing: Mapping[Partition, int], outputs: Outputs
    ) -> list[list[int]]:
        await producer.begin_transaction()
        # First: while the last transaction is still being marked, aiokafka takes up offsets again
        # after `retry_backoff_ms`, but partitions only after 20 ms.
        if commits := self._commits(standing, outputs):
            await producer.send_offsets_to_transaction(commits, self._name)
        # Awaited before the commit, which aiokafka would make also when a batch has failed.
        offsets = await together(
            write(producer, partition, records) for partition, records in outputs.items()
        )
        await producer.commit_transaction()
        return offsets

    def _commits(self, standing: Mapping[Partition, int], outputs: Outputs) -> Commits:
        """Give what to commit: all positions, because Kafka lets go of what stays for long.

        Where there are none and nothing is written, something that only asks who the owner is.
        """
        if not standing and not outputs:
            return {TopicPartition(*self._spare): (0, UNMOVED)}
        return {TopicPartition(*where): (offset, "") for where, offset in standing.items()}

    def _give_up(self) -> None:
        """Drop the producer; what it has open is aborted now, by the next claim or in time."""
        producer, self._producer = self._producer, None
        if producer is not None:
            task = asyncio.create_task(end(producer))
            self._given_up.add(task)
            task.add_done_callback(self._given_up.discard)


async def together(steps: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """Await all; when one fails, the others end with it."""
    tasks = [asyncio.ensure_future(step) for step in steps]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()


async def write(producer: Producer, partition: Partition, records: Sequence[Record]) -> list[int]:
    """Write one partition's outputs; return their offsets."""
    offsets: list[int] = []
    while len(offsets) < len(records):
        batch = producer.create_batch()
        count = fill(batch, records[len(offsets) :])
        written = await producer.send_batch(batch, partition.topic, partition=partition.number)
        base = (await written).offset
        offsets.extend(range(base, base + count))
    return offsets


async def end(producer: Producer) -> None:
    """Close `producer`, aborting its transaction if it has one that can be."""
    with suppress(Exception):
        async with Bound(1):
            await producer.abort_transaction()
    await producer.retire()


def moved(committed: Mapping[Partition, tuple[int, str]]) -> dict[Partition, int]:
    """Give the positions among what is committed."""
    return {
        partition: offset
        for partition, (offset, metadata) in committed.items()
        if metadata != UNMOVED
    }


def fenced(error: BaseException) -> bool:
    """Whether `error`, or what it came from, says that the name has another holder."""
    cause = error.__cause__
    return isinstance(error, ProducerFenced | InvalidProducerEpoch) or (
        cause is not None and fenced(cause)
    )
