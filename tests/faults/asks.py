"""A crowd of asks beside the load: requests that go through matching, straight onto the log."""

import asyncio
from random import Random
from typing import Self

import bus
from tests.faults.beside import Beside
from tests.faults.ledger import Patient
from tests.matching.crowd import Crowd, registry
from tests.system.process import until

QUIET = 5.0
"""Seconds in which nothing is decided any more before a crowd believes that all is."""


class Asks:
    """Stations, experts and heads of several pools ask all sorts of things, by these dice.

    The root of the tree is registered by whoever registers the stations.
    """

    def __init__(self, log: str, dice: Random) -> None:
        self._log, self._dice = log, Random(dice.random())
        self._crowd: Crowd | None = None
        self._beside = Beside(self._ask, "asks")

    def __enter__(self) -> Self:
        self._beside.__enter__()
        until(lambda: self.asked > 0)
        return self

    def __exit__(self, *wrong: object) -> None:
        self._beside.__exit__(*wrong)

    @property
    def asked(self) -> int:
        """How many asks are acknowledged."""
        self._beside.alive()
        return len(self._crowd.asked) if self._crowd else 0

    @property
    def decided(self) -> int:
        """How many decisions were seen, marks left out."""
        self._beside.alive()
        return self._crowd.seen if self._crowd else 0

    def end(self) -> int:
        """Ask no more; return how many asks there were, once all of them are decided."""
        self._beside.end()
        assert self._crowd is not None
        return len(self._crowd.asked)

    async def _ask(self, stop: asyncio.Event) -> None:
        async with bus.connect(self._log) as opened:
            log = Patient(opened)
            crowd = self._crowd = Crowd(log, self._dice)
            pools = registry(crowd.rng)
            await log.publish([record for record in pools if record.key != b"hub"])
            async with asyncio.TaskGroup() as tasks:
                following = tasks.create_task(crowd.follow())
                await crowd.run(stop)
                await crowd.quiet(QUIET)
                following.cancel()
