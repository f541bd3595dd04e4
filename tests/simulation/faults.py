"""What happens to processes and to the log while a run is unsafe; the seed draws the moments."""

import asyncio
from collections.abc import Sequence
from random import Random

from schemas.topics import TOPICS
from tests.simulation.log import Log
from tests.simulation.process import Process

OF_PROCESSES = ("kill", "power", "pause", "wipe")
OF_THE_LOG = ("rebalance", "outage", "cut", "compact")


class Faults:
    """Injects what the options allow until `heal`."""

    def __init__(self, log: Log, processes: Sequence[Process], dice: Random) -> None:
        self._log, self._processes, self._dice = log, processes, dice
        options = log.options
        self._kinds = [k for k in (*OF_PROCESSES, *OF_THE_LOG) if k in options.faults]

    async def run(self) -> None:
        """Do one thing after another."""
        options = self._log.options
        loop = asyncio.get_running_loop()
        end = loop.time() + options.seconds
        self._log.faulty = True
        while loop.time() < end:
            await asyncio.sleep(self._dice.expovariate(1 / options.every))
            if self._kinds:
                self._inject(self._dice.choice(self._kinds))
        self._log.faulty = False

    def heal(self) -> None:
        """Let everything run that should."""
        self._log.down = False
        for process in self._processes:
            process.thaw()
            process.start()

    def _inject(self, kind: str) -> None:
        if kind in OF_PROCESSES:
            running = [process for process in self._processes if process.runs]
            if running:
                self._hit(kind, self._dice.choice(running))
        else:
            self._trouble(kind)

    def _hit(self, kind: str, process: Process) -> None:
        dice, session = self._dice, self._log.options.session
        if kind == "pause":
            process.pause(dice.choice((0.3, 1.5, 3.0)) * session)
        else:
            process.kill(dice.choice((0.05, 0.5, 2.0)) * session)
            if process.disk is not None and kind != "kill":
                (process.disk.cut if kind == "power" else process.disk.wipe)()
        self._log.happened[kind] += 1

    def _trouble(self, kind: str) -> None:
        log, dice = self._log, self._dice
        if kind == "rebalance" and log.groups:
            log.groups[dice.choice(sorted(log.groups))].call()
        elif kind == "cut":
            log.cut()
        elif kind == "compact":
            compacted = {topic.name for topic in TOPICS if topic.kept.compacted}
            for place, tape in log.tapes.items():
                if place.topic in compacted:
                    tape.compact()
        elif kind == "outage" and not log.down:
            log.cut()
            log.down = True
            log.later(dice.uniform(0.05, 1.0), self._up)
        log.happened[kind] += 1

    def _up(self) -> None:
        self._log.down = False
        for place in tuple(self._log.tapes):
            self._log.tell(place)
