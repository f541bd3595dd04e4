"""The index of requests: follows asks and decisions into SQL, and tells who waits for what."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from sqlalchemy import Connection, func, select

from bus.port import Batch, Bus, Partition
from bus.state import State
from schemas.days import business_day
from schemas.topics import ASSIGNMENTS, REQUESTS
from services.screens.aside import Aside
from services.screens.marks import Marks
from services.screens.requests.funnel import Funnel
from services.screens.requests.judge import MADE, STAND, Outcome, judge, note
from services.screens.requests.stand import Made, Stand, made
from services.screens.requests.stir import Stir
from services.screens.requests.tables import DECIDED, ENTRY, OFFER, REQUEST
from services.screens.stamps import instant
from services.screens.touched import Touched
from services.screens.writer import Heard, Writer

T = TypeVar("T")
FOLLOWED = (ASSIGNMENTS, REQUESTS)
_DAY = 86_400_000
_PAGE = 2000


class Requests:
    """Writes the index, and keeps what walls show of it in memory.

    `decided` marks the asks that matching has decided on, as far as the index holds its verdicts.
    """

    def __init__(  # noqa: PLR0913, PLR0917  # made in one place
        self,
        log: Bus,
        state: State,
        touched: Touched,
        clock: Callable[[], float],
        size: int,
        looks: Aside,
    ) -> None:
        self._log, self._state, self._touched, self._clock = log, state, touched, clock
        self._size, self._looks = size, looks
        self.writer = Writer(log, state, _floor, "screens-requests")
        self.marks, self.start = self.writer.marks, self.writer.start
        self.decided = Marks()
        self.funnel = Funnel(touched.add)
        self.stir = Stir(self._now())

    async def run(self) -> None:
        """Index for ever."""
        with self.writer.beside:
            await self._follow()

    async def _follow(self) -> None:
        await self._load()
        async with self._log.subscribe(None, FOLLOWED, self.marks.at) as subscription:
            await self.start.measure(self._log, FOLLOWED)
            while True:
                self.start.look()
                self.funnel.begin(business_day(instant(self._now())))
                async for outcome in self.writer.take(subscription, self._size, _write):
                    self._tell(outcome)

    async def _load(self) -> None:
        """Take up what an earlier run has written."""
        self.funnel.begin(business_day(instant(self._now())))
        last = ""
        while stands := await self.writer.beside.run(self._stands, last):
            for stand in stands:
                self.funnel.change(None, stand)
            last = stands[-1].id
        for offer in await self.writer.beside.run(self._recent):
            self.funnel.offer(None, offer)
        for place, offset in await self.writer.beside.run(self._decided):
            self.decided.move(place, offset)
        self._touched.all()

    def _stands(self, after: str) -> list[Stand]:
        counted = select(*STAND).where(REQUEST.c.kind == "request", REQUEST.c.id > after)
        with self._state.read() as connection:
            rows = connection.execute(counted.order_by(REQUEST.c.id).limit(_PAGE))
            return [Stand(*row) for row in rows]

    def _recent(self) -> list[Made]:
        with self._state.read() as connection:
            rows = connection.execute(select(*MADE).where(OFFER.c.offered >= self._now() - _DAY))
            return [made(*row) for row in rows]

    def _decided(self) -> list[tuple[Partition, int]]:
        with self._state.read() as connection:
            rows = connection.execute(select(DECIDED))
            return [(Partition(topic, number), offset) for topic, number, offset in rows]

    async def read(self, question: Callable[[Connection], T]) -> T:
        """Return what a question finds in one committed state; raises a 503 amid a crowd."""

        def ask() -> T:
            with self._state.read() as connection:
                return question(connection)

        return await self._looks.run(ask)

    def _tell(self, outcome: Outcome) -> None:
        for before, after in outcome.requests:
            self.funnel.change(before, after)
        for was, is_ in outcome.offers:
            self.funnel.offer(was, is_)
        self._touched.add([name for kind, name in outcome.keys if kind == "node"])
        for place, offset in outcome.decided.items():
            self.decided.move(place, offset)
        self.stir.stir(outcome.keys)

    def _now(self) -> int:
        return int(self._clock() * 1000)


def _write(connection: Connection, batch: Batch, heard: Sequence[Heard]) -> Outcome:
    write = judge if batch.topic == ASSIGNMENTS.name else note
    return write(connection, batch, heard)


def _floor(connection: Connection, source: Partition) -> int:
    """Return the latest append time of what is held of a partition."""
    here = (ENTRY.c.topic == source.topic) & (ENTRY.c.partition == source.number)
    return int(connection.scalar(select(func.max(ENTRY.c.logged)).where(here)) or 0)
