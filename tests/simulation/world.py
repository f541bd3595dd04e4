"""One run: a whole hub on the simulated log, first under faults, then healed."""

import asyncio
from asyncio import Task, get_running_loop
from collections import Counter
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import MetaData

from bus.port import Partition
from schemas.topics import COUNTED, REGISTRY
from services.screens.tables import TABLES as FACTS
from services.stats.store import TABLES as LEDGERS
from tests.simulation import facts, letters
from tests.simulation.asks import Crowd
from tests.simulation.clients import Clients
from tests.simulation.events import record, shuffled
from tests.simulation.facts import Stations
from tests.simulation.faults import Faults
from tests.simulation.file import File
from tests.simulation.intake import Desk
from tests.simulation.log import Log
from tests.simulation.loop import Loop
from tests.simulation.matching import Matcher
from tests.simulation.options import Options
from tests.simulation.process import Process
from tests.simulation.screens import Screen
from tests.simulation.shelf import Shelf
from tests.simulation.shown import Shown
from tests.simulation.stats import stats
from tests.simulation.verdicts import agree, decided, kept

LIVELY = 40.0
"""Virtual seconds after healing within which all must have come to rest."""


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
        self.screens = [Screen(self._file(f"screens-{n}", FACTS)) for n in range(options.screens)]
        self.processes = [
            *(Process(self.log, f"intake-{n}", desk.run) for n, desk in enumerate(self.desks)),
            *(
                Process(self.log, f"screens-{n}", one.run, one.disk)
                for n, one in enumerate(self.screens)
            ),
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
        asking = self.alone(self._clients(clients))
        self._looking = self.alone(self._look())
        await faults.run()
        faults.heal()
        await self.until("every post is answered", asking.done)
        asking.result()
        if self.matchers:
            await self.until("all is decided and comes to rest", self.crowd.rests)
            await decided(self)
        kept(self.log, clients)
        await self.until("counters are published and shown", self._counted)
        self._looking.cancel()
        self._looking = None
        await agree(self)

    async def _look(self) -> None:
        """Look at the screens now and then."""
        while True:
            await asyncio.sleep(0.15)
            for screen in self.screens:
                screen.check(self.shown)

    def _stats(self, number: int) -> Process:
        name = f"stats-{number}"
        disk = self._file(name, LEDGERS) or Shelf(Random(f"shelf {number} {self.options.seed}"))
        return Process(self.log, name, partial(stats, self.log, disk), disk)

    def _file(self, name: str, tables: MetaData) -> File | None:
        if self.folder is None:
            return None
        dice = Random(f"file {name} {self.options.seed}")
        return File(self.folder / f"{name}.db", tables, self.log, dice)

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
            tasks.create_task(self._poison())
            if self.matchers:
                tasks.create_task(self.crowd.run(clients, pause))

    async def _poison(self) -> None:
        """Write straight onto the log what no intake would let through."""
        await asyncio.sleep(self.dice.random() * self.options.seconds)
        if self.options.facts:
            self.log.put(facts.poison(self.log, self.dice))

    def alone(self, coroutine: Coroutine[Any, Any, None]) -> Task[None]:
        """Let something go on beside this."""
        return get_running_loop().create_task(coroutine)

    async def until(self, what: str, true: Callable[[], bool]) -> None:
        """Wait for a condition; raises AssertionError when it does not come, or a process broke."""
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
        """Whether every source is published to its end, and every screen shows it where it lies."""
        sources = [Partition(t.name, n) for t in COUNTED for n in range(self.log.partitions(t))]
        ends = {source: self.log.tapes[source].shown for source in sources}
        tree = Partition(REGISTRY.name, 0)
        return (
            all(screen.views.read.at(tree) >= self.log.tapes[tree].shown for screen in self.screens)
            and all(
                self.shown.marks.get(source, 0) >= end
                and all(screen.shows(source, end) for screen in self.screens)
                for source, end in ends.items()
            )
            and letters.expected(self.log) <= letters.written(self.log)
        )
