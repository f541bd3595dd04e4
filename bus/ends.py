"""All partitions of some topics, and where they end."""

import asyncio
from collections.abc import Iterable

from bus.port import Bus, Partition
from schemas.topics import Topic


def places(log: Bus, topics: Iterable[Topic]) -> list[Partition]:
    """Return every partition of some topics."""
    return [Partition(topic.name, n) for topic in topics for n in range(log.partitions(topic))]


async def ends(log: Bus, places: Iterable[Partition]) -> dict[Partition, int]:
    """Ask the log for the end of each; raises Unavailable.

    All are asked at once: a log that is far away answers them in one go, and one after the other
    takes as many turns of a busy loop as there are partitions.
    """
    asked = tuple(places)
    found = await asyncio.gather(*map(log.highwater, asked))
    return dict(zip(asked, found, strict=True))
