"""Marks: how far a view has come in each partition, and waiting until it has come further."""

import asyncio
from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Mapping
from itertools import count
from operator import itemgetter

from bus.port import Partition
from services.screens.patience import Patience

_Waiting = tuple[int, int, asyncio.Future[None]]
_OFFSET, _PLACE = itemgetter(0), itemgetter(0, 1)


class Marks:
    """The next offset of each partition; only ever forward."""

    def __init__(self, at: Mapping[Partition, int] | None = None) -> None:
        self._at: dict[Partition, int] = dict(at or {})
        # In the order in which they are woken, so that a move costs only what it wakes.
        self._waiting: defaultdict[Partition, list[_Waiting]] = defaultdict(list)
        self._serials = count()

    def at(self, source: Partition) -> int:
        """Return the offset that comes next."""
        return self._at.get(source, 0)

    def move(self, source: Partition, position: int) -> None:
        """Say that everything before a position has been taken in."""
        self._at[source] = max(position, self._at.get(source, 0))
        waiting = self._waiting[source]
        passed = bisect_left(waiting, position, key=_OFFSET)
        for _, _, future in waiting[:passed]:
            if not future.done():
                future.set_result(None)
        del waiting[:passed]

    def ahead(self, other: "Marks", topic: str) -> int:
        """Return by how many offsets of a topic this has come further than another."""
        mine = [(source, at) for source, at in self._at.items() if source.topic == topic]
        return sum(max(0, at - other.at(source)) for source, at in mine)

    def reached(self, ends: Mapping[Partition, int]) -> bool:
        """Whether all these positions have been passed."""
        return all(self.at(source) >= end for source, end in ends.items())

    async def passed(self, source: Partition, offset: int, patience: Patience) -> bool:
        """Wait until the record at an offset was taken in, if patience lasts that long."""
        if self.at(source) > offset:
            return True
        try:
            async with patience.waiting():
                await self._passing(source, offset)
        except TimeoutError:
            return False
        return True

    async def _passing(self, source: Partition, offset: int) -> None:
        entry = offset, next(self._serials), asyncio.get_running_loop().create_future()
        waiting = self._waiting[source]
        insort(waiting, entry)
        try:
            await entry[2]
        finally:
            place = bisect_left(waiting, entry[:2], key=_PLACE)
            if waiting[place : place + 1] == [entry]:
                del waiting[place]
