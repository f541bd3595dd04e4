"""How long to wait before the next try: longer each time, short again after a calm run."""

from collections.abc import Callable

FIRST, MOST = 0.5, 30.0
"""Seconds of the first pause, and of the longest."""
CALM = 60.0
"""Seconds of good running after which a failure is the first one again."""


class Pace:
    """Pauses that double. `chance` gives 0 to 1: what failed together shall not start together."""

    def __init__(self, chance: Callable[[], float]) -> None:
        self._chance, self._next = chance, FIRST

    def pause(self, calm: float) -> float:
        """Return how many seconds to wait after a run that went well for `calm` seconds."""
        base = FIRST if calm >= CALM else self._next
        self._next = min(base * 2, MOST)
        return base * (0.75 + self._chance() / 4)
