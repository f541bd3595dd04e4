"""Screens as a running service: views and index that follow the log, and the routes over them."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import APIRouter

from bus.keys import Keys
from bus.port import Bus
from services.screens.counting import counting
from services.screens.desk import Desk
from services.screens.follow import Follower
from services.screens.live import Live
from services.screens.marks import Marks
from services.screens.pages import pages
from services.screens.settings import Settings
from services.screens.ticker import Ticker
from services.screens.trend import Trend
from services.screens.views import Views
from services.screens.wall import Wall


class Screens:
    """Screens while it runs: its routes, and whether it can answer."""

    def __init__(self, router: APIRouter, follower: Follower) -> None:
        self.router, self._follower = router, follower

    def ready(self) -> dict[str, str]:
        """Return what is not ready and why; {} when everything is."""
        behind = {"counters": self._follower.behind()}
        return {name: why for name, why in behind.items() if why is not None}


@asynccontextmanager
async def running(
    log: Bus,
    keys: Keys,
    settings: Settings,
    tasks: asyncio.TaskGroup,
    clock: Callable[[], float] = time.time,
) -> AsyncIterator[Screens]:
    """Run screens on a log until the context ends; a loop that fails ends the task group."""
    views, ticker, trend = Views.empty(settings.silent_after), Ticker(), Trend()
    wall = Wall(views, ticker, trend, settings.ranking_minimum)
    live = Live(views, wall, settings, clock)
    follower = Follower(log, views)
    desk = Desk(log, keys, settings, views, wall, Marks(), clock)
    router = APIRouter()
    router.include_router(counting(desk, live))
    router.include_router(pages(views.chronicle.known))
    started = [
        tasks.create_task(follower.run(), name="screens-follow"),
        tasks.create_task(live.run(), name="screens-live"),
    ]
    try:
        yield Screens(router, follower)
    finally:
        live.end()
        for task in started:
            task.cancel()
        await asyncio.gather(*started, return_exceptions=True)
