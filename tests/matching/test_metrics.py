"""What a matcher tells Prometheus about how late it is."""

import asyncio
from datetime import UTC, datetime, timedelta

from bus import Bus
from services.matching.worker import Worker
from tests.matching.running import COUNTIES, expert, matching, province, submitted, until


def overdue(worker: Worker, later: timedelta) -> float:
    """Return how late a matcher would be so much later."""
    worker.means = worker.means._replace(clock=lambda: datetime.now(UTC) + later)
    return worker.overdue()


async def test_an_offer_that_should_have_expired_makes_a_matcher_overdue(log: Bus) -> None:
    await log.publish([*province(), expert("li")])
    async with matching(log, offer_minutes=5, escalate_minutes=60) as worker:
        assert overdue(worker, timedelta(hours=1)) == 0
        await log.publish([submitted("r1")])
        await until(lambda: any(source.due for source in worker.sources.values()))
        assert overdue(worker, timedelta(0)) == 0
        assert 40 < overdue(worker, timedelta(minutes=6)) < 70


async def test_what_is_asked_and_not_read_is_a_matchers_lag(log: Bus) -> None:
    await log.publish([*province(), submitted("r0")])
    async with matching(log, escalate_minutes=60) as worker:
        assert worker.behind() == 0
        (hearing,) = (task for task in asyncio.all_tasks() if task.get_name() == "matching-hear")
        hearing.cancel()
        await asyncio.wait([hearing])
        await log.publish([submitted(f"r{n}", pool=pool) for n in (1, 2) for pool in COUNTIES])
        await asyncio.gather(*(source.look() for source in worker.sources.values()))
        assert worker.behind() == 4
