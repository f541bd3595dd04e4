"""Decisions are made in a thread of their own, which nobody leaves while it works for him."""

import asyncio
import threading
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from bus import Bus
from bus.beside import Beside
from services.matching.book import Book
from services.matching.means import Means
from services.matching.metrics import Metrics
from services.matching.rules import Rules
from services.matching.source import Source
from services.matching.stock import Stock
from services.matching.supply import Supply
from tests.matching.crowd import POOLS
from tests.matching.running import decided, expert, matching, province, submitted, until


async def test_who_goes_away_has_the_supply_until_his_thread_is_through() -> None:
    begun, free = threading.Event(), threading.Event()

    def work(supply: Supply, position: int) -> int:
        begun.set()
        free.wait(60)
        return supply.version + position

    with Beside("judge") as judge:
        stock = Stock(judge)
        lent = asyncio.create_task(stock.lend(work))
        await until(begun.is_set)
        other = asyncio.create_task(stock.lend(work))
        kept = []
        for _ in range(3):
            lent.cancel()
            await asyncio.wait([lent, other], timeout=0)
            kept.append(stock._turn.locked() and not lent.done())
        free.set()
        with pytest.raises(asyncio.CancelledError):
            await lent
        assert await other == 0
    assert kept == [True] * 3


async def test_what_fails_in_the_thread_fails_for_whoever_asked_for_it() -> None:
    with Beside("judge") as judge:
        with pytest.raises(ZeroDivisionError):
            await judge.run(divmod, 1, 0)
        assert await judge.run(divmod, 7, 2) == (3, 1)


class Replaced:
    """A stock that lends when its borrower has got another book meanwhile."""

    def __init__(self) -> None:
        self.supply = Supply()
        self.source: Any = None

    async def lend(self, work: Any) -> Any:
        self.source.book = Book()
        return work(self.supply, 0)


async def test_a_decision_is_made_in_the_book_that_it_was_begun_with() -> None:
    stock: Any = Replaced()
    none: Any = None
    metrics = Metrics(CollectorRegistry())
    source = Source(0, Means(none, stock, none, Rules(), 0.1, metrics, lambda: begun.now))
    stock.source, begun = source, source.book
    await source._decide([])
    assert (begun.seen, source.book.seen) == (0, None)


async def test_decisions_wait_for_no_thread_that_others_use_and_leave_none_behind(
    log: Bus,
) -> None:
    free, loop = threading.Event(), asyncio.get_running_loop()
    await log.publish([*province(), expert("li"), *[submitted("r", pool=p) for p in POOLS]])
    others = [loop.run_in_executor(None, free.wait, 60) for _ in range(64)]
    loop.call_later(30, free.set)  # nobody who needs one of them waits for ever
    async with matching(log, escalate_minutes=60) as worker:
        try:
            await decided(log, worker)
        finally:
            free.set()
        assert "matching-judge_0" in {thread.name for thread in threading.enumerate()}
    assert not [t for t in threading.enumerate() if t.name.startswith("matching")]
    await asyncio.gather(*others)
