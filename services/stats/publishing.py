"""What changed in each partition goes out, also after a log that was away and hand-overs."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from time import perf_counter

import structlog

from bus import fences
from bus.port import Bus, Partition
from schemas.errors import Fenced, Unavailable
from services.stats.flushes import Flushes
from services.stats.metrics import Metrics
from services.stats.source import AT_ONCE, Source
from services.stats.store import Store

SPARING, LONGEST = 2, 1.0
"""How many times longer than a flush took there is none of that partition; its most seconds."""
_log = structlog.get_logger(__name__)


class Publishing:
    """Publishes partitions that `held` tells of, and nothing of one that has gone meanwhile."""

    def __init__(
        self,
        log: Bus,
        store: Store,
        now: Callable[[], str],
        metrics: Metrics,
        held: Callable[[], Collection[Source]],
    ) -> None:
        self._log, self._store, self._now, self._metrics = log, store, now, metrics
        self._held = held
        self._refused: dict[Partition, str] = {}
        self._flushes, self._large = Flushes(self._flush), asyncio.Lock()

    async def round(self, sources: Collection[Source]) -> None:
        """Publish what changed in each of these."""
        await self._flushes.round(sources)

    async def aclose(self) -> None:
        """Publish no more."""
        await self._flushes.aclose()

    async def claim(self, source: Source) -> None:
        """Claim it as soon as it comes: others go on publishing meanwhile."""
        async with self.step(source):
            if not source.fences.resting:
                await source.claim(self._log)

    def gone(self, partition: Partition) -> None:
        """Forget what was wrong with a partition that has gone."""
        self._refused.pop(partition, None)

    def doubt(self) -> str | None:
        """Return which partition could not be published and why, if there is one."""
        if not self._refused:
            return None
        place, why = next(iter(self._refused.items()))
        return f"counters of {place.topic}/{place.number} not published: {why}"

    @asynccontextmanager
    async def step(self, source: Source) -> AsyncIterator[None]:
        """Outlive a log that is away, and a hand-over while rows are on their way.

        One at a time: a step that may have failed takes the claim with it, and whoever had waited
        to make another one would find that the owner is somebody else.
        """
        try:
            async with source.busy:
                yield
        except Unavailable as error:
            source.until = None
            if self._holds(source):
                self._refused[source.partition] = str(error)
            _log.warning("counters not published", source=source.partition, reason=str(error))
        except Fenced as error:
            if self._holds(source):
                self._fenced(source, error)

    async def _flush(self, source: Source) -> None:
        if source.claiming is not None:
            if not source.claiming.done() or source.claiming.cancelled():
                return
            source.claiming.result()
            source.claiming = None
        await source.read()
        source.turns.turn("flush")
        if len(source.dirty) <= AT_ONCE:
            await self._publish(source)
        elif not self._large.locked():
            # Many rows, as after a replay, are held in memory for one partition at a time.
            async with self._large:
                await self._publish(source)

    async def _publish(self, source: Source) -> None:
        async with self.step(source):
            if self._holds(source) and not source.fences.resting:
                await source.claim(self._log)
                if source.due and source.rests <= asyncio.get_running_loop().time():
                    await self._write(source)
                # Also when nothing was due: that it could be claimed shows that the log is back.
                self._refused.pop(source.partition, None)
                if source.caught_up and source.began is not None:
                    self._taken(source, perf_counter() - source.began)

    async def _write(self, source: Source) -> None:
        """Flush, then rest: a log that is busy is not asked as often as one that is not."""
        clock = asyncio.get_running_loop().time
        began = clock()
        with self._metrics.flush.time():
            await source.flush(self._log, self._store, self._now)
        ended = clock()
        source.rests = ended + min(SPARING * (ended - began), LONGEST)

    def _taken(self, source: Source, seconds: float) -> None:
        source.began = None
        self._metrics.catch_up.observe(seconds)
        held = self._held()
        if self._holds(source) and all(other.began is None for other in held):
            counting = sum(other.counts for other in held)
            _log.info("taken over", partitions=counting, seconds=round(seconds, 3))

    def _fenced(self, source: Source, error: Fenced) -> None:
        """Leave the owner alone for a moment; raise what fenced it if that happens too often."""
        source.until = None
        if not source.fences.borne():
            raise error
        self._refused[source.partition] = str(error)
        _log.warning("fenced", source=source.partition, rest=fences.REST)

    def _holds(self, source: Source) -> bool:
        return any(other is source for other in self._held())
