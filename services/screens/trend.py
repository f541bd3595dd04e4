"""The trend: services per hour of the days that walls compare."""

from collections.abc import Iterable
from typing import NamedTuple

HOURS = 24


class Hour(NamedTuple):
    """So many services more (or, negative, fewer) in an hour of a node's day."""

    day: str
    hour: int
    node: str
    amount: int


class Trend:
    """Hours by node of the days that were loaded."""

    def __init__(self) -> None:
        self._days: dict[str, dict[str, list[int]]] = {}

    @property
    def days(self) -> frozenset[str]:
        """The days that are known."""
        return frozenset(self._days)

    def load(self, day: str, hours: Iterable[Hour]) -> None:
        """Take a day as it stands; its changes are told to `add` from now on."""
        self._days[day] = {}
        for hour in hours:
            self.add(hour)

    def forget(self, day: str) -> None:
        """Let a day go."""
        self._days.pop(day, None)

    def add(self, hour: Hour) -> None:
        """Take a change; those of other days are not needed."""
        known = self._days.get(hour.day)
        if known is not None:
            known.setdefault(hour.node, [0] * HOURS)[hour.hour] += hour.amount

    def series(self, nodes: Iterable[str], day: str) -> list[int]:
        """Return the services of some nodes per hour of a day."""
        known = self._days.get(day, {})
        return [
            sum(at)
            for at in zip([0] * HOURS, *(known[n] for n in nodes if n in known), strict=True)
        ]
