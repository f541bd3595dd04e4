"""Marks: how far a view has come in each partition, and waiting until it has come further."""

import asyncio
from collections.abc import Mapping

from bus.port import Partition


class Marks:
    """The next offset of each partition; only ever forward."""

    def __init__(self, at: Mapping[Partition, int] | None = None) -> None:
        self._at: dict[Partition, int] = dict(at or {})
        self._waiting: set[tuple[Partition, int, asyncio.Future[None]]] = set()

    def at(self, source: Partition) -> int:
        """Return the offset that comes next."""
        return self._at.get(source, 0)

    def move(self, source: Partition, position: int) -> None:
        """Say that everything before a position has been taken in."""
        self._at[source] = max(position, self._at.get(source, 0))
        for entry in [e for e in self._waiting if e[0] == source and e[1] < position]:
            self._waiting.discard(entry)
            if not entry[2].done():
                entry[2].set_result(None)

    def ahead(self, other: "Marks", topic: str) -> int:
        """Return by how many offsets of a topic this has come further than another."""
        mine = [(source, at) for source, at in self._at.items() if source.topic == topic]
        return sum(max(0, at - other.at(source)) for source, at in mine)

    def reached(self, ends: Mapping[Partition, int]) -> bool:
        """Whether all these positions have been passed."""
        return all(self.at(source) >= end for source, end in ends.items())

    async def passed(self, source: Partition, offset: int, wait: float) -> bool:
        """Wait until the record at an offset was taken in, at most `wait` seconds."""
        if self.at(source) > offset:
            return True
        entry = source, offset, asyncio.get_running_loop().create_future()
        self._waiting.add(entry)
        try:
            async with asyncio.timeout(wait):
                await entry[2]
        except TimeoutError:
            return False
        finally:
            self._waiting.discard(entry)
        return True
