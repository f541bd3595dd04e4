"""The fact index: follows the results topic into SQL, and tells walls what is new."""

from collections.abc import Callable, Sequence

from sqlalchemy import Connection, func, select

from bus.port import Batch, Bus
from bus.state import State
from schemas.codec import Event, decode
from schemas.days import business_day
from schemas.slots import Verdict
from schemas.topics import RESULTS
from services.screens.judge import SERVICE, Outcome, floor, judge, news
from services.screens.stamps import instant
from services.screens.tables import STANDING, STATEMENT
from services.screens.ticker import SHOWN, News, Ticker
from services.screens.trend import Hour, Trend
from services.screens.views import Views
from services.screens.wall import week_before
from services.screens.writer import Heard, Writer


class Index:
    """Writes the index, and keeps what walls show of it in memory."""

    def __init__(
        self, log: Bus, state: State, views: Views, clock: Callable[[], float], size: int
    ) -> None:
        self._log, self._state, self._views, self._clock = log, state, views, clock
        self._size = size
        self.writer = Writer(log, state, floor, "screens-index")
        self.marks, self.start = self.writer.marks, self.writer.start
        self.ticker, self.trend = Ticker(), Trend()

    @property
    def skipped(self) -> int:
        """How many records were no events."""
        return self.writer.skipped

    async def run(self) -> None:
        """Index for ever."""
        with self.writer.beside:
            await self._follow()

    async def _follow(self) -> None:
        for last in await self.writer.beside.run(self._last_news):
            self.ticker.tell(last)
        async with self._log.subscribe(None, [RESULTS], self.marks.at) as subscription:
            await self.start.measure(self._log, [RESULTS])
            while True:
                self.start.look()
                await self._load_days()
                async for outcome in self.writer.take(subscription, self._size, _write):
                    self._tell(outcome)

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
            self.trend.load(day, await self.writer.beside.run(self._hours, day))
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


def _write(connection: Connection, batch: Batch, heard: Sequence[Heard]) -> Outcome:
    return judge(connection, batch.partition, heard)


def _news(partition: int, offset: int, logged: int, value: bytes) -> News:
    event = decode(value)
    assert isinstance(event, Event)
    return news(partition, Heard(offset, logged, event, value))
