"""One run: a whole hub on the simulated log, first under faults, then healed."""

import asyncio
from asyncio import Task, get_running_loop
from collections import Counter
from collections.abc import Callable, Coroutine
from contextlib import nullcontext, suppress
from functools import partial
from hashlib import blake2b
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from bus.port import Partition
from schemas.days import Period
from schemas.topics import ASSIGNMENTS, COUNTED, REFERRALS, REQUESTS, Topic
from services.matching.book import Book
from tests.matching import reader
from tests.simulation import facts, letters
from tests.simulation.asks import Crowd
from tests.simulation.clients import Clients
from tests.simulation.events import record, shuffled
from tests.simulation.facts import Stations
from tests.simulation.faults import Faults
from tests.simulation.intake import Desk, clock
from tests.simulation.link import Link
from tests.simulation.log import Log
from tests.simulation.loop import Loop
from tests.simulation.matching import Matcher
from tests.simulation.options import Options
from tests.simulation.process import Process
from tests.simulation.screens import Screen
from tests.simulation.shelf import File, Shelf
from tests.simulation.shown import Shown
from tests.simulation.stats import stats

LIVELY = 40.0
"""Virtual seconds after healing within which all must have come to rest."""


class Ran(NamedTuple):
    """What happened in a run, and a trace that is the same whenever it is repeated."""

    happened: Counter[str]
    trace: str


class World:
    """Everything of one run; `happened` counts faults and events."""

    def __init__(self, options: Options, folder: Path | None) -> None:
        self.options, self.happened = options, Counter[str]()
        self.dice = Random(f"world {options.seed}")
        self.log = Log(options, Random(f"log {options.seed}"), self.happened)
        self.folder = folder
        self._looking: Task[None] | None = None
        self.stations, self.crowd = Stations(options), Crowd(self.log, options)
        self.shown = Shown(self.log, Random(f"shown {options.seed}"))
        self.desks = [Desk() for _ in range(2)]
        self.screens = [Screen() for _ in range(options.screens)]
        self.processes = [
            *(Process(self.log, f"intake-{n}", desk.run) for n, desk in enumerate(self.desks)),
            *(Process(self.log, f"screens-{n}", one.run) for n, one in enumerate(self.screens)),
            *map(self._stats, range(options.stats)),
        ]
        self.matchers = [Matcher() for _ in range(options.matchers if options.asks else 0)]
        self.judges = [
            Process(self.log, f"matching-{n}", one.run) for n, one in enumerate(self.matchers)
        ]
        self.processes += self.judges

    async def play(self) -> None:
        """Run it all; raises AssertionError where something is not as promised."""
        self.log.watching |= dict.fromkeys((self.shown.watch, self.crowd.watch))
        self.log.put(self._registry())
        for process in self.processes:
            process.start()
        try:
            await self._play()
        finally:
            for process in self.processes:
                process.ending = True

    async def _play(self) -> None:
        faults = Faults(self.log, self.processes, self.dice)
        clients = Clients(self.log, self.desks, self.dice)
        asking = self._alone(self._clients(clients))
        self._looking = self._alone(self._look())
        await faults.run()
        faults.heal()
        await self._until("every post is answered", asking.done)
        asking.result()
        if self.matchers:
            await self._until("all is decided and comes to rest", self.crowd.rests)
            await self._judged()
        kept(self.log, clients)
        await self._until("counters are published and shown", self._counted)
        self._looking.cancel()
        self._looking = None
        await self._agree()

    async def _judged(self) -> None:
        """Hold all decisions against the log, then against who takes over from its beginning."""
        link = Link(self.log)
        await reader.check(link, clock())
        count = self.log.partitions(REQUESTS)
        await self._until("every partition is held", lambda: len(self._books()) == count)
        books = self._books()
        for process in self.judges:
            process.ending = True
            process.kill(None)
        for book in books.values():
            reserved(book)
        ends = self._ends(ASSIGNMENTS, REFERRALS)
        heir = Matcher("heirs")
        process = Process(self.log, "heir", heir.run)
        process.start()
        self.processes.append(process)
        await self._until(
            "somebody has taken over", lambda: heir.worker is not None and not heir.worker.ready()
        )
        await asyncio.sleep(0.5)
        assert heir.worker is not None
        for number, source in heir.worker.sources.items():
            before, after = content(books[number]), content(source.book)
            assert before == after, f"takeover: {number}: {_differing(before, after)}"
        assert self._ends(ASSIGNMENTS, REFERRALS) == ends, "takeover: something was decided again"

    def _books(self) -> dict[int, Book]:
        workers = [one.worker for one in self.matchers if one.worker is not None]
        return {
            n: s.book for worker in workers for n, s in worker.sources.items() if s.leads and s.sure
        }

    def _ends(self, *topics: Topic) -> dict[Partition, int]:
        names = {topic.name for topic in topics}
        return {p: tape.end for p, tape in self.log.tapes.items() if p.topic in names}

    async def _look(self) -> None:
        """Look at the screens now and then."""
        while True:
            await asyncio.sleep(0.15)
            for screen in self.screens:
                screen.check(self.shown)

    def _stats(self, number: int) -> Process:
        disk: Shelf | File = Shelf(Random(f"shelf {number} {self.options.seed}"))
        if self.folder is not None:
            disk = File(self.folder / f"{number}.db", self.log.identity)
        return Process(self.log, f"stats-{number}", partial(stats, self.log, disk), disk)

    def _registry(self) -> list[Any]:
        areas = {"hub": (None, None), "city": ("city", "hub")}
        areas |= dict.fromkeys(("county-a", "county-b"), ("county", "city"))
        nodes = [
            record("node.opened", n, name=n, kind="area" if tier else "hub", tier=tier, parent=up)
            for n, (tier, up) in areas.items()
        ]
        others = [*self.stations.registry(), *(self.crowd.registry() if self.matchers else ())]
        return [*nodes, *shuffled(self.dice, others)]

    async def _clients(self, clients: Clients) -> None:
        pause = self.options.seconds / 8
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.stations.run(clients, pause))
            if self.matchers:
                tasks.create_task(self.crowd.run(clients, pause))
        if self.options.facts:
            self.log.put(facts.poison(self.log, self.dice))

    def _alone(self, coroutine: Coroutine[Any, Any, None]) -> Task[None]:
        return get_running_loop().create_task(coroutine)

    async def _until(self, what: str, true: Callable[[], bool]) -> None:
        loop = get_running_loop()
        end = loop.time() + LIVELY
        while not true():
            self._unbroken()
            assert loop.time() < end, f"liveness: not after {LIVELY} s: {what}"
            await asyncio.sleep(0.1)
        self._unbroken()

    def _unbroken(self) -> None:
        if self._looking is not None and self._looking.done():
            self._looking.result()
        for process in self.processes:
            for error in process.broken:
                raise AssertionError(f"broken: {process.name}: {error!r}") from error
        loop = get_running_loop()
        assert isinstance(loop, Loop)
        for error in loop.errors:
            raise error

    def _counted(self) -> bool:
        """Whether every source is published to its end, and every screen shows it."""
        sources = [Partition(t.name, n) for t in COUNTED for n in range(self.log.partitions(t))]
        ends = {source: self.log.tapes[source].shown for source in sources}
        return all(
            self.shown.marks.get(source, 0) >= end
            and all(screen.views.flushed.at(source) >= end for screen in self.screens)
            for source, end in ends.items()
        ) and letters.expected(self.log) <= letters.written(self.log)

    async def _agree(self) -> None:
        self.shown.whole()
        wrong = letters.expected(self.log) ^ letters.written(self.log)
        assert not wrong, f"letters: {sorted(wrong)}"
        fresh = await self._fresh()
        for screen in (fresh, *self.screens):
            for node, key, value in facts.expected(self.stations):
                found = screen.views.counters.read(node, Period.parse("all")).get(key, 0)
                assert found == value, f"ledger: {node} {key}: {found} shown, {value} acknowledged"
        for screen in self.screens:
            assert screen.views.counters._cells == fresh.views.counters._cells, (
                "screens: one that has run for long differs from a fresh one"
            )

    async def _fresh(self) -> Screen:
        """Return a screen that begins now and has read everything."""
        screen = Screen()
        link = Link(self.log)
        running = self._alone(screen.run(link))
        long = self.screens[0].views.read
        await self._until(
            "a fresh screen has read the log",
            lambda: all(
                screen.views.read.at(place) >= tape.shown
                for place, tape in self.log.tapes.items()
                if long.at(place)
            ),
        )
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        return screen


def _differing(one: dict[str, Any], other: dict[str, Any]) -> str:
    return "; ".join(f"{k}: {one[k]} before, {other[k]} after" for k in one if one[k] != other[k])


def content(book: Book) -> dict[str, Any]:
    """Return what is in a book."""
    names = ("cases", "offers", "ended", "answered", "queue", "unmatched", "positions", "now")
    return {name: getattr(book, name) for name in names} | {"booked": book.diary.booked}


def reserved(book: Book) -> None:
    """What is booked is what living assignments book, and nothing else."""
    living = sorted((m.id, m.start, m.end, a) for a, o in book.offers.items() for m in o.members)
    booked = sorted((who, *one) for who in book.diary.booked for one in book.diary.of(who))
    assert living == booked, f"reserved: {booked}, but living are {living}"


def kept(log: Log, clients: Clients) -> None:
    """Everything acknowledged is in the log, and after what was acknowledged before it was sent."""
    posts = {post.body: post for post in reversed(clients.acknowledged)}
    for tape in log.tapes.values():
        latest = 0.0
        for line in tape.lines:
            post = posts.pop(line.value or b"", None)
            if post is not None:
                assert post.ended >= latest, f"order: {post.body.decode()} was there first"
                latest = max(latest, post.began)
    for body in posts:
        raise AssertionError(f"lost: acknowledged, but not in the log: {body.decode()}")


def run(options: Options) -> Ran:
    """Run one seed; return what happened. Raises AssertionError."""
    loop = Loop(Random(f"threads {options.seed}"))  # type: ignore[abstract]  # what is used is there
    with TemporaryDirectory() if options.file else nullcontext() as folder:
        world = World(options, Path(folder) if folder else None)
        loop.run(world.play())
    world.happened["virtual seconds"] = int(loop.time())
    world.happened["records"] = sum(len(tape.lines) for tape in world.log.tapes.values())
    return Ran(world.happened, trace(world.log))


def trace(log: Log) -> str:
    """Return a hash of what was written where and when.

    Left out are ids, and the order of one step's rows: sets of names are in any order.
    """
    written = [
        (p, line.timestamp, line.key) for p, tape in log.tapes.items() for line in tape.lines
    ]
    whole = sorted(written)
    return blake2b(repr(whole).encode(), digest_size=8).hexdigest()
