"""The topics as the brokers have them: how many partitions, how long they are kept."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from bus.kafka.cluster import Cluster
from bus.port import Partition
from schemas.errors import Mismatch, Unusable
from schemas.topics import ASSIGNMENTS, MAX_RECORD, REFERRALS, REQUESTS, TOPICS, Kept, Topic

PARTITIONS = 12
"""Partitions of a spread topic, unless the log was made with or is asked for another number."""

TOGETHER = (REQUESTS, ASSIGNMENTS, REFERRALS)
"""Topics whose partition p belongs to the same pools."""

DAY = 86_400_000
EXISTS = 36
PAUSE = 0.02
"""Seconds between two looks at topics that are being made."""

CLEANUP = {Kept.COMPACTED: "compact", Kept.COMPACTED_WEEK: "compact,delete"}

Counts = Mapping[str, int]
"""Topic name -> number of partitions."""


def settings(kept: Kept, brokers: int) -> dict[str, str]:
    """Give a topic's configuration."""
    return {
        "message.timestamp.type": "LogAppendTime",
        "max.message.bytes": str(MAX_RECORD + 48_576),
        "min.insync.replicas": str(min(2, brokers)),
        "cleanup.policy": CLEANUP.get(kept, "delete"),
        "retention.ms": str(-1 if kept.days is None else kept.days * DAY),
        "retention.bytes": "-1",
    }


def check(topics: Iterable[Topic], counts: Counts, asked: int | None) -> None:
    """Raise Mismatch when one of `topics` is there with another number of partitions."""
    for topic in topics:
        there = counts.get(topic.name)
        wanted = asked if topic.spread else 1
        if there is not None and wanted is not None and there != wanted:
            raise Mismatch(
                f"{topic.name} was made with {there} partitions, not {wanted}: "
                "that never changes, make another log and replay into it"
            )
    numbers = {topic.name: counts[topic.name] for topic in TOGETHER if topic.name in counts}
    if len(set(numbers.values())) > 1:
        told = ", ".join(f"{name} has {number}" for name, number in numbers.items())
        raise Mismatch(f"requests, assignments and referrals must share their partitions: {told}")


def spread(counts: Counts, asked: int | None) -> int:
    """Give the number of partitions of a new spread topic: as asked, or as its fellows have."""
    fellows = (counts[topic.name] for topic in TOPICS if topic.spread and topic.name in counts)
    return asked or next(fellows, PARTITIONS)


class Topics:
    """The topics of one Kafka as they were last seen; `asked` is how many partitions they need."""

    def __init__(self, cluster: Cluster, admin: AIOKafkaAdminClient, asked: int | None) -> None:
        self._cluster, self._admin, self._asked = cluster, admin, asked
        self._counts: dict[str, int] = {}

    def count(self, topic: Topic) -> int:
        """Return how many partitions `topic` has; Unusable when it is not there."""
        if topic.name not in self._counts:
            raise Unusable(f"the log has no topic {topic.name}: `yizhan topics create` makes it")
        return self._counts[topic.name]

    def any(self) -> Partition:
        """Return some partition that is there."""
        ours = (name for name in self._counts if not name.startswith("__"))
        return Partition(next(ours, "__consumer_offsets"), 0)

    async def refresh(self) -> None:
        """Ask the brokers; raise Mismatch when they do not have the partitions asked for."""
        described = await self._described()
        self._counts = {topic["topic"]: len(topic["partitions"]) for topic in described}
        check(TOPICS, self._counts, self._asked)

    async def create(self, topics: Sequence[Topic]) -> None:
        """Make those of `topics` that are missing; raise Mismatch when others do not fit."""
        await self.refresh()
        check(topics, self._counts, self._asked)
        missing = [topic for topic in topics if topic.name not in self._counts]
        if missing:
            async with self._cluster.within("make topics"):
                await self._make(missing, spread(self._counts, self._asked))
                await self._ready(missing)
            await self.refresh()
            check(topics, self._counts, self._asked)

    async def _make(self, topics: Sequence[Topic], number: int) -> None:
        brokers = len((await self._admin.describe_cluster())["brokers"])
        wanted = [
            NewTopic(
                topic.name,
                number if topic.spread else 1,
                min(3, brokers),
                topic_configs=settings(topic.kept, brokers),
            )
            for topic in topics
        ]
        answer = await self._admin.create_topics(wanted)
        for name, code, reason in answer.topic_errors:
            if code not in (0, EXISTS):
                raise Unusable(f"Kafka at {self._cluster.servers} cannot make {name}: {reason}")

    async def _ready(self, topics: Sequence[Topic]) -> None:
        """Wait until the brokers know the new topics' leaders."""
        names = {topic.name for topic in topics}
        while names:
            await asyncio.sleep(PAUSE)
            names -= {topic["topic"] for topic in await self._described() if led(topic)}

    async def _described(self) -> list[dict[str, Any]]:
        async with self._cluster.within("list its topics"):
            return list(await self._admin.describe_topics())


def led(topic: dict[str, Any]) -> bool:
    """Whether every partition of a described topic has a leader."""
    partitions = topic["partitions"]
    return bool(partitions) and all(partition["leader"] >= 0 for partition in partitions)
