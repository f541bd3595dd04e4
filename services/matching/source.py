"""One partition that is held: taken over, then decided about, until it goes."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from time import perf_counter

import structlog

from bus import fences
from bus.behind import Behind
from bus.ends import ends
from bus.port import Batch, Partition
from bus.turns import Turns
from schemas.codec import Event
from schemas.errors import Fenced, Unavailable
from schemas.topics import ASSIGNMENTS, named
from services.matching.book import Book, Said
from services.matching.inbox import MOST, Inbox
from services.matching.judge import decide
from services.matching.means import Means
from services.matching.records import Step, advanced, records
from services.matching.stock import PLACE
from services.matching.supply import Supply
from services.matching.takeover import INPUTS, decoding, name, owner, take_over

IDLE = 0.005
"""Seconds without anything new after which what has come in is decided."""
AWAKE = 10.0
"""The most seconds that it waits for news, so that one who waits is told from one who hangs."""
RETRY = 0.2
"""Seconds before a partition is taken over again from a log that was away."""

_log = structlog.get_logger(__name__)


class Source:
    """A partition of requests and referrals, and the book of what was decided about it.

    `sure` is whether the book is what the log says: not before it was taken over, nor while
    decisions are on their way, nor after they may have been lost. `leads` is whether it decides.
    `due` is when the clock alone changed something next, when it was looked at last; None: never.
    """

    def __init__(self, number: int, means: Means) -> None:
        self.number, self._means = number, means
        self.book, self.inbox = Book(), Inbox({})
        self.sure = self.leads = False
        self.due: datetime | None = None
        self._turns, self._doubt = Turns([f"{number}"]), ""
        self._places = [Partition(topic.name, number) for topic in INPUTS]
        self._moved: dict[Partition, int] = {}
        self._decided: dict[Partition, int] = dict.fromkeys(self._places, 0)
        self._behind, self._written = Behind(), dict(self._decided)
        self._rested, self._fences = 0.0, fences.Fences()
        self._stopping = False

    async def run(self) -> None:
        """Hold the partition until told to stop; raises Fenced when another takes it for good."""
        self._stopping = False
        while not self._stopping:
            try:
                await self._hold()
            except Unavailable as error:
                self._doubt = f": {error}"
                _log.warning("decisions in doubt", partition=self.number, reason=str(error))
                await asyncio.sleep(RETRY)
            except Fenced:
                if not await self._borne():
                    raise
            finally:
                self.leads, self.inbox = False, Inbox({})

    async def _borne(self) -> bool:
        """Leave the partition alone for a moment: who claimed it may be about to let it go.

        False when that has happened too often.
        """
        if self._stopping:
            return True
        if not self._fences.borne():
            return False
        self.leads, self.inbox = False, Inbox({})
        self._doubt = ": another process has claimed it"
        _log.warning("fenced", partition=self.number, rest=fences.REST)
        await asyncio.sleep(fences.REST)
        return True

    def stop(self) -> None:
        """Ask it to end once what it is deciding is written."""
        self._stopping = True
        self.inbox.ring()

    def late(self) -> str | None:
        """Return why it does not decide, or not fast enough; None: it does."""
        if not self.leads:
            return f"taking over {self.number}{self._doubt}"
        if (stuck := self._turns.late()) is not None:
            return stuck
        late = ", ".join(f"{topic}/{n}" for topic, n in self._behind.late(self._reached))
        return f"catching up on {late}" if late else None

    def behind(self) -> int:
        """Return how many asks and referrals the last look saw that are not decided yet."""
        return self._behind.records(self._reached)

    async def look(self) -> None:
        """See whether its topics answer, and whether what they held at the last look is decided."""
        asked = self._ends(), self._means.log.highwater(Partition(ASSIGNMENTS.name, self.number))
        inputs, _ = await asyncio.gather(*asked)
        self._behind.look(inputs)

    def decided(self, place: Partition) -> int:
        """Return up to where everything in a partition is decided."""
        return self._decided.get(place, 0)

    def _reached(self, place: Partition) -> int:
        return self._written.get(place, 0)

    async def _hold(self) -> None:
        if not (self.sure and await self._still_ours()):
            await self._take_over()
        self._behind.begin(await self._ends())
        self._written = dict(self._decided)
        self.inbox = Inbox(self._decided)
        self.leads, self._doubt = True, ""
        while not self._stopping:
            self._turns.turn(f"{self.number}")
            batches = await self._gather()
            if any(batch.records for batch in batches) or self._pending():
                await self._decide(batches)
            else:
                self._pass(batches)
            self._written = dict(self._decided)

    async def _ends(self) -> dict[Partition, int]:
        """Ask where the inputs end."""
        return await ends(self._means.log, self._places)

    async def _still_ours(self) -> bool:
        """Whether nobody has claimed the partition since it was last held here."""
        try:
            await self._means.log.advance(owner(self.number), {}, [])
        except Fenced:
            return False
        return True

    async def _take_over(self) -> None:
        means, began, self.sure = self._means, perf_counter(), False
        self.inbox = Inbox({Partition(ASSIGNMENTS.name, self.number): 0})
        taken = await take_over(means.log, self.number, self.inbox, means.thread)
        self.book, moved, skipped = taken
        await means.stock.reached(await means.log.highwater(PLACE))
        self._moved = dict(moved)
        self._decided = {place: self.book.positions.get(name(place), 0) for place in self._places}
        self.sure = True
        means.metrics.skipped.labels(ASSIGNMENTS.name).inc(skipped)
        means.metrics.takeover.observe(perf_counter() - began)
        _log.info("taken over", partition=self.number, cases=len(self.book.cases), skipped=skipped)

    async def _gather(self) -> list[Batch]:
        """Wait until there is something to decide; return what has come in by then."""
        loop = asyncio.get_running_loop()
        self.due = self.book.due()
        patience = self._patience(loop.time())
        await self.inbox.heard(AWAKE if patience is None else min(patience, AWAKE))
        end = loop.time() + self._means.window
        while 0 < self.inbox.count < MOST and loop.time() < end and not self._stopping:
            if not await self.inbox.heard(IDLE):
                break
        return [] if self._stopping else self.inbox.take()

    def _patience(self, time: float) -> float | None:
        """Return for how many seconds nothing but inputs can change anything; None: for ever."""
        rest = max(self._rested + self._means.window - time, 0.0)
        if self.book.waiting:
            return IDLE
        if self._pending():
            return rest
        due = self.book.due()
        return None if due is None else max((due - self._now()).total_seconds(), rest)

    def _pending(self) -> bool:
        """Whether there is something to decide without any input."""
        book, due = self.book, self.book.due()
        stale = book.seen != self._means.stock.supply.version and (book.offers or book.unmatched)
        return book.waiting or bool(stale) or (due is not None and due <= self._now())

    def _now(self) -> datetime:
        return max(self._means.clock(), self.book.now)

    async def _decide(self, batches: Sequence[Batch]) -> None:
        """Decide and write it; the book runs ahead of the log from when it has the supply.

        Who is told to go before that, as others take their time with it, has changed nothing.
        """
        now, book = self._now(), self.book
        metrics, began = self._means.metrics, perf_counter()

        def judged(supply: Supply, registry: int) -> Step:
            self.sure = False
            self._pass(batches)
            said = decide(book, supply, self._events(batches), now, self._means.rules)
            heard = any(batch.records for batch in batches)
            return self._step(said, registry, now) if said or heard else Step([], [])

        made = await self._means.stock.lend(judged)
        metrics.decide.observe(perf_counter() - began)
        if made.said:
            await self._commit(made)
        self.sure, self._rested = True, asyncio.get_running_loop().time()

    def _pass(self, batches: Sequence[Batch]) -> None:
        self._decided |= {batch.source: batch.next for batch in batches}

    def _events(self, batches: Sequence[Batch]) -> list[Event]:
        found: list[Event] = []
        for batch in batches:
            read = decoding(self._means.log, named(batch.topic), self.number)
            for stored in batch.records:
                event = read(stored.value)
                if isinstance(event, Event):
                    self._means.metrics.inputs.labels(event.kind.name).inc()
                    found.append(event)
                else:
                    self._means.metrics.skipped.labels(batch.topic).inc()
        return found

    def _step(self, said: Sequence[Said], registry: int, now: datetime) -> Step:
        positions = {name(place): at for place, at in self._decided.items()}
        mark = advanced(self.number, {**positions, name(PLACE): registry}, now)
        return Step([*said, mark], records([*said, mark], now))

    async def _commit(self, made: Step) -> None:
        """Write decisions and positions in one step; only what is there may be built upon."""
        began = perf_counter()
        await self._means.log.advance(owner(self.number), self._moves(), made.outputs)
        self._moved, (*said, mark) = dict(self._decided), made.said
        self.book.apply(*mark)
        self._means.metrics.commit.observe(perf_counter() - began)
        for one in said:
            self._means.metrics.decisions.labels(one.kind.name).inc()

    def _moves(self) -> Mapping[Partition, tuple[int, int]]:
        steps = {place: (self._moved.get(place, 0), at) for place, at in self._decided.items()}
        return {place: step for place, step in steps.items() if step[0] != step[1]}
