"""The worker: holds the partitions it is given and reads for them."""

import asyncio
from asyncio import Task, TaskGroup
from collections.abc import Callable, Mapping

import structlog

from bus.contact import Contact
from bus.port import Batch, Partition, Subscription
from bus.turns import Turns
from schemas.errors import Unavailable
from schemas.topics import ASSIGNMENTS, REFERRALS, REGISTRY, REQUESTS
from services.matching.means import Means
from services.matching.source import Source
from services.matching.stock import PLACE

BESIDE = (REGISTRY, REFERRALS, ASSIGNMENTS)
"""What is read of the partitions held, whoever of the group reads their requests."""
GRACE = 2.0
"""Seconds that partitions which go have to write what they are deciding."""
LOOK_EVERY = 3.0
"""Seconds between two looks at whether the log answers."""
_LIMIT = 4000
_PAUSE = 0.1  # seconds until partitions that have come meanwhile are read as well

_log = structlog.get_logger(__name__)
Wanted = Callable[[], Mapping[Partition, int]]


class Worker:
    """The partitions held now; what goes wrong with one of them ends `tasks`."""

    def __init__(self, means: Means, tasks: TaskGroup) -> None:
        self.means, self._tasks = means, tasks
        self.sources: dict[int, Source] = {}
        self._running: dict[int, Task[None]] = {}
        self.contact, self.turns = Contact("matching"), Turns(["hear", "read", "look"])

    def start(self, partition: Partition) -> int:
        """Return where to read a partition that is coming; known for sure once it is taken over."""
        source = self.sources.get(partition.number)
        return source.decided(partition) if source else 0

    async def assigned(self, partitions: frozenset[Partition]) -> None:
        """Hold these; what was held before may still be ours."""
        numbers = {partition.number for partition in partitions}
        self.sources = {n: self.sources.get(n) or Source(n, self.means) for n in sorted(numbers)}
        self._running = {
            n: self._tasks.create_task(source.run(), name=f"matching-{n}")
            for n, source in self.sources.items()
        }

    async def revoked(self, partitions: frozenset[Partition]) -> None:
        """Stop deciding; what is under way may be written, or another will do it."""
        del partitions
        running, self._running = self._running, {}
        for number, task in running.items():
            self.sources[number].stop()
            if not self.sources[number].leads:
                task.cancel()
        if running:
            _, late = await asyncio.wait(running.values(), timeout=GRACE)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def overdue(self) -> float:
        """Return for how many seconds what the clock alone should do has waited."""
        dues = [source.due for source in self.sources.values() if source.due is not None]
        return max((self.means.clock() - min(dues)).total_seconds(), 0.0) if dues else 0.0

    def behind(self) -> int:
        """Return how many asks and referrals of what is held are not decided yet."""
        return sum(source.behind() for source in self.sources.values())

    async def hear(self, subscription: Subscription) -> None:
        """Read requests for ever."""
        await self._follow("hear", subscription, lambda: self._wanted(REQUESTS.name))

    async def read(self, subscription: Subscription) -> None:
        """Read for ever what else concerns the partitions held."""

        def wanted() -> Mapping[Partition, int]:
            mine = self._wanted(REFERRALS.name) | self._wanted(ASSIGNMENTS.name)
            return {PLACE: self.means.stock.position, **mine}

        await self._follow("read", subscription, wanted)

    async def look(self) -> None:
        """Keep /readyz true."""
        while True:
            try:
                await self._ask()
                self.contact.made()
            except Unavailable as error:
                self.contact.lost(error)
            self.turns.turn("look")
            await asyncio.sleep(LOOK_EVERY)

    async def _ask(self) -> None:
        """Ask where the registry ends, and all topics of what is held; or Unavailable."""
        await self.means.log.highwater(PLACE)  # alone: a log that is away is asked once
        await asyncio.gather(*(source.look() for source in self.sources.values()))

    def ready(self) -> dict[str, str]:
        """Return what is not ready and why; {} when all is."""
        if not self.sources:
            return {"matching": "no partition assigned yet"}
        if (doubt := self.contact.doubt() or self.turns.late()) is not None:
            return {"matching": doubt}
        doubts = [why for source in self.sources.values() if (why := source.late()) is not None]
        return {"matching": ", ".join(doubts)} if doubts else {}

    def _wanted(self, topic: str) -> dict[Partition, int]:
        return {
            place: at
            for source in self.sources.values()
            for place, at in source.inbox.wanted().items()
            if place.topic == topic
        }

    async def _put(self, batch: Batch) -> None:
        if batch.source == PLACE:
            if await self.means.stock.take(batch):
                for source in self.sources.values():
                    source.inbox.ring()
        elif batch.partition in self.sources:
            self.sources[batch.partition].inbox.put(batch)

    async def _follow(self, loop: str, subscription: Subscription, wanted: Wanted) -> None:
        """Read each partition from where it is wanted next, wherever the subscription stands."""
        while True:
            self.turns.turn(loop)
            places = wanted()
            for place, at in places.items():
                lease = subscription.lease(place)
                if lease is not None and lease.position != at:
                    subscription.seek(place, at)
            try:
                for batch in await subscription.poll(_PAUSE, _LIMIT, places):
                    await self._put(batch)
            except Unavailable as error:
                _log.warning("the log cannot be read", reason=str(error))
                await asyncio.sleep(1.0)
