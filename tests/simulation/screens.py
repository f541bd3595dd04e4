"""Screens as a process: the real follower, views and fact index; documents are made elsewhere."""

from asyncio import TaskGroup, get_running_loop
from typing import TYPE_CHECKING

from bus.port import Partition
from schemas.days import Period
from schemas.topics import RESULTS
from services.screens.follow import Follower
from services.screens.index import Index
from services.screens.views import Views
from tests.simulation.file import File
from tests.simulation.link import Link
from tests.simulation.log import EPOCH
from tests.simulation.shown import Shown

if TYPE_CHECKING:
    from bus.state import State

ALL = Period.parse("all")


class Screen:
    """The views of one process in its present life, and what is kept on its disk if it has one."""

    def __init__(self, disk: File | None = None) -> None:
        self.disk = disk
        self.views = Views.empty(300)
        self.index: Index | None = None
        self.state: State | None = None

    async def run(self, link: Link) -> None:
        """Follow for ever: the views from nothing, the index from where its state stands."""
        self.views, self.index = Views.empty(300), None
        async with TaskGroup() as tasks:
            tasks.create_task(Follower(link, self.views).run())
            if self.disk is not None:
                with self.disk.opened() as self.state:
                    self.index = Index(link, self.state, self.views, _clock, 4)
                    await self.index.run()

    def shows(self, source: Partition, end: int) -> bool:
        """Whether all of a source up to `end` is in what is shown."""
        if self.views.flushed.at(source) < end:
            return False
        if self.disk is None or source.topic != RESULTS.name:
            return True
        return self.index is not None and self.index.marks.at(source) >= end

    def check(self, shown: Shown) -> None:
        """Hold the numbers at the root against the rows of just the marks that were read."""
        expected: dict[str, int] = {}
        for source, (_, position) in self.views.counters.versions().items():
            for key, amount in shown.sums(source, position).items():
                expected[key] = expected.get(key, 0) + amount
        found = self.views.counters.read("hub", ALL)
        for key, amount in expected.items():
            assert found.get(key, 0) == amount, (
                f"flicker: {key} is {found.get(key, 0)} at the root, {amount} by the marks read"
            )


def _clock() -> float:
    return EPOCH + get_running_loop().time()
