"""A reader of whole topics that never ends, and that can be asked to have caught up."""

import asyncio
from collections.abc import Callable, Iterable, Sequence

from bus.ends import ends, places
from bus.port import Batch, Bus, Partition, Stored
from bus.turns import Turns
from schemas.errors import Unavailable
from schemas.topics import Topic

_CHUNK = 500  # records taken in before others get their turn
Take = Callable[[Stored], None]


class Tail:
    """Hands `take` every record of `topics`; `positions` say how far it has come."""

    def __init__(self, log: Bus, topics: Sequence[Topic], patience: float, take: Take) -> None:
        self._log, self._topics, self._patience, self._take = log, topics, patience, take
        self._moved = asyncio.Event()
        self.positions = dict.fromkeys(places(log, topics), 0)
        self.turns = Turns(["reading"])
        self.ends: dict[Partition, int] | None = None
        """Where the log ended when this tail began; None until it was asked."""

    @property
    def behind(self) -> bool:
        """Whether it has not yet read what was there when it began."""
        return self.ends is None or any(self.positions[p] < end for p, end in self.ends.items())

    @property
    def progress(self) -> str:
        """How many records are read, and of how many."""
        of = None if self.ends is None else sum(self.ends.values())
        return f"{sum(self.positions.values())} of {of}"

    async def follow(self) -> None:
        """Read for ever."""
        async with self._log.subscribe(None, self._topics, self.positions.__getitem__) as reading:
            self.ends = await ends(self._log, self.positions)
            self._tell()
            while True:
                self.turns.turn("reading")
                for batch in await reading.poll(1.0, _CHUNK):
                    self._apply(batch)

    async def current(self, partitions: Iterable[Partition]) -> None:
        """Return once all is taken that the log holds of these now; raises Unavailable."""
        wanted = await ends(self._log, partitions)
        try:
            async with asyncio.timeout(self._patience):
                while self.ends is None or any(self.positions[p] < wanted[p] for p in wanted):
                    await self._moved.wait()
        except TimeoutError as error:
            read = ", ".join(
                f"{p.topic}/{p.number} to {self.positions[p]} of {wanted[p]}" for p in wanted
            )
            raise Unavailable(f"the log is read only so far: {read}") from error

    def _apply(self, batch: Batch) -> None:
        if not batch.lease.alive or batch.base != self.positions[batch.source]:
            return
        for record in batch.records:
            self._take(record)
        self.positions[batch.source] = batch.next
        self._tell()

    def _tell(self) -> None:
        self._moved.set()
        self._moved = asyncio.Event()
