"""Screens as a process: the real follower and views; documents are made from them elsewhere."""

from schemas.days import Period
from services.screens.follow import Follower
from services.screens.views import Views
from tests.simulation.link import Link
from tests.simulation.shown import Shown

ALL = Period.parse("all")


class Screen:
    """The views of one process in its present life."""

    def __init__(self) -> None:
        self.views = Views.empty(300)

    async def run(self, link: Link) -> None:
        """Follow for ever, from nothing."""
        self.views = Views.empty(300)
        await Follower(link, self.views).run()

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
