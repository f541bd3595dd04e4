"""Screens as a running service: views and index that follow the log, and the routes over them."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial

from fastapi import APIRouter
from prometheus_client import CollectorRegistry

from bus.gate import Gate
from bus.keys import Keys
from bus.port import Bus
from bus.state import State
from schemas.topics import RESULTS
from services.screens.aside import Aside, aside
from services.screens.counting import counting
from services.screens.desk import Desk
from services.screens.facting import facting
from services.screens.follow import FOLLOWED, Follower
from services.screens.index import Index
from services.screens.lag import Lag
from services.screens.live import Live
from services.screens.metrics import Metrics
from services.screens.pages import pages as paged
from services.screens.requests.asking import asking
from services.screens.requests.index import FOLLOWED as ASKED
from services.screens.requests.index import Requests
from services.screens.requests.tables import TABLES as REQUESTED
from services.screens.settings import Settings
from services.screens.start import Start
from services.screens.tables import TABLES
from services.screens.views import Views
from services.screens.wall import Wall

Doubts = Mapping[str, Sequence[Callable[[], str | None]]]
"""By name: what to ask for a reason not to be ready."""


class Screens:
    """Screens while it runs: its routes, and whether it can answer.

    What is not ready is asked of each view in turn; the first that has something to say is told.
    """

    def __init__(
        self, router: APIRouter, index: Index, asides: Sequence[Aside], doubts: Doubts
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


def _asked(start: Start, lag: Lag) -> tuple[Callable[[], str | None], ...]:
    return start.behind, lag.behind, start.turns.late, lag.turns.late


def _outdated(views: Views) -> str | None:
    found = sorted(views.counters.outdated().items())
    return ", ".join(f"{topic}:{number} is {why}" for (topic, number), why in found) or None


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
        file = settings.data / "screens.db"
        state = await opened.enter_async_context(State.opening(file, TABLES, log.identity))
        asked = await opened.enter_async_context(
            State.opening(settings.data / "requests.db", REQUESTED, log.identity)
        )
        asides = [await opened.enter_async_context(one) for one in _asides(settings)]
        past, pages, looks = asides
        views = Views.empty(settings.silent_after)
        index = Index(log, state, views, clock, settings.index_batch)
        requests = Requests(log, asked, views.touched, clock, settings.index_batch, looks)
        wall = Wall(views, index.ticker, index.trend, requests.funnel, settings.ranking_minimum)
        live = Live(views, wall, settings, requests.start, clock)
        follower = Follower(log, views)
        gates = {
            who: Gate(settings.most_waits, "questions are waiting") for who in ("anybody", "keyed")
        }
        desk = Desk(
            log,
            keys,
            settings,
            views,
            wall,
            index.marks,
            follower.start,
            index.start,
            clock,
            *gates.values(),
        )
        following = Lag(log, FOLLOWED, views.read, settings.lag_every)
        indexing = Lag(log, [RESULTS], index.marks, settings.lag_every)
        hearing = Lag(log, ASKED, requests.marks, settings.lag_every)
        told = Metrics(CollectorRegistry() if metrics is None else metrics, views, clock)
        lags = {"counters": following, "facts": indexing, "requests": hearing}
        told.wait(gates)
        told.show(lags, live, index.marks, requests)
        doubts: Doubts = {
            "counters": (*_asked(follower.start, following), partial(_outdated, views)),
            "facts": (state.doubt, *_asked(index.start, indexing)),
            "requests": (asked.doubt, *_asked(requests.start, hearing)),
            "live": (live.turns.late,),
        }
        loops = {
            "follow": follower.run(),
            "index": index.run(),
            "requests": requests.run(),
            "live": live.run(),
            "lag-counters": following.run(),
            "lag-facts": indexing.run(),
            "lag-requests": hearing.run(),
        }
        started = [tasks.create_task(run, name=f"screens-{name}") for name, run in loops.items()]
        try:
            router = APIRouter()
            for part in (
                counting(desk, live, state, past),
                facting(desk, state, looks, pages),
                asking(desk, requests),
                paged(desk.views.chronicle.known),
            ):
                router.include_router(part)
            yield Screens(router, index, asides, doubts)
        finally:
            live.end()
            requests.stir.end()
            for task in started:
                task.cancel()
            await asyncio.gather(*started, return_exceptions=True)


def _asides(settings: Settings) -> Iterable[AbstractAsyncContextManager[Aside]]:
    """Yield where the past is counted, where pages of facts are read, and all that is quick."""
    yield aside(settings.past_threads, settings.past_waiting, "for what was known earlier")
    yield aside(settings.facts_threads, settings.facts_waiting, "what numbers consist of")
    yield aside(settings.look_threads, settings.look_waiting, "for facts and requests")
