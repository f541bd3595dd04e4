"""Whether the log can be reached: asked also while nobody posts, so that /readyz is true then."""

import asyncio

from bus.contact import Contact
from bus.ends import ends, places
from bus.port import Bus
from bus.turns import Turns
from schemas.errors import Unavailable
from schemas.topics import HEARTBEATS, REGISTRY, REQUESTS, RESULTS

WRITTEN = (REGISTRY, REQUESTS, RESULTS, HEARTBEATS)
"""Where posts are written to."""
EVERY = 3.0
"""Seconds between two questions."""


class Reach:
    """Asks the log again and again where it ends; a partition that cannot say takes no post."""

    def __init__(self, log: Bus, every: float = EVERY) -> None:
        self._log, self._every = log, every
        self._contact, self._turns = Contact("intake"), Turns(["looking"])

    async def run(self) -> None:
        """Ask for ever."""
        while True:
            try:
                await self._ask()
                self._contact.made()
            except Unavailable as error:
                self._contact.lost(error)
            self._turns.turn("looking")
            await asyncio.sleep(self._every)

    def doubt(self) -> str | None:
        """Return why it cannot be reached; None: it can."""
        return self._contact.doubt() or self._turns.late()

    async def _ask(self) -> None:
        log = self._log
        first, *others = places(log, WRITTEN)
        await log.highwater(first)  # alone: a log that is away is asked once, not for each
        await ends(log, others)
