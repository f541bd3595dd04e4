"""Following the log: registry first, so that counters are derived once, then all that is small."""

from bus.ends import places
from bus.port import Bus, Partition, Subscription
from schemas.topics import COUNTED, COUNTERS, HEARTBEATS, REGISTRY
from services.screens.source import Half
from services.screens.start import Start
from services.screens.views import Views

FOLLOWED = (REGISTRY, HEARTBEATS, COUNTERS)
_CHUNK = 500  # records taken in before others get their turn


class Follower:
    """Reads registry, heartbeats and counters into the views, from the beginning of the log."""

    def __init__(self, log: Bus, views: Views) -> None:
        self._log, self._views = log, views
        self.start = Start(views.read, self._halves)

    async def run(self) -> None:
        """Read for ever."""
        async with self._log.subscribe(None, FOLLOWED, self._views.read.at) as subscription:
            ends = await self.start.measure(self._log, FOLLOWED)
            first = Partition(REGISTRY.name, 0)
            while self._views.read.at(first) < ends[first]:
                await self._take(subscription, [first])
            while True:
                self.start.look()
                await self._take(subscription)

    def _halves(self) -> set[Half]:
        """Return what stats will flush; rows of any other source wait for ever."""
        stated = {(place.topic, place.number) for place in places(self._log, COUNTED)}
        return {half for half in self._views.counters.halves() if half.source in stated}

    async def _take(self, subscription: Subscription, among: list[Partition] | None = None) -> None:
        for batch in await subscription.poll(1.0, _CHUNK, among):
            if batch.lease.alive and batch.base == self._views.read.at(batch.source):
                self._views.apply(batch)
