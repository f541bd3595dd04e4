"""The worker: folds the source partitions it is given and publishes their rows."""

import asyncio
from collections.abc import Callable

import structlog

from bus.port import Batch, Bus, Partition
from schemas.errors import Fenced, Unavailable
from schemas.topics import named
from services.stats.audit import Auditor
from services.stats.rows import audited
from services.stats.source import Source
from services.stats.store import Store

_log = structlog.get_logger(__name__)
Clock = Callable[[], str]


class Worker:
    """The source partitions held now, each with its ledger."""

    def __init__(self, log: Bus, store: Store, now: Clock) -> None:
        self.log, self._store, self._now = log, store, now
        self.sources: dict[Partition, Source] = {}

    def start(self, partition: Partition) -> int:
        """Read the ledger of a partition that is coming; return where to read on."""
        if partition not in self.sources:
            ledger, dirty = self._store.load(partition)
            self.sources[partition] = Source(
                partition,
                self.log.partitions(named(partition.topic)),
                ledger,
                self._store.position(partition),
                dirty,
            )
        return self.sources[partition].position

    def drop(self, partition: Partition) -> None:
        """Forget a partition that goes."""
        self.sources.pop(partition, None)

    def positions(self) -> dict[Partition, int]:
        """Return how far each partition has come."""
        return {partition: source.position for partition, source in self.sources.items()}

    async def take(self, batch: Batch) -> bool:
        """Fold a batch. False: it does not begin where its partition stands; seek there."""
        source = self.sources.get(batch.source)
        if source is None or not batch.lease.alive:
            return True
        if batch.base != source.position:
            return False
        puts, letters = source.fold(batch, self._now())
        if letters:
            _log.warning("dead letters", source=source.partition, count=len(letters))
            await self.log.publish(letters)
        self._store.save(batch.source, batch.base, batch.next, puts)
        return True

    async def flush(self) -> None:
        """Publish what changed in each partition; several commits go on side by side."""
        counting = [source for source in self.sources.values() if source.counts]
        await asyncio.gather(*(self._flush(source) for source in counting))

    async def _flush(self, source: Source) -> None:
        try:
            if source.until is None:
                await source.claim(self.log)
            await source.flush(self.log, self._store, self._now)
        except Unavailable as error:
            source.until = None
            _log.warning("counters not published", source=source.partition, reason=str(error))
        except Fenced:
            # Handed over while its rows were on their way: then its new worker publishes them.
            if self.sources.get(source.partition) is source:
                raise

    async def audit(self, auditor: Auditor) -> None:
        """Publish what a recount finds about the sources held here."""
        for report in await auditor.check():
            source = self.sources.get(report.source)
            if source is None or not source.caught_up:
                continue
            if report.differences:
                _log.error("counters drift", source=report.source, found=report.differences)
            found = audited(report.source, report.position, self._now(), report.differences)
            await self.log.advance(source.owner, {}, [found])

    def ready(self) -> dict[str, str]:
        """Return what is not ready and why; {} when all is."""
        if not self.sources:
            return {"stats": "no partition assigned yet"}
        counting = (source for source in self.sources.values() if source.counts)
        behind = [str(source.partition.number) for source in counting if not source.caught_up]
        return {"stats": f"catching up on partitions {', '.join(behind)}"} if behind else {}
