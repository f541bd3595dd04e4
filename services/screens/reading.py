"""All of screens that follows the log: views, index and requests, and how far behind each is."""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from functools import partial
from typing import Any

from bus.port import Bus
from bus.state import State
from schemas.topics import RESULTS
from services.screens.aside import Aside
from services.screens.follow import FOLLOWED, Follower
from services.screens.index import Index
from services.screens.lag import Lag
from services.screens.live import Live
from services.screens.metrics import Metrics
from services.screens.requests.index import FOLLOWED as ASKED
from services.screens.requests.index import Requests
from services.screens.settings import Settings
from services.screens.start import Start
from services.screens.views import Views
from services.screens.wall import Wall

Doubt = Callable[[], str | None]
"""Returns a reason not to be ready, if there is one."""


class Reading:
    """What reads the log, each by a loop of its own; `clock` tells seconds since 1970.

    Facts are kept in one state and requests in another; long looks at these are taken aside.
    """

    def __init__(  # noqa: PLR0913, PLR0917  # all that it is made of
        self,
        log: Bus,
        settings: Settings,
        facts: State,
        asked: State,
        looks: Aside,
        clock: Callable[[], float],
    ) -> None:
        self._facts, self._asked = facts, asked
        self.views = Views.empty(settings.silent_after)
        self.index = Index(log, facts, self.views, clock, settings.index_batch)
        self.requests = Requests(log, asked, self.views.touched, clock, settings.index_batch, looks)
        self.wall = Wall(
            self.views,
            self.index.ticker,
            self.index.trend,
            self.requests.funnel,
            settings.ranking_minimum,
        )
        self.live = Live(self.views, self.wall, settings, self.requests.start, clock)
        self.follower = Follower(log, self.views)
        every = settings.lag_every
        self._lags = {
            "counters": Lag(log, FOLLOWED, self.views.read, every),
            "facts": Lag(log, [RESULTS], self.index.marks, every),
            "requests": Lag(log, ASKED, self.requests.marks, every),
        }

    def show(self, metrics: Metrics) -> None:
        """Let metrics tell how far each view lies behind, and who follows."""
        metrics.show(self._lags, self.live, self.index.marks, self.requests)

    def loops(self) -> dict[str, Coroutine[Any, Any, None]]:
        """Return by name what is to run for as long as screens does."""
        return {
            "follow": self.follower.run(),
            "index": self.index.run(),
            "requests": self.requests.run(),
            "live": self.live.run(),
            **{f"lag-{view}": lag.run() for view, lag in self._lags.items()},
        }

    def doubts(self) -> Mapping[str, Sequence[Doubt]]:
        """Return by name what is to be asked, in this order, before it counts as ready."""
        return {
            "counters": (
                *self._behind("counters", self.follower.start),
                partial(_outdated, self.views),
            ),
            "facts": (self._facts.doubt, *self._behind("facts", self.index.start)),
            "requests": (self._asked.doubt, *self._behind("requests", self.requests.start)),
            "live": (self.live.turns.late,),
        }

    def end(self) -> None:
        """Let all who wait for something new go."""
        self.live.end()
        self.requests.stir.end()

    def _behind(self, view: str, start: Start) -> tuple[Doubt, ...]:
        lag = self._lags[view]
        return start.behind, lag.behind, start.turns.late, lag.turns.late


def _outdated(views: Views) -> str | None:
    found = sorted(views.counters.outdated().items())
    return ", ".join(f"{topic}:{number} is {why}" for (topic, number), why in found) or None
