"""Matching put together: it lives as long as its context, and its loops are the caller's tasks."""

import asyncio
from asyncio import TaskGroup
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from prometheus_client import CollectorRegistry

from bus.beside import Beside
from bus.port import Bus
from schemas.topics import REQUESTS
from services.matching.means import Clock, Means
from services.matching.metrics import Metrics
from services.matching.settings import Settings
from services.matching.stock import Stock
from services.matching.worker import BESIDE, Worker


def _now() -> datetime:
    return datetime.now(UTC)


@asynccontextmanager
async def running(
    log: Bus,
    settings: Settings,
    tasks: TaskGroup,
    *,
    metrics: CollectorRegistry | None = None,
    clock: Clock = _now,
) -> AsyncIterator[Worker]:
    """Run a matcher on `log`; whatever goes wrong in it is one of `tasks`."""
    counts = Metrics(CollectorRegistry() if metrics is None else metrics)
    with Beside("matching-judge") as judge, Beside("matching-reader") as reader:
        rules, window = settings.rules(), settings.window_seconds
        means = Means(log, Stock(judge), reader, rules, window, counts, clock)
        worker = Worker(means, tasks)
        counts.show(
            lambda: sum(len(source.book.offers) for source in worker.sources.values()),
            lambda: sum(len(source.book.unmatched) for source in worker.sources.values()),
            worker.overdue,
            worker.behind,
        )
        async with _working(worker, settings.matching_group, tasks):
            yield worker


@asynccontextmanager
async def _working(worker: Worker, group: str, tasks: TaskGroup) -> AsyncIterator[None]:
    """Let a worker read and decide."""
    log = worker.means.log
    async with (
        log.subscribe(None, BESIDE, lambda _: 0) as told,
        log.subscribe(group, [REQUESTS], worker.start, worker) as asked,
    ):
        loops = {
            "read": worker.read(told),
            "hear": worker.hear(asked),
            "look": worker.look(),
        }
        started = [tasks.create_task(run, name=f"matching-{name}") for name, run in loops.items()]
        try:
            yield
        finally:
            for task in started:
                task.cancel()
            await asyncio.gather(*started, return_exceptions=True)
