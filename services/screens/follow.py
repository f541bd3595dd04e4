"""Following the log: registry first, so that counters are derived once, then all that is small."""

from bus.port import Batch, Bus, Partition, Subscription
from schemas.topics import COUNTERS, HEARTBEATS, REGISTRY
from services.screens.views import Views

_TOPICS = (REGISTRY, HEARTBEATS, COUNTERS)
_CHUNK = 500  # records taken in before others get their turn


class Follower:
    """Reads registry, heartbeats and counters into the views, from the beginning of the log."""

    def __init__(self, log: Bus, views: Views) -> None:
        self._log, self._views = log, views
        self._ends: dict[Partition, int] | None = None

    def behind(self) -> str | None:
        """Return what is still to be read of what the log held at start; None: nothing."""
        if self._ends is None:
            return "the log was not read yet"
        left = sum(max(0, e - self._views.read.at(p)) for p, e in self._ends.items())
        return f"{left} records are still to be read" if left else None

    async def run(self) -> None:
        """Read for ever."""
        async with self._log.subscribe(None, _TOPICS, self._views.read.at) as subscription:
            places = [Partition(t.name, n) for t in _TOPICS for n in range(self._log.partitions(t))]
            ends = {place: await self._log.highwater(place) for place in places}
            first = Partition(REGISTRY.name, 0)
            while self._views.read.at(first) < ends[first]:
                await self._take(subscription, [first])
            self._ends = ends
            while True:
                await self._take(subscription)

    async def _take(self, subscription: Subscription, among: list[Partition] | None = None) -> None:
        for batch in await subscription.poll(1.0, _CHUNK, among):
            if _next(batch, self._views.read.at(batch.source)):
                self._views.apply(batch)


def _next(batch: Batch, position: int) -> bool:
    return batch.lease.alive and batch.base == position
