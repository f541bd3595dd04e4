"""Where several partitions end."""

import asyncio
from collections.abc import Iterable

from bus.port import Bus, Partition


async def ends(log: Bus, places: Iterable[Partition]) -> dict[Partition, int]:
    """Ask the log for the end of each; raises Unavailable.

    All are asked at once: a log that is far away answers them in one go, and one after the other
    takes as many turns of a busy loop as there are partitions.
    """
    asked = tuple(places)
    found = await asyncio.gather(*map(log.highwater, asked))
    return dict(zip(asked, found, strict=True))
