"""The disk of one stats worker without files: what the real Store keeps, with its syncs.

What moves together is one entry of a journal; losing power loses its youngest entries, never an
older one before a younger.
"""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from random import Random
from typing import NamedTuple

from bus.port import Partition
from services.stats.fold import Ledger, Place
from services.stats.store import Put


class Saved(NamedTuple):
    """What a batch changed, and where its partition stands after it."""

    source: Partition
    to: int
    puts: tuple[Put, ...]


class Published(NamedTuple):
    """Up to where a partition's rows are out."""

    source: Partition
    position: int


class Shelf:
    """A journal that outlives its process."""

    def __init__(self, dice: Random) -> None:
        self._dice = dice
        self._journal: list[Saved | Published] = []
        self._positions: dict[Partition, int] = {}

    @contextmanager
    def opened(self) -> Iterator["Shelf"]:
        """Give the store of one life."""
        yield self

    def cut(self) -> None:
        """Lose power: some of what was written last was never synced."""
        del self._journal[max(0, len(self._journal) - self._dice.randint(0, 5)) :]
        self._positions = {e.source: e.to for e in self._journal if isinstance(e, Saved)}

    def wipe(self) -> None:
        """Lose the file."""
        self._journal.clear()
        self._positions.clear()

    def position(self, source: Partition) -> int:
        return self._positions.get(source, 0)

    def load(self, source: Partition) -> tuple[Ledger, dict[Place, int]]:
        ledger, dirty = Ledger(), dict[Place, int]()
        marks = [e for e in self._journal if isinstance(e, Published) and e.source == source]
        published = marks[-1].position if marks else 0
        for entry in self._journal:
            if isinstance(entry, Saved) and entry.source == source:
                for subject, slot in entry.puts:
                    places = ledger.put(subject, slot)
                    if entry.to > published:
                        dirty.update(dict.fromkeys(places, entry.to))
        return ledger, dirty

    def save(
        self,
        source: Partition,
        base: int,
        to: int,
        puts: Sequence[Put],
        *,
        counts: bool = True,  # noqa: ARG002  # nothing is merged here
    ) -> None:
        # Nobody else writes here: where a real state would be Fenced, the worker has lost its way.
        assert self.position(source) == base, (
            f"base: {source} stands at {self.position(source)}, not {base}"
        )
        self._journal.append(Saved(source, to, tuple(puts)))
        self._positions[source] = to

    def published(self, source: Partition, position: int) -> None:
        self._journal.append(Published(source, position))

    async def patient(self, write: Callable[[], Awaitable[None]]) -> None:
        await write()  # its disk is never full

    def doubt(self) -> None:
        """Nobody waits for it."""
