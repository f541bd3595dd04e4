"""What screens tells Prometheus: asked whenever somebody looks, kept nowhere."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import get_args

from prometheus_client import CollectorRegistry, Gauge

from bus.gate import Gate as Bounded
from schemas.days import business_day
from schemas.registry import ROOT
from schemas.topics import ASSIGNMENTS, REQUESTS, RESULTS, Topic
from services.screens.drift import Answer
from services.screens.lag import Lag
from services.screens.live import Live
from services.screens.marks import Marks
from services.screens.requests.index import Requests
from services.screens.stamps import instant
from services.screens.views import Views

Ask = Callable[[], float]
_FLUSHED = "When the log took the newest flush mark that is shown, in Unix time."
_DRIFT = "What the last recounts say about the counters shown: 1 at the answer that holds."
_LAG = "Records that the log held when it was asked last and a view has not taken in."
_WAITS = "Questions that wait for what is not shown yet: of those who show a key, and of others."
_UNCOUNTED = "Records that are indexed here and that no flush mark covers yet."


class Metrics:
    """Gauges of one screens, in the registry that was passed in; `clock` in seconds since 1970."""

    def __init__(
        self, registry: CollectorRegistry, views: Views, clock: Callable[[], float]
    ) -> None:
        self._registry, self._views, self._clock = registry, views, clock
        self._gauge("yizhan_screens_flushed_seconds", _FLUSHED, lambda: views.flushed_at / 1000)
        self._gauge("yizhan_screens_stations", "Stations that are open.", self._stations)
        self._gauge("yizhan_screens_silent", "Open stations that are silent.", self._silent)
        drift = Gauge("yizhan_screens_drift", _DRIFT, ["answer"], registry=registry)
        for answer in get_args(Answer):
            drift.labels(answer).set_function(self._answering(answer))

    def wait(self, gates: Mapping[str, Bounded]) -> None:
        """Tell how many questions wait, by who asks them."""
        waits = Gauge("yizhan_screens_waits", _WAITS, ["who"], registry=self._registry)
        for who, gate in gates.items():
            waits.labels(who).set_function(partial(_inside, gate))

    def show(self, lags: Mapping[str, Lag], live: Live, index: Marks, requests: Requests) -> None:
        """Tell about these as well: how far each view lies behind, and who follows."""
        lag = Gauge("yizhan_screens_lag", _LAG, ["view"], registry=self._registry)
        for view, one in lags.items():
            lag.labels(view).set_function(one.records)
        self._gauge("yizhan_screens_streams", "Clients that follow live.", live.followers)
        missing = Gauge("yizhan_screens_uncounted", _UNCOUNTED, ["topic"], registry=self._registry)
        for topic, marks in ((RESULTS, index), (ASSIGNMENTS, requests.marks)):
            missing.labels(topic.name).set_function(self._uncounted(topic, marks))
        self._gauge(
            "yizhan_screens_undecided",
            "Asks that are indexed here and that no decision covers yet.",
            lambda: requests.marks.ahead(requests.decided, REQUESTS.name),
        )

    def _gauge(self, name: str, meaning: str, ask: Ask) -> None:
        Gauge(name, meaning, registry=self._registry).set_function(ask)

    def _stations(self) -> int:
        return len(self._open())

    def _silent(self) -> int:
        now = int(self._clock() * 1000)
        return sum(self._views.pulse.silent(station, now) for station in self._open())

    def _open(self) -> list[str]:
        today = business_day(instant(int(self._clock() * 1000)))
        return self._views.chronicle.stations(ROOT, today)

    def _answering(self, answer: Answer) -> Ask:
        return lambda: self._views.drift.answer(self._views.counters.versions())[0] == answer

    def _uncounted(self, topic: Topic, marks: Marks) -> Ask:
        return lambda: marks.ahead(self._views.flushed, topic.name)


def _inside(gate: Bounded) -> int:
    return gate.inside
