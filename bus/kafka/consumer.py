"""aiokafka's consumer, and how it gets its partitions."""

import asyncio
import math
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from bus.kafka.cluster import Cluster
from bus.kafka.leases import Leases
from bus.kafka.member import Member
from bus.kafka.sharing import Sharing
from bus.port import Listener, Partition, Start


class Consumer(AIOKafkaConsumer):  # type: ignore[misc]  # aiokafka comes without types
    """A consumer that tells what went wrong beside its reads, and can always be stopped."""

    def check(self) -> None:
        """Raise what aiokafka has met in the background since the last check.

        By itself it tells only who fetches, and goes no further until it has told: a member that
        holds nothing, and so fetches nothing, would stay out of its group for ever.
        """
        self._coordinator.check_errors()
        fetching: asyncio.Task[None] = self._fetcher.error_future
        if fetching.done() and not fetching.cancelled():
            fetching.result()

    async def stop(self) -> None:
        """Leave the group and close, also while no broker answers.

        A fetch that is being retried lets its cancellation escape from aiokafka's own `stop`, which
        then leaves its connections open.
        """
        try:
            await super().stop()
        except asyncio.CancelledError:
            await self._client.close()
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise


@asynccontextmanager
async def consuming(cluster: Cluster, group: str | None = None) -> AsyncIterator[Consumer]:
    """Start a consumer that reads what is committed and keeps no position of its own."""
    consumer = Consumer(
        **cluster.options,
        **membership(group),
        isolation_level="read_committed",
        enable_auto_commit=False,
        # A position outside the log is an error, never a jump.
        auto_offset_reset="none",
        fetch_max_wait_ms=50,
        fetch_max_bytes=4 << 20,
        max_partition_fetch_bytes=1 << 20,
    )
    try:
        async with cluster.within("be read"):
            await consumer.start()
        yield consumer
    finally:
        await consumer.stop()


def membership(group: str | None) -> dict[str, Any]:
    """Give what makes a consumer a member of `group`."""
    if group is None:
        return {}
    return {
        "group_id": group,
        "session_timeout_ms": 6000,
        "heartbeat_interval_ms": 500,
        # Who holds nothing, or is still taking over, does not fetch: after this long it would leave
        # the group, and never join again. That its loops go round is watched elsewhere (Turns).
        "max_poll_interval_ms": math.inf,
        "partition_assignment_strategy": (Sharing.own(),),
    }


@asynccontextmanager
async def joined(
    consumer: Consumer,
    group: str | None,
    partitions: Collection[Partition],
    start: Start,
    listener: Listener | None,
) -> AsyncIterator[Member]:
    """Take a share of `partitions` as a member of `group`, or all of them."""
    member = Member(group, Leases(consumer), start, listener)
    if group is not None:
        consumer.subscribe(list({topic for topic, _ in partitions}), listener=member)
    else:
        places = [TopicPartition(*partition) for partition in partitions]
        consumer.assign(places)
        member.on_partitions_assigned(places)
    try:
        yield member
    finally:
        await member.leave()
