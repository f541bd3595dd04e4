"""The worker: folds the source partitions it is given and publishes their rows."""

import asyncio
from collections.abc import Callable
from time import perf_counter

import structlog
from prometheus_client import CollectorRegistry

from bus.contact import Contact
from bus.port import Batch, Bus, Partition
from bus.turns import Turns
from schemas.errors import Unavailable
from schemas.topics import named
from services.stats.audit import Auditor, Report
from services.stats.drifts import Drifts
from services.stats.metrics import Metrics
from services.stats.publishing import Publishing
from services.stats.said import audited
from services.stats.source import Source
from services.stats.store import Put, Store

_log = structlog.get_logger(__name__)
Clock = Callable[[], str]


class Worker:
    """The source partitions held now, each with its ledger."""

    def __init__(self, log: Bus, store: Store, now: Clock, metrics: Metrics | None = None) -> None:
        self.log, self._store, self._now = log, store, now
        self.metrics = metrics or Metrics(CollectorRegistry())
        self.sources: dict[Partition, Source] = {}
        self._aside: dict[Partition, Source] = {}
        self._drifts = Drifts()
        self.contact, self.turns = Contact("stats"), Turns(["look"])
        self._publishing = Publishing(log, store, now, self.metrics, self.sources.values)

    def start(self, partition: Partition) -> int:
        """Take a partition that is coming; return where to read on.

        Its ledger is read beside this: a rebalance that took as long would lose its members.
        """
        source = self.sources.get(partition)
        if source is None:
            source = self.sources[partition] = self._back(partition) or self._new(partition)
            if source.counts:
                source.began = perf_counter()
                source.claiming = asyncio.create_task(self._publishing.claim(source))
                self.metrics.taken(partition)
        return source.position

    def drop(self, partition: Partition) -> None:
        """Lay a partition that goes aside: when others come or go, most come back at once."""
        source = self.sources.pop(partition, None)
        if source is not None:
            self._aside[partition] = source
            if source.claiming is not None:
                source.claiming.cancel()
        self.metrics.gone(partition)
        self._drifts.gone(partition)
        self._publishing.gone(partition)

    def settle(self) -> None:
        """Forget what did not come back."""
        self._aside.clear()

    @property
    def held(self) -> frozenset[Partition]:
        """The partitions held now that count."""
        return frozenset(source.partition for source in self._counting)

    @property
    def caught_up(self) -> bool:
        """Whether everything held may be published."""
        return bool(self.held) and not self.reading_up

    @property
    def reading_up(self) -> bool:
        """Whether something that counts is held and may not be published yet."""
        return not all(source.caught_up for source in self._counting)

    @property
    def _counting(self) -> list[Source]:
        return [source for source in self.sources.values() if source.counts]

    def positions(self) -> dict[Partition, int]:
        """Return how far each partition has come."""
        return {partition: source.position for partition, source in self.sources.items()}

    async def take(self, batch: Batch) -> bool:
        """Fold a batch. False: it does not begin where its partition stands; seek there."""
        source = self.sources.get(batch.source)
        if source is None:
            return True
        await source.read()
        async with source.still:
            if not batch.lease.alive or not self._holds(source):
                return True
            if batch.base != source.position:
                return False
            puts, letters = source.fold(batch, self._now())
        if letters:
            _log.warning("dead letters", source=source.partition, count=len(letters))
            await self.log.publish(letters)
            self.metrics.dead(batch.topic, source.flaws)
            source.flaws.clear()
        self.metrics.records.labels(batch.topic).inc(len(batch.records))
        await self._store.patient(lambda: self._save(source, batch, puts))
        return True

    async def flush(self) -> None:
        """Publish what changed in each partition."""
        await self._publishing.round(self._counting)

    async def aclose(self) -> None:
        """Publish no more, and claim nothing any more: it would come after another's claim."""
        claiming = [s.claiming for s in self.sources.values() if s.claiming is not None]
        for task in claiming:
            task.cancel()
        await asyncio.gather(*claiming, return_exceptions=True)
        await self._publishing.aclose()

    async def audit(self, auditor: Auditor) -> None:
        """Publish what a recount finds about the sources held here."""
        for report in await auditor.check():
            source = self.sources.get(report.source)
            if source is not None:
                async with self._publishing.step(source):
                    await self._tell(source, report)

    async def look(self) -> None:
        """See whether the log answers, and whether what it held at the last look has been read."""
        try:
            sources = list(self.sources.values())
            for first in sources[:1]:  # alone: a log that is away is asked once, not for each
                await self._look(first)
            await asyncio.gather(*(self._look(source) for source in sources[1:]))
            self.contact.made()
        except Unavailable as error:
            self.contact.lost(error)
        self.turns.turn("look")

    def ready(self) -> dict[str, str]:
        """Return what is not ready and why; {} when all is."""
        if not self.sources:
            return {"stats": "no partition assigned yet"}
        if (doubt := self._doubt()) is not None:
            return {"stats": doubt}
        behind = [s.partition for s in self.sources.values() if s.late or s.counts > s.caught_up]
        names = ", ".join(f"{topic}/{number}" for topic, number in sorted(behind))
        return {"stats": f"catching up on {names}"} if behind else {}

    def _doubt(self) -> str | None:
        return (
            self.contact.doubt()
            or self._store.doubt()
            or self.turns.late()
            or self._stuck()
            or self._publishing.doubt()
        )

    def _stuck(self) -> str | None:
        late = ((one.partition, one.turns.late()) for one in self._counting if one.loaded)
        told = (f"{place.topic}/{place.number}: {why}" for place, why in late if why is not None)
        return next(told, None)

    def _new(self, partition: Partition) -> Source:
        partitions = self.log.partitions(named(partition.topic))
        source = Source(partition, partitions, self._store.position(partition))
        source.loading = asyncio.create_task(self._load(source))
        return source

    def _back(self, partition: Partition) -> Source | None:
        """Return a source that was aside, if it was read, and all that it took is in the state."""
        source = self._aside.pop(partition, None)
        if source is None or source.loading is None or not source.loading.done():
            return None
        return source.back() if source.position == self._store.position(partition) else None

    async def _look(self, source: Source) -> None:
        source.late = source.position < source.end
        source.end = await self.log.highwater(source.partition)
        if self._holds(source):
            self.metrics.lag.labels(*source.partition).set(source.behind)

    async def _tell(self, source: Source, report: Report) -> None:
        if not source.caught_up or not self._holds(source):
            return
        self._drifts.notice(report)
        found = audited(report.source, report.position, self._now(), report.differences)
        await self.log.advance(source.owner, {}, [found])
        if self._holds(source):
            self.metrics.audited(report.source, drift=bool(report.differences))
            # What nobody counts any more would be shown for ever: no fact touches it again.
            source.restate(report.wrong)

    def _holds(self, source: Source) -> bool:
        """Whether it is still the one: it may have gone, or gone and come back as another."""
        return self.sources.get(source.partition) is source

    async def _save(self, source: Source, batch: Batch, puts: list[Put]) -> None:
        if self._holds(source):  # else its successor began where the state stands
            at = batch.source, batch.base, batch.next
            self._store.save(*at, puts, counts=source.counts)

    async def _load(self, source: Source) -> None:
        load = self._store.load
        source.ledger, source.dirty = await asyncio.to_thread(load, source.partition)
