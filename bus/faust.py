"""A Faust transport over the log: the same Faust app runs on SQLite and on Kafka.

One Faust event is one Batch. Faust keeps no books of acks and gaps (topics of `batches` have
acks=False): the state of whoever folds the batches holds the position, and its check of
`batch.base` makes anything that Faust drops or repeats harmless. Only abstract methods of Faust's
transport are filled in; three private names are touched, `_read_offset`, `_update_channels` and
`_create_directories`, each with its reason beside it.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from typing import Any

import faust
from faust.tables.manager import TableManager
from faust.transport import base
from faust.types import TP, ConsumerMessage

from bus.port import Batch, Bus, Partition, Start, Subscription
from schemas.topics import named

AT_HAND = 8
"""Batches that wait to be folded, besides those of one poll."""


class Consumer(base.Consumer):
    """Faust's consumer: reads one subscription of the log."""

    transport: "Transport"

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  # Faust's own
        super().__init__(*args, **kwargs)
        self._held = AsyncExitStack()
        self._subscription: Subscription | None = None
        # Faust drops what lies below `_read_offset`, and a drain loop that waited on a full queue
        # overwrites it after a seek back: a hole for ever. Leases order the reads already.
        self._read_offset = _Nothing()

    async def revoked(self, partitions: frozenset[Partition]) -> None:
        """Hear of it from the log, and tell Faust."""
        self.app.on_rebalance_start()
        await self.on_partitions_revoked({TP(*partition) for partition in partitions})

    async def assigned(self, partitions: frozenset[Partition]) -> None:
        """Hear of it from the log, and tell Faust."""
        generation = self.app.consumer_generation_id = (self.app.consumer_generation_id or 0) + 1
        await self.on_partitions_assigned({TP(*partition) for partition in partitions}, generation)

    async def subscribe(self, topics: Iterable[str]) -> None:
        """Join the group; Faust asks again when its topics change, which ours never do."""
        if self._subscription is None:
            self._subscription = await self._held.enter_async_context(
                self.transport.log.subscribe(
                    self.app.conf.id, [named(topic) for topic in topics], self.transport.start, self
                )
            )

    async def _getmany(
        self,
        active_partitions: set[TP] | None,
        timeout: float,
    ) -> dict[TP, list[Batch]]:
        if self._subscription is None or not self.flow_active:
            await asyncio.sleep(0)
            return {}
        among = [Partition(*tp) for tp in active_partitions or ()]
        batches = await self._subscription.poll(timeout, self.transport.limit, among)
        found = defaultdict[TP, list[Batch]](list)
        for batch in batches:
            found[TP(*batch.source)].append(batch)
        return found

    def _to_message(self, tp: TP, record: Batch) -> ConsumerMessage:
        written = record.records[-1].timestamp / 1000 if record.records else 0.0
        value: Any = record
        return ConsumerMessage(
            record.topic, record.partition, record.next - 1, written, 0, None, None, value,
            None, 0, 0, tp, generation_id=self.app.consumer_generation_id,
        )  # fmt: skip

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Seek nothing: the log asked `start` for every position when it assigned it."""
        return {tp: self.transport.start(Partition(*tp)) for tp in self.assignment()}

    async def _seek(self, partition: TP, offset: int) -> None:
        if self._subscription is not None:
            self._subscription.seek(Partition(*partition), offset)

    async def seek_wait(self, partitions: Mapping[TP, int]) -> None:
        """Seek each partition."""
        for tp, offset in partitions.items():
            await self._seek(tp, offset)

    async def seek_to_beginning(self, *partitions: TP) -> None:
        """Seek each partition to offset 0."""
        await self.seek_wait(dict.fromkeys(partitions, 0))

    def on_buffer_full(self, tp: TP) -> None:
        """Read on in all partitions: who reads faster than is folded waits at the channel.

        Faust would leave this one out until the channel is nearly empty; while others are read, it
        may not be so for long.
        """

    async def inform(self, positions: Mapping[Partition, int]) -> None:
        """Tell the log how far the caller's state has come, for lag displays."""
        if self._subscription is not None:
            await self._subscription.commit(positions)

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        await self.inform({Partition(*tp): to for tp, to in offsets.items()})
        return True

    async def on_stop(self) -> None:
        """Leave the group."""
        await super().on_stop()
        await self._held.aclose()

    def assignment(self) -> set[TP]:
        """Return what is held now."""
        return {TP(*p) for p in self._subscription.assignment} if self._subscription else set()

    def highwater(self, tp: TP) -> int:
        """Return 0: lag is told by the group's commits, not by Faust."""
        return 0

    async def highwaters(self, *partitions: TP) -> dict[TP, int]:
        """Return the end of each partition."""
        return {tp: await self.transport.log.highwater(Partition(*tp)) for tp in partitions}

    async def earliest_offsets(self, *partitions: TP) -> dict[TP, int]:
        """Return 0: facts are kept for ever."""
        return dict.fromkeys(partitions, 0)

    async def position(self, tp: TP) -> int | None:
        """Return what is read next."""
        lease = self._subscription and self._subscription.lease(Partition(*tp))
        return lease.position if lease else None

    def topic_partitions(self, topic: str) -> int | None:
        """Return how many partitions a topic has."""
        return self.transport.log.partitions(named(topic))

    def key_partition(self, topic: str, key: bytes | None, partition: int | None = None) -> int:
        """Return the partition as it was given: routes are the port's."""
        return partition or 0

    def _new_topicpartition(self, topic: str, partition: int) -> TP:
        return TP(topic, partition)

    async def create_topic(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  # Faust's own
        """Create nothing: topics are made with the log."""


class Producer(base.Producer):
    """Sends nothing: what is published goes through the port. Faust starts one all the same."""

    async def flush(self) -> None:
        """Have nothing to wait for."""


class Transport(base.Transport):
    """Faust's way to a log. `start` gives the position in the caller's state."""

    Consumer = Consumer
    Producer = Producer
    driver_version = "yizhan"

    def __init__(self, app: faust.App, log: Bus, start: Start, limit: int = 4000) -> None:
        super().__init__([], app)
        self.log, self.start, self.limit = log, start, limit


class _Nothing(dict[Any, Any]):
    def __getitem__(self, key: object) -> None:
        return None


class _Batches(faust.Schema[None, Batch]):
    """A value is a Batch already."""

    def loads_key(self, app: object, message: object, **kwargs: object) -> None:
        return None

    def loads_value(self, app: object, message: Any, **kwargs: object) -> Any:  # noqa: ANN401
        return message.value


class _Tables(TableManager):
    """There are none; the stock one waits a second for them before it subscribes."""

    async def on_start(self) -> None:
        await self._update_channels()
        await self.recovery.start()


class _App(faust.App):
    def _create_directories(self) -> None:
        """Make none: the stock one needs three for its tables, where the process was started."""


def application(group: str, log: Bus, start: Start) -> faust.App:
    """Return a Faust app that reads `log` as `group`, from where `start` says."""
    app = _App(
        group,
        broker="yizhan://",
        store="memory://",
        TableManager=_Tables,
        topic_disable_leader=True,
        topic_allow_declare=False,
        web_enabled=False,
        stream_wait_empty=False,
    )
    app.transport = app.producer_transport = Transport(app, log, start)
    return app


def batches(app: faust.App, *topics: str) -> Any:  # noqa: ANN401  # Faust's channel type
    """Return the Faust channel of these topics whose events are Batches."""
    return app.topic(*topics, schema=_Batches(), acks=False, maxsize=AT_HAND)


async def inform(app: faust.App, positions: Mapping[Partition, int]) -> None:
    """Tell the log how far the state of `app` has come, for lag displays."""
    consumer: Any = app.consumer
    await consumer.inform(positions)
