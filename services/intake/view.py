"""The registry as the log has it, followed from its beginning."""

from bus.port import Bus, Partition, Stored
from schemas.codec import Event, decoder
from schemas.topics import REGISTRY
from schemas.tree import Registry
from services.intake.tail import Tail

_SOURCE = Partition(REGISTRY.name, 0)


class View:
    """Follows the registry topic; `registry` is what stood at `position`."""

    def __init__(self, log: Bus, patience: float) -> None:
        self._decode = decoder(REGISTRY, 0, 1)
        self.tail = Tail(log, [REGISTRY], patience, self._take)
        self.registry = Registry()

    @property
    def position(self) -> int:
        """How far the registry is read."""
        return self.tail.positions[_SOURCE]

    async def current(self) -> None:
        """Return once everything is known that the log holds now; raises Unavailable."""
        await self.tail.current([_SOURCE])

    def _take(self, record: Stored) -> None:
        event = self._decode(record.value)
        # What is unusable here is written down as a dead letter by stats, and by nobody else.
        if isinstance(event, Event):
            self.registry.apply(event)
