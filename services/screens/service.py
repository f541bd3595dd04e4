"""Screens as a running service: what follows the log, and the routes over it."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from fastapi import APIRouter
from prometheus_client import CollectorRegistry

from bus.gate import Gate
from bus.keys import Keys
from bus.port import Bus
from bus.state import State
from services.screens.aside import Aside, aside
from services.screens.counting import counting
from services.screens.desk import Desk
from services.screens.facting import facting
from services.screens.index import Index
from services.screens.metrics import Metrics
from services.screens.pages import pages as paged
from services.screens.reading import Doubt, Reading
from services.screens.requests.asking import asking
from services.screens.requests.tables import TABLES as REQUESTED
from services.screens.settings import Settings
from services.screens.tables import TABLES


class Screens:
    """Screens while it runs: its routes, and whether it can answer.

    What is not ready is asked of each view in turn; the first that has something to say is told.
    """

    def __init__(
        self,
        router: APIRouter,
        index: Index,
        asides: Sequence[Aside],
        doubts: Mapping[str, Sequence[Doubt]],
    ) -> None:
        self.router, self.index, self._doubts = router, index, doubts
        self.past, self.pages, self.looks = asides

    def ready(self) -> dict[str, str]:
        """Return what is not ready and why; {} when everything is."""
        found = {
            name: next((why for ask in doubts if (why := ask()) is not None), None)
            for name, doubts in self._doubts.items()
        }
        return {name: why for name, why in found.items() if why is not None}


@asynccontextmanager
async def running(  # noqa: PLR0913  # what only some callers set has a default
    log: Bus,
    keys: Keys,
    settings: Settings,
    tasks: asyncio.TaskGroup,
    clock: Callable[[], float] = time.time,
    *,
    metrics: CollectorRegistry | None = None,
) -> AsyncIterator[Screens]:
    """Run screens on a log until the context ends; a loop that fails ends the task group."""
    async with AsyncExitStack() as opened:
        facts, asked = [
            await opened.enter_async_context(State.opening(file, tables, log.identity))
            for file, tables in (
                (settings.data / "screens.db", TABLES),
                (settings.data / "requests.db", REQUESTED),
            )
        ]
        past, pages, looks = asides = [
            await opened.enter_async_context(aside(*room)) for room in _rooms(settings)
        ]
        reading = Reading(log, settings, facts, asked, looks, clock)
        gates = {
            who: Gate(settings.most_waits, "questions are waiting") for who in ("anybody", "keyed")
        }
        told = Metrics(CollectorRegistry() if metrics is None else metrics, reading.views, clock)
        told.wait(gates)
        reading.show(told)
        desk = _desk(log, keys, settings, reading, clock, gates)
        router = APIRouter()
        for part in (
            counting(desk, reading.live, facts, past),
            facting(desk, facts, looks, pages),
            asking(desk, reading.requests),
            paged(desk.views.chronicle.known),
        ):
            router.include_router(part)
        async with _loops(reading, tasks):
            yield Screens(router, reading.index, asides, reading.doubts())


@asynccontextmanager
async def _loops(reading: Reading, tasks: asyncio.TaskGroup) -> AsyncIterator[None]:
    started = [
        tasks.create_task(run, name=f"screens-{name}") for name, run in reading.loops().items()
    ]
    try:
        yield
    finally:
        reading.end()
        for task in started:
            task.cancel()
        await asyncio.gather(*started, return_exceptions=True)


def _desk(  # noqa: PLR0913, PLR0917  # all that the routes share
    log: Bus,
    keys: Keys,
    settings: Settings,
    reading: Reading,
    clock: Callable[[], float],
    gates: Mapping[str, Gate],
) -> Desk:
    return Desk(
        log,
        keys,
        settings,
        reading.views,
        reading.wall,
        reading.index.marks,
        reading.follower.start,
        reading.index.start,
        clock,
        **gates,
    )


def _rooms(settings: Settings) -> tuple[tuple[int, int, str], ...]:
    """Return what is done aside: counting the past, reading pages of facts, and all quick looks."""
    return (
        (settings.past_threads, settings.past_waiting, "for what was known earlier"),
        (settings.facts_threads, settings.facts_waiting, "what numbers consist of"),
        (settings.look_threads, settings.look_waiting, "for facts and requests"),
    )
