"""The edge: one station loses its line now and then; what it states then waits there."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from deploy.demo.event import Event
from deploy.demo.mistakes import node
from deploy.demo.places import STATIONS

QUIET = "dawu"
FIRST, EVERY, LONG = 120.0, 1500.0, 480.0
"""Seconds until its line fails, from one failure to the next, and how long one lasts."""

THIN = 30.0
"""Seconds at the end of it when heartbeats get through and facts do not yet."""

BEAT = 15.0
"""Seconds between two heartbeats of a station."""


class Beat(NamedTuple):
    """A heartbeat: complete up to a time, so many facts still to come."""

    node: str
    complete_to: datetime
    waiting: int


def lost(station: str, elapsed: float) -> float | None:
    """Return how long a station's line has been down, so many seconds after the start.

    None: it is well.
    """
    since = elapsed - FIRST
    down = station == QUIET and since >= 0 and since % EVERY < LONG
    return since % EVERY if down else None


@dataclass(slots=True)
class Edge:
    """What all stations have stated and not sent so far."""

    waiting: list[Event] = field(default_factory=list)
    _beaten: dict[str, float] = field(default_factory=dict)

    def send(self, events: Sequence[Event], elapsed: float) -> list[Event]:
        """Return what goes out now; what cannot waits for the line to come back."""
        found = [*self.waiting, *events]
        self.waiting = [one for one in found if lost(origin(one), elapsed) is not None]
        return [one for one in found if lost(origin(one), elapsed) is None]

    def beats(self, now: datetime, elapsed: float) -> list[Beat]:
        """Return the heartbeats that are due; the stations take turns."""
        found = []
        for place, station in enumerate(STATIONS):
            turn = (elapsed + place * BEAT / len(STATIONS)) // BEAT
            down = lost(station.id, elapsed)
            if turn != self._beaten.get(station.id) and (down is None or down > LONG - THIN):
                self._beaten[station.id] = turn
                found.append(self._beat(station.id, now, down or 0.0))
        return found

    def _beat(self, station: str, now: datetime, down: float) -> Beat:
        here = sum(origin(one) == station for one in self.waiting)
        return Beat(station, now - timedelta(seconds=down), here)


def origin(one: Event) -> str:
    """Return who sends a fact: the station of its id, whatever station it was moved to."""
    subject = str(one["subject"])
    return subject.partition(".")[0] if "." in subject else node(one)
