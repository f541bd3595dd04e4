"""A crowd of asks beside the load: straight onto the log, and through an intake."""

import asyncio
from collections import Counter
from contextlib import ExitStack
from dataclasses import replace
from random import Random
from typing import Self

import httpx

import bus
from schemas.codec import Event, decode
from tests.faults.agree import Ask
from tests.faults.beside import Beside
from tests.faults.ledger import Patient
from tests.faults.posts import Posts
from tests.faults.served import headers
from tests.matching.crowd import Crowd, registry
from tests.system.process import until

QUIET = 5.0
"""Seconds in which nothing is decided any more before a crowd believes that all is."""
REST = 0.1
"""Seconds that those who post wait after a few asks."""


class Asks:
    """Stations, experts and heads of several pools ask all sorts of things, by these dice.

    Some write to the log, others post to `intake` with this key. The root of the tree is registered
    by whoever registers the stations.
    """

    def __init__(self, log: str, intake: str, key: str, dice: Random) -> None:
        self._log, self._intake, self._key = log, intake, key
        self._dice = Random(dice.random())
        self._crowd: Crowd | None = None
        self._posts: Posts | None = None
        self._beside = Beside(self._ask, "asks")

    def __enter__(self) -> Self:
        with ExitStack() as begun:
            begun.enter_context(self._beside)
            until(lambda: self.asked > self.posted["taken"] > 0)
            begun.pop_all()
        return self

    def __exit__(self, *wrong: object) -> None:
        self._beside.__exit__(*wrong)

    @property
    def asked(self) -> int:
        """How many asks were acknowledged, repeats among them."""
        self._beside.alive()
        return len(self._crowd.asked) + self.posted["taken"] if self._crowd else 0

    @property
    def posted(self) -> Counter[str]:
        """What was answered to those that were posted."""
        return self._posts.figures if self._posts else Counter()

    @property
    def decided(self) -> int:
        """How many decisions were seen, marks left out."""
        self._beside.alive()
        return self._crowd.seen if self._crowd else 0

    def end(self) -> set[Ask]:
        """Ask no more; return all acknowledged asks, once they are decided."""
        self._beside.end()
        assert self._crowd is not None
        assert self._posts is not None
        written = [decode(record.value) for record in self._crowd.asked]
        return self._posts.taken | {
            (event.kind.name, event.subject) for event in written if isinstance(event, Event)
        }

    async def _ask(self, stop: asyncio.Event) -> None:
        async with (
            bus.connect(self._log) as opened,
            httpx.AsyncClient(headers=headers(self._key), timeout=15.0) as http,
        ):
            log, dice = Patient(opened), Random(self._dice.random())
            crowd = self._crowd = Crowd(log, self._dice)
            pools = registry(crowd.rng)
            await log.publish([record for record in pools if record.key != b"hub"])
            posts = self._posts = Posts(opened, self._intake, http)
            posting = replace(crowd, log=posts, rng=dice, rest=REST, asked=[], written={})
            async with asyncio.TaskGroup() as tasks:
                following = tasks.create_task(crowd.follow())
                async with asyncio.TaskGroup() as asking:
                    asking.create_task(crowd.run(stop))
                    asking.create_task(posting.run(stop))
                for place, end in posting.written.items():
                    crowd.written[place] = max(end, crowd.written.get(place, 0))
                await crowd.quiet(QUIET)
                following.cancel()
