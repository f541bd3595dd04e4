"""The audit: recount the log from offset 0 and compare with the counters as published.

It reads the counters to their end, then what they are made of up to each source's last flush mark,
and says for every source which totals differ. Kept alive, it reads only what is new each time.
Nothing of what it reads is kept but what it counts, and nothing is computed in the event loop.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from bus.ends import ends, places
from bus.port import Batch, Bus, Partition, Stored, Subscription
from schemas.codec import Event, decode, decoder
from schemas.reports import CountersFlushed, CounterUpdated
from schemas.topics import COUNTED, COUNTERS, named
from services.stats.pace import hurried
from services.stats.published import Published
from services.stats.recount import Place, Recount, Tally

MOST = 20
"""The most differences that one report names; there may be more."""
WRONG = 10_000
"""The most places that one report names."""
_CHUNK = 200  # records read at a time; the log reads them in the event loop


@dataclass(frozen=True, slots=True)
class Report:
    """What a recount of one source up to `position` found; no differences: it agrees.

    `places` is how many were counted; `wrong` are those where something differs.
    """

    source: Partition
    position: int
    places: int
    differences: tuple[str, ...]
    wrong: tuple[Place, ...] = ()


@dataclass(slots=True)
class _Source:
    """A source: what it shows, what it states, and what was found when both were as `seen`."""

    shown: Published = field(default_factory=Published)
    recount: Recount = field(default_factory=Recount)
    seen: tuple[int, int] | None = None
    found: Report | None = None


class Auditor:
    """Reads the log beside everybody else; see `auditing`."""

    def __init__(
        self,
        log: Bus,
        reader: Subscription,
        only: Collection[Partition] | None,
        pace: Callable[[], None],
    ) -> None:
        self._log, self._reader, self._pace = log, reader, pace
        every = set(places(log, COUNTED))
        self._counted = every if only is None else every & set(only)
        self._sources: dict[Partition, _Source] = {}

    async def check(self) -> list[Report]:
        """Return a report for every source that has published; empty when none has."""
        async for batch in self._news(await ends(self._log, places(self._log, [COUNTERS]))):
            await asyncio.to_thread(self._take_rows, batch.records)
        found = await ends(self._log, self._held)
        told = {source: self._sources[source].shown.version[1] for source in found}
        async for batch in self._news(
            {source: min(told[source], found[source]) for source in found}
        ):
            await asyncio.to_thread(self._take_facts, batch)
        return [await asyncio.to_thread(self._compare, source) for source in self._held]

    @property
    def _held(self) -> list[Partition]:
        return sorted(self._sources)

    async def _news(self, until: Mapping[Partition, int]) -> AsyncIterator[Batch]:
        """Yield what has come since the last check, and what lies behind an end the next time."""
        while behind := [place for place, end in until.items() if self._at(place) < end]:
            for batch in await self._reader.poll(1.0, _CHUNK, among=behind):
                end = until[batch.source]
                yield replace(batch, records=[r for r in batch.records if r.offset < end])
                if batch.next > end:
                    self._reader.seek(batch.source, end)

    def _at(self, partition: Partition) -> int:
        lease = self._reader.lease(partition)
        return lease.position if lease else 0

    def _take_rows(self, records: Sequence[Stored]) -> None:
        for record in records:
            self._pace()
            event = decode(record.value)
            data = event.data if isinstance(event, Event) else None
            if isinstance(data, CounterUpdated | CountersFlushed):
                self._row(data)

    def _row(self, data: CounterUpdated | CountersFlushed) -> None:
        source = Partition(data.topic, data.partition)
        if source not in self._counted:
            return
        shown = self._sources.setdefault(source, _Source()).shown
        if isinstance(data, CounterUpdated):
            shown.keep_back(data)
        else:
            shown.flush(data)

    def _take_facts(self, batch: Batch) -> None:
        topic, recount = named(batch.topic), self._sources[batch.source].recount
        read = decoder(topic, batch.partition, self._log.partitions(topic))
        for record in batch.records:
            self._pace()
            if isinstance(event := read(record.value), Event):
                recount.read(event)

    def _compare(self, source: Partition) -> Report:
        """Add everything up, unless nothing has come since that was done."""
        held = self._sources[source]
        now = held.shown.version[1], held.shown.changes
        if held.found is None or held.seen != now:
            held.seen, held.found = now, self._compared(source, held)
        return held.found

    def _compared(self, source: Partition, held: _Source) -> Report:
        found: list[str] = []
        wrong: list[Place] = []
        counted: set[Place] = set()
        for place, tally in held.recount.tallies(self._pace):
            counted.add(place)
            _note(place, _differences(place, tally, held.shown.at(place)), found, wrong)
        for place in sorted(held.shown.places - counted):
            self._pace()
            _note(place, _differences(place, Tally(), held.shown.at(place)), found, wrong)
        until = held.shown.version[1]
        return Report(source, until, len(counted), tuple(found[:MOST]), tuple(wrong[:WRONG]))


def _note(place: Place, differ: Iterator[str], found: list[str], wrong: list[Place]) -> None:
    before = len(found)
    found.extend(differ)
    if len(found) > before:
        wrong.append(place)
        del found[MOST:]


def _differences(place: Place, here: Tally, there: Tally) -> Iterator[str]:
    """Yield a sentence for every total that differs."""
    name = " ".join(place)
    for key in sorted(here.sums.keys() | there.sums.keys()):
        if here.sums[key] != there.sums[key]:
            yield f"{name} {key}: {there.sums[key]} shown, {here.sums[key]} counted"
    for key in sorted(here.sets.keys() | there.sets.keys()):
        if differ := here.sets[key] ^ there.sets[key]:
            yield (
                f"{name} {key}: {len(there.sets[key])} shown, {len(here.sets[key])} counted, "
                f"{len(differ)} differ"
            )


@asynccontextmanager
async def auditing(
    log: Bus, only: Collection[Partition] | None = None, pace: Callable[[], None] = hurried
) -> AsyncIterator[Auditor]:
    """Open an auditor of all sources, or only of some; it reads from offset 0.

    `pace` is called after every bit of work, in the thread that does it.
    """
    async with log.subscribe(None, (COUNTERS, *COUNTED), lambda _: 0) as reader:
        yield Auditor(log, reader, only, pace)
