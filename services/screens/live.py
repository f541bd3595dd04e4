"""Live documents: computed once per node and tick, however many follow it."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import uuid4

from bus.gate import Gate
from bus.turns import Turns
from schemas.days import business_day
from services.screens.channel import Channel, Client
from services.screens.patience import Patience
from services.screens.settings import Settings
from services.screens.stamps import instant
from services.screens.start import Start
from services.screens.views import Views
from services.screens.wall import Wall, hour_of

Clock = Callable[[], float]
"""Seconds since 1970."""
_LOOK = 1.0  # seconds between two looks for what only time changes


class Live:
    """All channels that are followed, or were a moment ago."""

    def __init__(
        self, views: Views, wall: Wall, settings: Settings, requests: Start, clock: Clock
    ) -> None:
        self._views, self._wall, self._settings, self._clock = views, wall, settings, clock
        self._requests = requests
        self.turns = Turns(["live"])
        self._channels: dict[tuple[str, bool], Channel] = {}
        self._gate = Gate(settings.live_clients, "clients follow live documents")

    async def begun(self, patience: Patience) -> None:
        """Wait until the requests that documents count are read; raises a 503 after a while."""
        await self._requests.over(patience)

    @contextmanager
    def follow(self, node: str, last_id: str | None, *, whole: bool) -> Iterator[Client]:
        """Yield a client of a node's channel: of all there is, or of what anybody may see.

        Raises a 503 when there are too many.
        """
        with self._gate.entered():
            channel = self._channel(node, whole=whole)
            client = channel.join(last_id, self._settings.live_queue)
            try:
                yield client
            finally:
                channel.clients.discard(client)
                channel.left = time.monotonic()

    def followers(self) -> int:
        """Return how many clients there are."""
        return self._gate.inside

    def end(self) -> None:
        """Send every client away: they come back to whoever runs next."""
        for channel in self._channels.values():
            for client in channel.clients:
                client.drop()

    async def run(self) -> None:
        """Keep the channels up to date for ever."""
        before: object = None
        while True:
            await self._views.touched.wait(_LOOK)
            began = time.monotonic()
            now = self._now()
            self._wall.ripen(now)
            touched = self._views.touched.take()
            seen = (business_day(instant(now)), hour_of(now), self._views.pulse.audible(now))
            await self._advance(None if seen != before else self._above(touched, now), now)
            before = seen
            self.turns.turn("live")
            await asyncio.sleep(max(0.0, began + self._settings.live_every - time.monotonic()))

    def _above(self, touched: frozenset[str] | None, now: int) -> frozenset[str] | None:
        """Add all that lie above what was touched today: they show it, whatever day it is of."""
        if touched is None:
            return None
        path, day = self._views.chronicle.registry.path, business_day(instant(now))
        return touched.union(*(path(node, day) for node in touched))

    async def _advance(self, touched: frozenset[str] | None, now: int) -> None:
        for (node, whole), channel in tuple(self._channels.items()):
            if not channel.clients and self._lingered(channel):
                del self._channels[node, whole]
            elif touched is None or node in touched:
                channel.advance(self._wall.document(node, now, whole=whole))
                await asyncio.sleep(0)  # hundreds of walls must not keep the loop to themselves

    def _channel(self, node: str, *, whole: bool) -> Channel:
        channel = self._channels.get((node, whole))
        if channel is None:
            document = self._wall.document(node, self._now(), whole=whole)
            channel = self._channels[node, whole] = Channel(
                uuid4().hex[:12], document, self._settings.live_ring
            )
        return channel

    def _lingered(self, channel: Channel) -> bool:
        return time.monotonic() - channel.left > self._settings.live_linger

    def _now(self) -> int:
        return int(self._clock() * 1000)
