"""The audit: recount the log from offset 0 and compare with the counters as published.

It reads the counters to their end, then the facts up to each source's last flush mark, and says
for every source which totals differ. Kept alive, it reads only what is new each time.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from bus.port import Bus, Partition, Stored, Subscription
from schemas.codec import Event, decode, decoder
from schemas.reports import CountersFlushed, CounterUpdated
from schemas.topics import COUNTERS, RESULTS, Topic
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
class _Published:
    """The rows of one source as of its last mark; `rows` since then wait in `waiting`."""

    position: int = 0
    catalogue: int = 0
    rows: dict[tuple[str, str], CounterUpdated] = field(default_factory=dict)
    waiting: list[CounterUpdated] = field(default_factory=list)

    def flush(self, mark: CountersFlushed) -> None:
        waiting, self.waiting = self.waiting, []
        if (mark.catalogue, mark.position) < (self.catalogue, self.position):
            return
        if mark.catalogue > self.catalogue:
            self.rows.clear()
        self.catalogue, self.position = mark.catalogue, mark.position
        self.rows.update({(row.node, row.day): row for row in waiting})


class Auditor:
    """Reads the log beside everybody else; see `auditing`."""

    def __init__(self, log: Bus, reader: Subscription) -> None:
        self._log, self._reader = log, reader
        self._published: dict[Partition, _Published] = {}
        self._recounts: dict[Partition, Recount] = {}
        self._read: dict[Partition, list[Stored]] = {}

    async def check(self) -> list[Report]:
        """Return a report for every source that has published; empty when none has."""
        await self._read_to_end(COUNTERS)
        await self._read_to_end(RESULTS)
        return await asyncio.to_thread(self._compare_all)

    def _compare_all(self) -> list[Report]:
        return [self._compare(*found) for found in sorted(self._published.items())]

    async def _read_to_end(self, topic: Topic) -> None:
        mine = [Partition(topic.name, n) for n in range(self._log.partitions(topic))]
        ends = {p: await self._log.highwater(p) for p in mine}
        while behind := [p for p in mine if self._at(p) < ends[p]]:
            for batch in await self._reader.poll(1.0, among=behind):
                if topic is COUNTERS:
                    for record in batch.records:
                        self._row(decode(record.value))
                else:
                    self._read.setdefault(batch.source, []).extend(batch.records)

    def _at(self, partition: Partition) -> int:
        lease = self._reader.lease(partition)
        return lease.position if lease else 0

    def _row(self, event: object) -> None:
        data = event.data if isinstance(event, Event) else None
        if not isinstance(data, CounterUpdated | CountersFlushed):
            return
        published = self._published.setdefault(Partition(data.topic, data.partition), _Published())
        if isinstance(data, CounterUpdated):
            published.waiting.append(data)
        else:
            published.flush(data)

    def _compare(self, source: Partition, published: _Published) -> Report:
        recount = self._recounts.setdefault(source, Recount())
        read = decoder(RESULTS, source.number, self._log.partitions(RESULTS))
        records = self._read.get(source, [])
        until = next(
            (n for n, r in enumerate(records) if r.offset >= published.position), len(records)
        )
        for record in records[:until]:
            if isinstance(event := read(record.value), Event):
                recount.read(event)
        self._read[source] = records[until:]
        places = recount.places()
        found = tuple(_differences(places, published.rows))
        return Report(source, published.position, len(places), found[:MOST])


def _differences(
    recounted: dict[tuple[str, str], Tally], rows: dict[tuple[str, str], CounterUpdated]
) -> Iterator[str]:
    for node, day in sorted(recounted.keys() | rows.keys()):
        tally, row = recounted.get((node, day)) or Tally(), rows.get((node, day))
        sums, sets = (row.sums, row.sets) if row else ({}, {})
        for key in sorted(tally.sums.keys() | sums.keys()):
            if tally.sums.get(key, 0) != sums.get(key, 0):
                yield f"{node} {day} {key}: {sums.get(key, 0)} shown, {tally.sums[key]} counted"
        for key in sorted(tally.sets.keys() | sets.keys()):
            counted, shown = tally.sets.get(key) or set(), set(sets.get(key, ()))
            if counted != shown:
                yield (
                    f"{node} {day} {key}: {len(shown)} shown, {len(counted)} counted, "
                    f"{len(counted ^ shown)} differ"
                )


@asynccontextmanager
async def auditing(log: Bus) -> AsyncIterator[Auditor]:
    """Open an auditor, which reads from offset 0."""
    async with log.subscribe(None, (COUNTERS, RESULTS), lambda _: 0) as reader:
        yield Auditor(log, reader)
