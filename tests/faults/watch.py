"""How far stats and matching have come, and how long they stood still, as the log itself tells.

What stats has counted is told by its flush marks, what matching has decided by `pool.advanced`.
Facts are for others to send; asks about nothing are sent from here, to every partition, so that
each always has something to decide.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from random import Random
from threading import Event as Flag
from typing import NamedTuple, Self

import bus
from bus import Batch, Bus, Partition, Record
from schemas.codec import Event, decode
from schemas.decisions import Advanced
from schemas.reports import CountersFlushed
from schemas.topics import ASSIGNMENTS, COUNTERS, REQUESTS, RESULTS
from tests.faults.beside import Beside
from tests.faults.ledger import Flow
from tests.faults.site import Site
from tests.matching.running import record
from tests.system.process import Process, until

EVERY = 2.0
"""Seconds between two asks in a partition."""
CALM = {"FLUSH_EVERY": "1.0"}
"""Settings that leave a small machine time for whatever comes and goes."""
SOURCES = (RESULTS, ASSIGNMENTS, REQUESTS)
TICK, LATE = 0.1, 1.0
"""Seconds between two looks at the clock, and how late one must be to tell on the machine."""
Dated = list[tuple[int, int]]
"""Offsets or positions, each with the milliseconds at which the log took it."""


class Still(NamedTuple):
    """For so many seconds nothing of a partition was followed, though there was something."""

    seconds: float
    source: Partition


class Watch:
    """Sees what comes in and up to where it was followed, in a thread of its own.

    `asks`: whether it asks about nothing. `back` are the sources that were told to stand before
    where they had stood already. `withheld` are times, from and to which millisecond, in which the
    machine did not even let this thread look at the clock: no pause is judged by those.
    """

    def __init__(self, log: str, *, asks: bool = True) -> None:
        self.log = log
        self.back: list[tuple[Partition, int, int]] = []
        self.withheld: list[tuple[int, int]] = []
        self._inputs: dict[Partition, Dated] = defaultdict(list)
        self._marks: dict[Partition, Dated] = defaultdict(list)
        self._hushed = Flag()
        if not asks:
            self.hush()
        self._beside = Beside(self._watch, "watch")

    def __enter__(self) -> Self:
        self._beside.__enter__()
        return self

    def __exit__(self, *wrong: object) -> None:
        self._beside.__exit__(*wrong)

    def hush(self) -> None:
        """Ask no more."""
        self._hushed.set()

    def ends(self) -> dict[Partition, int]:
        """Return the offset after the last input of each partition, as seen by now."""
        return {source: seen[-1][0] + 1 for source, seen in list(self._inputs.items())}

    def past(self, ends: dict[Partition, int]) -> bool:
        """Whether everything before these offsets was counted and decided."""
        self._beside.alive()
        return all(self.at(source) >= end for source, end in ends.items())

    def at(self, source: Partition) -> int:
        """Return up to where a partition was followed."""
        marks = self._marks.get(source)
        return marks[-1][0] if marks else 0

    def stills(self, span: tuple[float, float], *topics: str) -> list[Still]:
        """Return by partition the longest time in which nothing was followed, longest first.

        What came in within `span` counts, two moments in Unix time.
        """
        first, last = span
        found = []
        for source, inputs in self._inputs.items():
            if source.topic in topics:
                within = [one for one in inputs if first * 1000 <= one[1] < last * 1000]
                found.append(Still(still(within, self._marks[source], self.withheld), source))
        return sorted(found, reverse=True)

    async def _watch(self, stop: asyncio.Event) -> None:
        async with bus.connect(self.log) as log, asyncio.TaskGroup() as tasks:
            tasks.create_task(self._knock(log, stop))
            tasks.create_task(self._tick(stop))
            async with log.subscribe(None, [*SOURCES, COUNTERS], lambda _: 0) as reader:
                while not stop.is_set():
                    for batch in await reader.poll(1.0):
                        self._read(batch)

    async def _tick(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            due = time.time() + TICK
            await asyncio.sleep(TICK)
            if (now := time.time()) > due + LATE:
                self.withheld.append((round(due * 1000), round(now * 1000)))

    async def _knock(self, log: Bus, stop: asyncio.Event) -> None:
        number = log.partitions(REQUESTS)
        doors = [pool(partition, number) for partition in range(number)]
        serials = count()
        while not (stop.is_set() or self._hushed.is_set()):
            serial = next(serials)
            await log.publish([nothing(door, serial) for door in doors])
            await asyncio.sleep(EVERY)

    def _read(self, batch: Batch) -> None:
        if batch.topic != COUNTERS.name:
            self._inputs[batch.source] += [(one.offset, one.timestamp) for one in batch.records]
        for stored in batch.records:
            key = stored.key or b""
            if batch.topic == ASSIGNMENTS.name or key.startswith(b"flush/"):
                event = decode(stored.value)
                assert isinstance(event, Event), event
                for source, position in marked(event):
                    if position < self.at(source):
                        self.back.append((source, self.at(source), position))
                    self._marks[source].append((position, stored.timestamp))


def marked(event: Event) -> Iterator[tuple[Partition, int]]:
    """Yield which sources are followed, up to where, by what an event says."""
    match event.data:
        case CountersFlushed() as flushed:
            yield Partition(flushed.topic, flushed.partition), flushed.position
        case Advanced() as advanced:
            for name, position in advanced.positions.items():
                topic, _, number = name.partition(":")
                if topic == REQUESTS.name:
                    yield Partition(topic, int(number)), position


def gentle(site: Site, intake: Process, dice: Random, rest: float = 0.3) -> Flow:
    """Return load that does so as well; `rest` are a client's seconds between two batches."""
    return Flow(lambda: intake.url, site.key, site.bus, dice, clients=3, most=12, rest=rest)


@contextmanager
def followed(flow: Flow, watch: Watch, facts: int = 200) -> Iterator[None]:
    """Do something; return once everything is followed of the facts that came in right after it."""
    yield
    until(flow.more(facts))
    ends = watch.ends()
    until(lambda: watch.past(ends))


def still(inputs: Dated, marks: Dated, withheld: Sequence[tuple[int, int]] = ()) -> float:
    """Return the longest time in seconds in which an input waited and no mark went further.

    Times that were withheld count as if they had not been.
    """
    longest, at, since = 0, 0, 0
    waiting = iter(inputs)
    first = next(waiting, None)
    for position, moment in marks:
        if position <= at:
            continue
        if first is not None and first[0] < position:
            longest = max(longest, _lasted(max(since, first[1]), moment, withheld))
        while first is not None and first[0] < position:
            first = next(waiting, None)
        at, since = position, moment
    assert first is None, f"{first} was never followed; the last mark is {marks[-1:]}"
    return longest / 1000


def _lasted(start: int, end: int, withheld: Sequence[tuple[int, int]]) -> int:
    """Return how long a time was, without what was withheld of it."""
    lost = (min(end, until) - max(start, since) for since, until in withheld)
    return end - start - sum(part for part in lost if part > 0)


def pool(number: int, partitions: int) -> str:
    """Return a pool that nobody has heard of, whose partition is this."""
    names = (f"nowhere-{n}" for n in count())
    return next(name for name in names if REQUESTS.partition(name, partitions) == number)


def nothing(door: str, serial: int) -> Record:
    """Return an ask about a request that there is not: it is refused."""
    about = {"request_id": f"{door}.unheard-of", "actor_role": "staff"}
    return record("request.closed", f"{door}.{serial}", **about)


def times(stills: Sequence[Still]) -> str:
    """Say how long the longest and the middle one were."""
    return f"{stills[0].seconds:.1f} s at most ({stills[len(stills) // 2].seconds:.1f} s mostly)"
