"""What the tests of a running stats share: waiting for it, and reading what it published."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bus.port import Bus, Partition, Stored
from schemas.codec import Event, decode
from schemas.topics import COUNTERS, DEAD_LETTERS, Topic
from services.stats import Settings
from services.stats.worker import Worker

SOON = 30.0


def settings(folder: Path, **more: Any) -> Settings:
    return Settings(data=folder, flush_every=0.02, **more)


async def until(true: Callable[[], bool]) -> None:
    """Wait for a condition; TimeoutError when it never comes."""
    async with asyncio.timeout(SOON):
        while not true():  # noqa: ASYNC110  # conditions of many parts have no event
            await asyncio.sleep(0.01)


async def published(log: Bus, worker: Worker, topics: Sequence[Topic]) -> None:
    """Wait until a worker has read these topics to their end and published what they count."""
    ends = {
        partition: await log.highwater(partition)
        for topic in topics
        for number in range(log.partitions(topic))
        for partition in [Partition(topic.name, number)]
    }
    await until(lambda: all(_done(worker, partition, end) for partition, end in ends.items()))


def _done(worker: Worker, partition: Partition, end: int) -> bool:
    source = worker.sources.get(partition)
    if source is None or source.position < end:
        return False
    return not source.counts or source.published >= end


async def everything(log: Bus, topic: Topic) -> list[tuple[Partition, Stored]]:
    """Read a topic from 0 to its end."""
    found: list[tuple[Partition, Stored]] = []
    partitions = [Partition(topic.name, n) for n in range(log.partitions(topic))]
    ends = {partition: await log.highwater(partition) for partition in partitions}
    async with log.subscribe(None, [topic], lambda _: 0) as reader:
        at = dict.fromkeys(partitions, 0)
        while any(at[p] < ends[p] for p in partitions):
            for batch in await reader.poll(1.0):
                at[batch.source] = batch.next
                found += [(batch.source, stored) for stored in batch.records]
    return found


async def events(log: Bus, topic: Topic) -> list[Event]:
    """Read a topic's events from 0 to its end."""
    read = [decode(stored.value) for _, stored in await everything(log, topic)]
    return [event for event in read if isinstance(event, Event)]


async def letters(log: Bus) -> dict[str, list[Event]]:
    """Return the dead letters by origin."""
    found: dict[str, list[Event]] = {}
    for letter in await events(log, DEAD_LETTERS):
        found.setdefault(letter.subject, []).append(letter)
    return found


async def totals(log: Bus) -> Mapping[tuple[str, str], int]:
    """Return what the newest rows add up to, by (node, measure); sets count their members."""
    rows: dict[tuple[Any, ...], Any] = {}
    for event in await events(log, COUNTERS):
        if event.kind.name == "yizhan.counter.updated":
            row = event.data
            rows[row.topic, row.partition, row.node, row.day, row.part] = row
    for at, row in list(rows.items()):
        first = rows[(*at[:4], 0)]
        if row.position != first.position or row.part >= first.parts:
            del rows[at]
    found: dict[tuple[str, str], int] = {}
    members: dict[tuple[str, str], set[str]] = {}
    for row in rows.values():
        for key, amount in row.sums.items():
            found[row.node, key] = found.get((row.node, key), 0) + amount
        for key, ids in row.sets.items():
            members.setdefault((row.node, key), set()).update(ids)
    return found | {place: len(ids) for place, ids in members.items()}
