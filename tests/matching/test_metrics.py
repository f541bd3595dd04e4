"""What a matcher tells Prometheus about how late it is."""

from datetime import UTC, datetime, timedelta

from bus import Bus
from services.matching.worker import Worker
from tests.matching.running import expert, matching, province, submitted, until


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
