"""A matcher as a process: the whole of it as it is, but for its clock."""

import asyncio
from datetime import UTC, datetime
from functools import cache

from services.matching import app
from services.matching.settings import Settings
from services.matching.worker import Worker
from tests.simulation.intake import clock
from tests.simulation.link import Link


@cache
def settings(group: str = "matching") -> Settings:
    """Return settings by which everything comes to an end within virtual seconds."""
    return Settings(
        matching_group=group,
        window_seconds=0.05,
        offer_minutes=0.02,
        escalate_minutes=0.005,
        patience_days=5e-5,
    )


class Matcher:
    """The worker of one process in its present life."""

    worker: Worker | None = None

    def __init__(self, group: str = "matching") -> None:
        self._settings = settings(group)

    async def run(self, link: Link) -> None:
        """Decide for ever."""
        self.worker = None
        async with (
            asyncio.TaskGroup() as tasks,
            app.running(link, self._settings, tasks, clock=_now) as worker,
        ):
            self.worker = worker
            await asyncio.get_running_loop().create_future()


def _now() -> datetime:
    return clock().astimezone(UTC)
