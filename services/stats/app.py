"""The Faust app around a worker, and how it runs: an agent, two timers, and its life cycle."""

import asyncio
import gc
from asyncio import TaskGroup
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from datetime import datetime
from time import perf_counter
from typing import Any

import faust
from faust.contrib.asgi import faust_app_running
from faust.types import TP
from prometheus_client import CollectorRegistry

from bus.faust import AT_HAND, application, batches, inform
from bus.port import Batch, Bus, Partition
from bus.state import State
from schemas.days import SHANGHAI
from schemas.errors import Unavailable
from schemas.measures import CATALOGUE
from schemas.topics import ASSIGNMENTS, HEARTBEATS, REFERRALS, REGISTRY, REQUESTS, RESULTS
from services.stats.audit import auditing
from services.stats.dropped import Dropped
from services.stats.letters import Letters
from services.stats.metrics import Metrics
from services.stats.pace import pause, unhurried
from services.stats.settings import Settings
from services.stats.store import TABLES, Store
from services.stats.worker import Worker

LOOK_EVERY = 3.0
"""Seconds between two looks at the end of the log."""
INPUTS = (REGISTRY, REQUESTS, ASSIGNMENTS, REFERRALS, RESULTS, HEARTBEATS)
"""What others write: this group alone decodes it all and writes the dead letters."""


@asynccontextmanager
async def running(
    log: Bus,
    settings: Settings,
    tasks: TaskGroup,
    *,
    metrics: CollectorRegistry | None = None,
) -> AsyncIterator[Worker]:
    """Run stats on `log`; an error of its own ends `tasks`.

    The state file is named after the catalogue: what counts otherwise is counted anew from 0.
    """
    counts = Metrics(CollectorRegistry() if metrics is None else metrics)
    path = settings.data / f"stats-{CATALOGUE}.db"
    async with State.opening(path, TABLES, log.identity) as state:
        worker = Worker(log, Store(state), _now, counts)
        app = host(worker, settings)
        async with aclosing(worker), faust_app_running(app, stop_timeout=5.0):
            loops = (
                _watch(app),
                _quiet(worker),
                _look(worker),
                _audit(worker, settings.audit_every),
                Letters(counts.open).follow(log),
            )
            beside = [tasks.create_task(loop) for loop in loops]
            try:
                yield worker
            finally:
                for task in beside:
                    task.cancel()


class Host:
    """What Faust calls: its agent, its timers, its signals."""

    def __init__(self, worker: Worker, app: faust.App) -> None:
        self._worker, self._app = worker, app
        self._dropped = Dropped(AT_HAND + sum(worker.log.partitions(topic) for topic in INPUTS))

    async def fold(self, stream: Any) -> None:  # noqa: ANN401  # Faust's stream
        """Fold each batch; read again from where the state stands what does not fit there."""
        async for event in stream.events():
            batch: Batch = event.value
            async with _fatal(self._app):
                with self._dropped.folding():
                    fits = await self._worker.take(batch)
                if not fits:
                    await self._seek(batch.source)

    async def flush(self) -> None:
        """Publish what changed."""
        async with _fatal(self._app):
            await self._worker.flush()

    async def tend(self) -> None:
        """Read again what Faust has dropped; tell the log how far we are."""
        async with _fatal(self._app):
            for partition, position in self._worker.positions().items():
                read = await self._app.consumer.position(TP(*partition))
                if self._dropped.lost(partition, position, read):
                    await self._seek(partition)
            with suppress(Unavailable):
                await inform(self._app, self._worker.positions())

    async def revoked(self, _app: Any, /, *sent: Any, **_: Any) -> None:  # noqa: ANN401  # Faust's
        """Let partitions go."""
        partitions: set[TP] = sent[0]
        for tp in partitions:
            self._worker.drop(Partition(*tp))

    async def assigned(self, _app: Any, /, *_sent: Any, **_: Any) -> None:  # noqa: ANN401  # Faust's
        """Forget those that went for good."""
        self._worker.settle()

    async def _seek(self, partition: Partition) -> None:
        source = self._worker.sources.get(partition)
        if source is not None:
            await self._app.consumer.seek(TP(*partition), source.position)


def host(worker: Worker, settings: Settings) -> faust.App:
    """Return the Faust app around a worker."""
    app = application(settings.group, worker.log, worker.start)
    calls = Host(worker, app)
    app.agent(batches(app, *(topic.name for topic in INPUTS)), name="fold")(calls.fold)
    app.timer(settings.flush_every)(calls.flush)
    app.timer(1.0)(calls.tend)
    app.on_partitions_revoked.connect(calls.revoked)
    app.on_partitions_assigned.connect(calls.assigned)
    return app


@asynccontextmanager
async def _fatal(app: faust.App) -> AsyncIterator[None]:
    """Crash the app on any error: Faust's own restart of an agent acks, skips and can stall."""
    try:
        yield
    except Exception as error:
        await app.crash(error)
        raise


async def _watch(app: faust.App) -> None:
    """Raise what crashed the app: by itself a crash would end nothing around it."""
    while not app.crashed:  # noqa: ASYNC110  # Faust's event for it is private
        await asyncio.sleep(0.2)
    raise app.crash_reason or RuntimeError("Faust has crashed")


async def _quiet(worker: Worker) -> None:
    """Keep the garbage collector away while the log is read for the first time.

    It would look through millions of slots again and again and find nothing: off meanwhile, it
    leaves the fold a third faster. What was read then is frozen: it stays.
    """
    while not worker.sources:  # noqa: ASYNC110  # a state of many parts, not an event
        await asyncio.sleep(0.1)
    gc.disable()
    try:
        while worker.reading_up:  # noqa: ASYNC110  # as above
            await asyncio.sleep(0.1)
        gc.freeze()
    finally:
        gc.enable()


async def _look(worker: Worker) -> None:
    """Keep /readyz true."""
    while True:
        await asyncio.sleep(LOOK_EVERY)
        await worker.look()


async def _audit(worker: Worker, every: float) -> None:
    """Recount the log beside the fold again and again: from 0 when other partitions are held.

    What takes long is done more rarely, so that it never takes more than a small part of the time;
    and it begins late, because after a hand-over others may still be catching up.
    """
    while True:
        held = worker.held
        await asyncio.sleep(every)
        if not worker.caught_up or held != worker.held:
            continue
        with suppress(Unavailable):  # a log that is away while a reader is opened
            async with auditing(worker.log, held, unhurried()) as auditor:
                while held == worker.held:
                    began = perf_counter()
                    with suppress(Unavailable):
                        await worker.audit(auditor)
                    await _rest(worker, held, pause(every, perf_counter() - began))


async def _rest(worker: Worker, held: frozenset[Partition], seconds: float) -> None:
    """Wait for so long, but no longer than these partitions are held."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while held == worker.held:  # noqa: ASYNC110  # as above
                await asyncio.sleep(1)


def _now() -> str:
    return datetime.now(SHANGHAI).isoformat(timespec="milliseconds")
