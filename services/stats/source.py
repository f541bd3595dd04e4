"""One source partition while this worker holds it: its ledger, and what is still to be published.

A worker publishes only what it has claimed, and only once it has caught up with the end that the
log had *after* the claim: before, a newer row of its predecessor may stand there already.
"""

import asyncio
from asyncio import Lock, Task
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace

from bus.fences import Fences
from bus.port import Batch, Bus, Partition, Record
from bus.turns import Turns
from schemas.codec import Event, Flaw, decoder
from schemas.errors import Fenced
from schemas.fields import Stated
from schemas.slots import Verdict
from schemas.topics import COUNTED, named
from services.stats.fold import Ledger, Place
from services.stats.said import letter, mark, rows
from services.stats.store import Put, Store

AT_ONCE = 5_000
"""The most records of one transaction; the mark is in the last, and readers wait for the mark."""
ON_END = 500
"""Places whose rows are made without a rest: whoever made a million would miss its heartbeats."""


@dataclass(slots=True)
class Source:
    """A source partition's ledger at `position`; `dirty` tells when unpublished places changed.

    Until `loading` is done the ledger is still being read, until `claiming` is done the first claim
    is under way. `until` is how far it must have read to publish, None before it is claimed; `end`
    is where the log ended when it was asked last. `flaws` counts by rule what could not be used,
    until it is told; `began` is when the partition came, on the process's clock, None once it has
    caught up. `busy` is held by whoever publishes, `still` while the ledger must stay as it is;
    `flushing` is the newest flush, `turns` tells when one got any further, and there is no other
    until `rests`, on the loop's clock. It is not `sure` of itself when it has gone and come back:
    another may have published meanwhile.
    """

    partition: Partition
    partitions: int
    position: int
    loading: Task[None] | None = None
    claiming: Task[None] | None = None
    ledger: Ledger = field(default_factory=Ledger)
    dirty: dict[Place, int] = field(default_factory=dict)
    until: int | None = None
    published: int = -1
    end: int = 0
    late: bool = False
    flaws: Counter[str] = field(default_factory=Counter)
    began: float | None = None
    busy: Lock = field(default_factory=Lock)
    still: Lock = field(default_factory=Lock)
    flushing: Task[None] | None = None
    rests: float = 0.0
    turns: Turns = field(default_factory=lambda: Turns(["flush"]))
    sure: bool = True
    fences: Fences = field(default_factory=Fences)

    @property
    def owner(self) -> str:
        """The name under which this partition's rows are published."""
        return f"stats-{self.partition.topic}-{self.partition.number}"

    @property
    def counts(self) -> bool:
        """Whether rows come from it; the other topics are read only for what cannot be used."""
        return named(self.partition.topic) in COUNTED

    @property
    def caught_up(self) -> bool:
        """Whether it may publish."""
        return self.loaded and self.sure and self.until is not None and self.position >= self.until

    @property
    def loaded(self) -> bool:
        """Whether its ledger is there."""
        return self.loading is None or self.loading.done()

    @property
    def due(self) -> bool:
        """Whether there is something to publish, and it may be."""
        return self.caught_up and self.position != self.published

    @property
    def behind(self) -> int:
        """How many records the log held when it was asked last that are not folded yet."""
        return max(0, self.end - self.position)

    async def read(self) -> None:
        """Wait until its ledger is there."""
        if self.loading is not None:
            await self.loading

    def fold(self, batch: Batch, now: str) -> tuple[list[Put], list[Record]]:
        """Take a batch in; return the slots that stand anew, and dead letters for the rest."""
        read = decoder(named(batch.topic), batch.partition, self.partitions)
        puts: list[Put] = []
        letters: list[Record] = []
        for record in batch.records:
            event = read(record.value)
            flaw = self._judge(event, batch.next, puts) if isinstance(event, Event) else event
            if flaw is not None:
                self.flaws[flaw.rule] += 1
                letters.append(letter(self.partition, record.offset, record.value, flaw, now))
        self.position = batch.next
        return puts, letters

    def back(self) -> "Source":
        """Return what goes on after it has gone: a step still under way is the old one's."""
        fresh = replace(self, dirty=dict(self.dirty), busy=Lock(), turns=Turns(["flush"]))
        fresh.claiming = fresh.flushing = None
        fresh.sure = False
        return fresh

    async def claim(self, log: Bus) -> None:
        """Fence whoever published before, and learn how far to read before publishing.

        One that has come back asks first: mostly nobody else had it.
        """
        if self.until is None or not (self.sure or await self._ours(log)):
            self.until = None  # cut off half way, the end of an older claim must not stay
            await log.claim(self.owner)
            self.until = await log.highwater(self.partition)
        self.sure = True

    async def _ours(self, log: Bus) -> bool:
        try:
            await log.advance(self.owner, {}, [])
        except Fenced:
            return False
        return True

    async def flush(self, log: Bus, store: Store, now: Callable[[], str]) -> None:
        """Publish the rows that changed and a mark, if anything moved; raises Fenced."""
        if not self.due:
            return
        async with self.still:
            position, places = self.position, list(self.dirty)
            records = await self._rows(position, places, now())
        for start in range(0, len(records), AT_ONCE):
            await log.advance(self.owner, {}, records[start : start + AT_ONCE])
            self.turns.turn("flush")
        # The fold goes on during the commit: what changed again since stays to be published.
        for place in places:
            if self.dirty[place] <= position:
                del self.dirty[place]
        self.published = position
        await store.patient(lambda: self._note(store, position))

    def restate(self, places: Collection[Place]) -> None:
        """Let these places go out anew, as the ledger has them: something else is shown there."""
        if not places:
            return
        self.dirty.update(dict.fromkeys(places, self.position))
        self.published = -1

    async def _note(self, store: Store, position: int) -> None:
        store.published(self.partition, position)

    async def _rows(self, position: int, places: list[Place], now: str) -> list[Record]:
        cells, found = self.ledger.cells, list[Record]()
        for start in range(0, len(places), ON_END):
            for place in places[start : start + ON_END]:
                found += rows(self.partition, position, place, cells.get(place), now)
            await asyncio.sleep(0)
            self.turns.turn("flush")
        return [*found, mark(self.partition, position, now)]

    def _judge(self, event: Event, until: int, puts: list[Put]) -> Flaw | None:
        if not isinstance(event.data, Stated):
            return None
        found, places = self.ledger.apply(event)
        if found is Verdict.STANDS:
            puts.append(Put(event.subject, self.ledger.subjects[event.subject][-1]))
            self.dirty.update(dict.fromkeys(places, until))
        if found is Verdict.CONFLICT:
            detail = f"revision {event.data.revision} stands already with other content"
            return Flaw("conflict", "data.revision", detail)
        return None
