"""Intake put together: it lives as long as its context, and its loops are tasks of the caller's."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from fastapi import APIRouter
from prometheus_client import CollectorRegistry

from bus.keys import Keys
from bus.port import Bus
from services.intake import asks, batch, facts, registry
from services.intake.door import Clock, Door
from services.intake.metrics import Metrics
from services.intake.settings import Settings


@dataclass(frozen=True, slots=True)
class Intake:
    """A running intake."""

    router: APIRouter
    """All its routes."""
    metrics: CollectorRegistry
    """What it counts."""
    door: Door

    def ready(self) -> dict[str, str]:
        """Return what is not ready, and why; nothing when it can take posts."""
        return self.door.ready()


def _now() -> datetime:
    return datetime.now(UTC)


@asynccontextmanager
async def running(  # noqa: PLR0913  # what only some callers set is keyword-only
    log: Bus,
    keys: Keys,
    settings: Settings,
    tasks: asyncio.TaskGroup,
    *,
    metrics: CollectorRegistry | None = None,
    clock: Clock = _now,
) -> AsyncIterator[Intake]:
    """Run an intake on `log`; a failure of its loops is one of `tasks`."""
    counts = CollectorRegistry() if metrics is None else metrics
    door = Door(log, keys, settings, Metrics(counts), clock)
    following = [
        tasks.create_task(door.view.tail.follow(), name="intake-registry"),
        tasks.create_task(door.cases.tail.follow(), name="intake-requests"),
        tasks.create_task(door.reach.run(), name="intake-reach"),
    ]
    try:
        yield Intake(_routes(door), counts, door)
    finally:
        for task in following:
            task.cancel()
        await asyncio.wait(following)


def _routes(door: Door) -> APIRouter:
    routes = APIRouter()
    for part in (facts, asks, registry, batch):
        routes.include_router(part.router(door))
    return routes
