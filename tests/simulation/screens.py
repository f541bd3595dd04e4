"""Screens as a process: the real follower and views; documents are made from them elsewhere."""

from services.screens.follow import Follower
from services.screens.views import Views
from tests.simulation.link import Link


class Screen:
    """The views of one process in its present life."""

    def __init__(self) -> None:
        self.views = Views.empty(300)

    async def run(self, link: Link) -> None:
        """Follow for ever, from nothing."""
        self.views = Views.empty(300)
        await Follower(link, self.views).run()
