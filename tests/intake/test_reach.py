"""Intake knows that its log is away also while nobody posts."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bus.port import Partition
from schemas.errors import Unavailable
from services.intake.reach import WRITTEN, Reach


class Log:
    """A log of which only the ends can be asked, unless it is away."""

    def __init__(self) -> None:
        self.away, self.asked = False, 0

    def partitions(self, _topic: object) -> int:
        return 1

    async def highwater(self, _partition: Partition) -> int:
        self.asked += 1
        if self.away:
            raise Unavailable("no broker leads")
        return 0


@asynccontextmanager
async def asking(log: Log) -> AsyncIterator[Reach]:
    reach = Reach(log, 0.001)  # type: ignore[arg-type]  # only what it asks for
    task = asyncio.create_task(reach.run())
    yield reach
    task.cancel()
    await asyncio.wait([task])


async def asked_again(log: Log) -> None:
    """Wait until a whole round of questions that began after this has been answered."""
    before = log.asked
    async with asyncio.timeout(10):
        while log.asked < before + 2 * len(WRITTEN):  # noqa: ASYNC110  # a fake of many parts has no event
            await asyncio.sleep(0)


async def test_a_log_that_goes_away_while_nobody_posts_is_told_until_it_is_back() -> None:
    log = Log()
    async with asking(log) as reach:
        await asked_again(log)
        assert reach.doubt() is None
        log.away = True
        await asked_again(log)
        assert reach.doubt() == "the log does not answer: no broker leads"
        log.away = False
        await asked_again(log)
        assert reach.doubt() is None
