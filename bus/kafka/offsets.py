"""The offsets that are committed for a group, errors and all."""

import asyncio
from typing import Any

from aiokafka import errors
from aiokafka.client import AIOKafkaClient, CoordinationType
from aiokafka.protocol.commit import OffsetFetchRequest

from bus.kafka.cluster import Cluster
from bus.port import Partition

PAUSE = 0.05
"""Seconds before a coordinator that is loading or moving is asked again."""


class Offsets:
    """Asks the brokers themselves.

    aiokafka's own calls take the answer of a coordinator that is still loading for "nothing
    committed": an owner would believe that it has never moved.
    """

    def __init__(self, cluster: Cluster, client: AIOKafkaClient) -> None:
        self._cluster, self._client = cluster, client

    async def committed(self, group: str) -> dict[Partition, tuple[int, str]]:
        """Return the offset and metadata of each partition that `group` has committed."""
        async with self._cluster.within(f"say where {group} stands"):
            while True:
                try:
                    return await self._ask(group)
                except errors.KafkaError as error:
                    if not error.retriable:
                        raise
                await asyncio.sleep(PAUSE)

    async def _ask(self, group: str) -> dict[Partition, tuple[int, str]]:
        node = await self._client.coordinator_lookup(CoordinationType.GROUP, group)
        answer = await self._client.send(node, OffsetFetchRequest(group, None))
        accept(answer.error_code)
        return dict(entries(answer))


def entries(answer: Any) -> Any:  # noqa: ANN401  # aiokafka comes without types
    """Give what one answer holds for each partition."""
    for topic, partitions in answer.topics:
        for number, offset, metadata, code in partitions:
            accept(code)
            if offset >= 0:
                yield Partition(topic, number), (offset, metadata)


def accept(code: int) -> None:
    """Raise the error that `code` stands for, if any."""
    error = errors.for_code(code)
    if error is not errors.NoError:
        raise error
