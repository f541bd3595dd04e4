"""How far a view lies behind the log, as the log itself says, for as long as it runs."""

import asyncio
from collections.abc import Sequence

from bus.behind import Behind
from bus.contact import Contact
from bus.ends import ends, places
from bus.port import Bus
from bus.turns import Turns
from schemas.errors import Unavailable
from schemas.topics import Topic
from services.screens.marks import Marks


class Lag:
    """Asks the log every few seconds; what it held at one look must be read by the next."""

    def __init__(self, log: Bus, topics: Sequence[Topic], marks: Marks, every: float) -> None:
        self._log, self._topics, self._marks, self._every = log, topics, marks, every
        self._behind = Behind()
        self._contact = Contact(f"screens, {topics[-1].name}")
        self.turns = Turns(["looking"])

    async def run(self) -> None:
        """Look for ever."""
        while True:
            try:
                async with asyncio.timeout(self._every):
                    self._behind.look(await ends(self._log, places(self._log, self._topics)))
                self._contact.made()
            except TimeoutError:
                self._contact.lost(f"no answer in {self._every:g} seconds")
            except Unavailable as error:
                self._contact.lost(error)
            self.turns.turn("looking")
            await asyncio.sleep(self._every)

    def records(self) -> int:
        """Return how many records there were at the last look that are not read yet."""
        return self._behind.records(self._marks.at)

    def behind(self) -> str | None:
        """Return what should have been read by now, or that the log does not say; None: nothing."""
        if (doubt := self._contact.doubt()) is not None:
            return doubt
        late = self._behind.late(self._marks.at)
        told = ", ".join(
            f"{topic}:{number} stands at {self._marks.at(place)} of {end}"
            for place, end in late.items()
            for topic, number in [place]
        )
        return f"behind the log for {self._every:g} seconds: {told}" if late else None
