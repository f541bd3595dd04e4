"""The audit: recount the log from offset 0 and compare with the counters as published.

It reads the counters to their end, then what they are made of up to each source's last flush mark,
and says for every source which totals differ. Kept alive, it reads only what is new each time.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from operator import itemgetter

from bus.port import Batch, Bus, Partition, Stored, Subscription
from schemas.codec import Event, decode, decoder
from schemas.reports import CountersFlushed, CounterUpdated
from schemas.topics import COUNTED, COUNTERS, Topic, named
from services.stats.recount import Recount, Tally

MOST = 20
"""The most differences that one report names; there may be more."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a recount of one source up to `position` found; no differences: it agrees."""

    source: Partition
    position: int
    places: int
    differences: tuple[str, ...]


@dataclass(slots=True)
class _Shown:
    """What one source shows as of its last mark; rows since then wait.

    A row that came late, of an older version, changes nothing, and the parts of a row that are
    not of its part 0's position do not belong to it.
    """

    version: tuple[int, int] = (0, 0)
    rows: dict[tuple[str, str, int], CounterUpdated] = field(default_factory=dict)
    waiting: list[CounterUpdated] = field(default_factory=list)

    def flush(self, mark: CountersFlushed) -> None:
        if mark.catalogue > self.version[0]:
            self.rows.clear()
        self.version = max(self.version, (mark.catalogue, mark.position))
        for row in self.waiting:
            at = row.node, row.day, row.part
            old = self.rows.get(at)
            if old is None or old.position <= row.position:
                self.rows[at] = row
        self.waiting.clear()

    def places(self) -> dict[tuple[str, str], Tally]:
        shown: dict[tuple[str, str], Tally] = {}
        for (node, day, part), row in self.rows.items():
            first = self.rows.get((node, day, 0))
            if first and row.position == first.position and part < first.parts:
                tally = shown.setdefault((node, day), Tally())
                tally.sums.update(row.sums)
                for key, members in row.sets.items():
                    tally.sets[key].update(members)
        return shown


class Auditor:
    """Reads the log beside everybody else; see `auditing`."""

    def __init__(self, log: Bus, reader: Subscription, only: Collection[Partition] | None) -> None:
        self._log, self._reader, self._only = log, reader, only
        self._shown: dict[Partition, _Shown] = {}
        self._recounts: dict[Partition, Recount] = {}
        self._read: dict[Partition, list[Stored]] = {}

    async def check(self) -> list[Report]:
        """Return a report for every source that has published; empty when none has."""
        async for batch in self._news([COUNTERS]):
            for record in batch.records:
                self._row(decode(record.value))
        async for batch in self._news(COUNTED):
            self._read.setdefault(batch.source, []).extend(batch.records)
        return await asyncio.to_thread(self._compare_all)

    async def _news(self, topics: Iterable[Topic]) -> AsyncIterator[Batch]:
        """Yield what these topics have got since the last check."""
        partitions = [Partition(t.name, n) for t in topics for n in range(self._log.partitions(t))]
        mine = [p for p in partitions if p.topic == COUNTERS.name or self._wanted(p)]
        ends = {p: await self._log.highwater(p) for p in mine}
        while behind := [p for p in mine if self._at(p) < ends[p]]:
            for batch in await self._reader.poll(1.0, among=behind):
                yield batch

    def _wanted(self, source: Partition) -> bool:
        return self._only is None or source in self._only

    def _at(self, partition: Partition) -> int:
        lease = self._reader.lease(partition)
        return lease.position if lease else 0

    def _row(self, event: object) -> None:
        data = event.data if isinstance(event, Event) else None
        if not isinstance(data, CounterUpdated | CountersFlushed):
            return
        source = Partition(data.topic, data.partition)
        if not self._wanted(source):
            return
        shown = self._shown.setdefault(source, _Shown())
        if isinstance(data, CounterUpdated):
            shown.waiting.append(data)
        else:
            shown.flush(data)

    def _compare_all(self) -> list[Report]:
        return [self._compare(*found) for found in sorted(self._shown.items(), key=itemgetter(0))]

    def _compare(self, source: Partition, shown: _Shown) -> Report:
        recount, until = self._recounts.setdefault(source, Recount()), shown.version[1]
        topic = named(source.topic)
        read = decoder(topic, source.number, self._log.partitions(topic))
        records = self._read.get(source, [])
        for record in records:
            if record.offset < until and isinstance(event := read(record.value), Event):
                recount.read(event)
        self._read[source] = [record for record in records if record.offset >= until]
        places = recount.places()
        found = tuple(_differences(places, shown.places()))
        return Report(source, until, len(places), found[:MOST])


Places = Mapping[tuple[str, str], Tally]


def _differences(counted: Places, shown: Places) -> Iterator[str]:
    """Yield a sentence for every total that differs."""
    for place in sorted(counted.keys() | shown.keys()):
        here, there = counted.get(place) or Tally(), shown.get(place) or Tally()
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
async def auditing(log: Bus, only: Collection[Partition] | None = None) -> AsyncIterator[Auditor]:
    """Open an auditor of all sources, or only of some; it reads from offset 0."""
    async with log.subscribe(None, (COUNTERS, *COUNTED), lambda _: 0) as reader:
        yield Auditor(log, reader, only)
