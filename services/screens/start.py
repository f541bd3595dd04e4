"""The start of a view: what the log held when it began, which must be read before it answers."""

import asyncio
from collections.abc import Callable, Mapping, Sequence

from bus.ends import ends, places
from bus.port import Bus, Partition
from bus.turns import Turns
from schemas.problems import Refusal
from schemas.topics import Topic
from services.screens.marks import Marks
from services.screens.patience import Patience
from services.screens.source import Half


class Start:
    """Numbers that are still being read must not look like numbers.

    Nor must those of `halves`, sources of which rows are there without their flush mark: whoever
    wrote them was cut off, and what they replace may be compacted away.
    """

    def __init__(self, marks: Marks, halves: Callable[[], set[Half]] = set) -> None:
        self._marks, self._halves = marks, halves
        self._half: set[Half] | None = None
        self._ends: Mapping[Partition, int] | None = None
        self._read = asyncio.Event()
        self.turns = Turns(["reading"])

    async def measure(self, log: Bus, topics: Sequence[Topic]) -> Mapping[Partition, int]:
        """Ask the log how much there is to be read; return the end of every partition."""
        self._ends = await ends(log, places(log, topics))
        return self._ends

    def look(self) -> None:
        """See whether it has been read; whoever reads does so at each turn."""
        self.turns.turn("reading")
        if self._read.is_set() or self._ends is None or not self._marks.reached(self._ends):
            return
        # Those that began a flush since are waited for by nobody: on a busy log some always have.
        half = self._halves()
        self._half = half if self._half is None else self._half & half
        if not self._half:
            self._read.set()

    def behind(self) -> str | None:
        """Return what is still to be read; None: nothing."""
        if self._read.is_set():
            return None
        if self._ends is None:
            return "the log was not read yet"
        if self._half:
            topic, number = min(self._half).source
            return f"rows of {topic}/{number} are there, and their flush mark is not"
        left = sum(max(0, end - self._marks.at(place)) for place, end in self._ends.items())
        return f"{left} records are still to be read"

    async def over(self, patience: Patience) -> None:
        """Wait until it has been read; raises a 503 once patience is at its end."""
        if self._read.is_set():
            return
        try:
            async with patience.waiting():
                await self._read.wait()
        except TimeoutError as error:
            raise Refusal(503, "starting", f"not ready to answer: {self.behind()}") from error
