"""aiokafka's producer, and how records become its batches."""

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from aiokafka import AIOKafkaProducer

from bus.kafka.bound import Bound
from bus.kafka.cluster import Cluster
from bus.port import Record
from schemas.errors import TooLarge
from schemas.topics import MAX_RECORD

HEADERS = [("content-type", b"application/cloudevents+json")]

BATCH = 1_000_000
"""Bytes in one batch; with a record's framing it stays below the topics' max.message.bytes."""

PARTING = 1.0
"""Seconds that a producer gets to deliver what nobody waits for any more."""


class Producer(AIOKafkaProducer):  # type: ignore[misc]  # aiokafka comes without types
    """An idempotent producer that can also be given up."""

    def __init__(self, cluster: Cluster, **options: Any) -> None:  # noqa: ANN401  # aiokafka's own
        super().__init__(
            **cluster.options,
            acks="all",
            enable_idempotence=True,
            linger_ms=0,
            max_batch_size=BATCH,
            **options,
        )

    async def retire(self, patience: float = PARTING) -> None:
        """Deliver what is under way and stop; what takes too long is given up."""
        try:
            async with Bound(patience):
                await self.flush()
                await self.stop()
        except Exception:  # noqa: BLE001 - however it failed, it shall be closed
            await self.abandon()
        outcome = self._txn_manager.wait_for_transaction_end()
        if outcome is not None and outcome.done():
            outcome.exception()  # asked for, so that nobody complains that it was not

    async def abandon(self) -> None:
        """Close at once.

        An idempotent batch never expires: aiokafka's `stop` would wait until the brokers take it,
        and nothing public ends that.
        """
        self._closed = True
        for close in (self._sender.close, self.client.close):
            with suppress(Exception):
                async with Bound(PARTING):
                    await close()


def check(records: Iterable[Record]) -> None:
    """Raise TooLarge for a record that its topic will not take."""
    for record in records:
        size = len(record.key) + len(record.value or b"")
        if size > MAX_RECORD:
            raise TooLarge(size, MAX_RECORD)


def fill(batch: Any, records: Iterable[Record]) -> int:  # noqa: ANN401  # aiokafka's BatchBuilder
    """Append `records` until the batch is full; return how many went in."""
    count = 0
    for record in records:
        value = record.value
        if batch.append(timestamp=None, key=record.key, value=value, headers=HEADERS) is None:
            break
        count += 1
    return count
