"""The fact index: follows the results topic into SQL, and tells walls what is new."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from sqlalchemy import Connection, func, select

from bus.port import Batch, Bus
from bus.state import State
from schemas.codec import Event, decode, decoder
from schemas.days import business_day
from schemas.slots import Verdict
from schemas.topics import RESULTS
from services.screens.judge import SERVICE, Heard, Outcome, floor, judge, news
from services.screens.marks import Marks
from services.screens.stamps import instant
from services.screens.start import Start
from services.screens.tables import STANDING, STATEMENT
from services.screens.ticker import SHOWN, News, Ticker
from services.screens.trend import Hour, Trend
from services.screens.views import Views
from services.screens.wall import week_before

P = ParamSpec("P")
T = TypeVar("T")


class Index:
    """Writes the index; `marks` says how far it has come. Its SQL runs in a thread of its own."""

    def __init__(
        self, log: Bus, state: State, views: Views, clock: Callable[[], float], size: int
    ) -> None:
        self._log, self._state, self._views, self._clock = log, state, views, clock
        self._size = size
        self._floors: dict[int, int] = {}
        self.marks = Marks(state.positions)
        self.start = Start(self.marks)
        self.ticker, self.trend = Ticker(), Trend()
        self.skipped = 0
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="screens-index")

    async def run(self) -> None:
        """Index for ever."""
        with self._thread:
            await self._follow()

    async def _follow(self) -> None:
        for last in await self._beside(self._last_news):
            self.ticker.tell(last)
        async with self._log.subscribe(None, [RESULTS], self.marks.at) as subscription:
            await self.start.measure(self._log, [RESULTS])
            while True:
                self.start.look()
                await self._load_days()
                for batch in await subscription.poll(1.0, self._size):
                    if batch.lease.alive and batch.base == self.marks.at(batch.source):
                        self._tell(await self._beside(self._write, batch))
                        self.marks.move(batch.source, batch.next)

    async def _beside(self, work: Callable[P, T], *args: P.args, **more: P.kwargs) -> T:
        """Run SQL in a thread that nobody else uses; when cancelled, end only after it."""
        running = asyncio.wrap_future(self._thread.submit(work, *args, **more))
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            await asyncio.wait([running])
            raise

    def _write(self, batch: Batch) -> Outcome:
        with self._state.move(batch.source, batch.base, batch.next) as connection:
            return judge(connection, batch.partition, list(self._heard(connection, batch)))

    def _heard(self, connection: Connection, batch: Batch) -> Iterator[Heard]:
        read = decoder(RESULTS, batch.partition, self._log.partitions(RESULTS))
        logged = self._floors.get(batch.partition) or floor(connection, batch.partition)
        for record in batch.records:
            event = read(record.value)
            logged = max(logged, record.timestamp)
            if isinstance(event, Event):
                yield Heard(record.offset, logged, event, record.value or b"")
            else:
                self.skipped += 1  # stats makes a dead letter of it
        self._floors[batch.partition] = logged

    def _tell(self, outcome: Outcome) -> None:
        path, touched = self._views.chronicle.registry.path, self._views.touched
        for hour in outcome.hours:
            self.trend.add(hour)
            touched.add(path(hour.node, hour.day))
        for one in outcome.news:
            self.ticker.tell(one)
            touched.add([one.node])

    async def _load_days(self) -> None:
        """Keep the trend's two days known, also when one day ends and the next begins."""
        today = self._today()
        wanted = {today, week_before(today)}
        for day in wanted - self.trend.days:
            self.trend.load(day, await self._beside(self._hours, day))
            self._views.touched.all()
        for day in self.trend.days - wanted:
            self.trend.forget(day)

    def _hours(self, day: str) -> list[Hour]:
        at = STANDING.c
        counted = (
            select(at.day, at.hour, at.node, func.count())
            .where(at.slot == SERVICE, at.kind == SERVICE, at.day == day)
            .group_by(at.day, at.hour, at.node)
        )
        with self._state.read() as connection:
            return [Hour(*row) for row in connection.execute(counted)]

    def _last_news(self) -> list[News]:
        """Return the last news of every node, the oldest first."""
        at = STATEMENT.c
        wanted = select(at.partition, at.offset, at.logged, at.value).where(
            at.verdict == Verdict.STANDS.value
        )
        last = wanted.order_by(at.logged.desc()).limit(SHOWN)
        with self._state.read() as connection:
            nodes = connection.scalars(select(STANDING.c.node).distinct()).all()
            rows = [r for n in nodes for r in connection.execute(last.where(at.node == n))]
        return sorted(_news(*row) for row in rows)

    def _today(self) -> str:
        return business_day(instant(int(self._clock() * 1000)))


def _news(partition: int, offset: int, logged: int, value: bytes) -> News:
    event = decode(value)
    assert isinstance(event, Event)
    return news(partition, Heard(offset, logged, event, value))
