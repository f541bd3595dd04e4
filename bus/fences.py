"""What to do when fenced while a partition is still held here: rest, and claim it again.

A process that was frozen past its session hears within a heartbeat or two that it holds nothing
any more. Until then it may claim an owner, and so fence whoever rightly came after it. To end for
that would be to let the zombie win; to claim again at once would be to fight with it.
"""

import asyncio
from collections import deque
from collections.abc import Callable

REST = 3.0
"""Seconds to leave an owner alone after it was fenced: six heartbeats of a group's member."""
MOST, WITHIN = 3, 60.0
"""More often than this in so many seconds is no zombie: somebody else does the same work."""


def _now() -> float:
    return asyncio.get_running_loop().time()


class Fences:
    """The times, by the loop's clock, at which an owner was fenced though it was held here."""

    def __init__(self, clock: Callable[[], float] = _now) -> None:
        self._clock = clock
        self._times: deque[float] = deque(maxlen=MOST + 1)

    def borne(self) -> bool:
        """Note another one; return whether to rest and claim again, rather than to end."""
        now = self._clock()
        self._times.append(now)
        return len(self._times) <= MOST or now - self._times[0] > WITHIN

    @property
    def resting(self) -> bool:
        """Whether the owner is still to be left alone."""
        return bool(self._times) and self._clock() - self._times[-1] < REST
