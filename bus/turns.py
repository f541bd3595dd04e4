"""Loops that come round: one that hangs raises nothing, but is seen by the time it takes."""

from collections.abc import Callable, Iterable
from time import monotonic

LONGEST = 60.0
"""Seconds that a turn may take before its loop counts as stuck."""


class Turns:
    """When each of some loops came round last."""

    def __init__(self, loops: Iterable[str], clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._last = dict.fromkeys(loops, clock())

    def turn(self, loop: str) -> None:
        """Note that a loop comes round."""
        self._last[loop] = self._clock()

    def late(self) -> str | None:
        """Return which loops are stuck, and for how long; None: none is."""
        now = self._clock()
        stuck = {name: now - last for name, last in self._last.items() if now - last > LONGEST}
        return ", ".join(f"{n} has not turned for {s:.0f} s" for n, s in stuck.items()) or None
