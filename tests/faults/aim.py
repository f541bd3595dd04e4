"""When to ask so that it comes about a moment: as often before it as after, on any machine."""

from datetime import UTC, datetime
from random import Random

SPREAD = 0.15
"""Seconds around what is aimed at."""
STEP = 0.03
"""Seconds by which whoever came too early aims later, and the other way round."""
LEAST, MOST = -0.5, 2.0
"""How many seconds before the moment may be aimed at: what is done at it is not known long."""


class Aim:
    """Learns how long an ask takes until it is decided, from those that came before or after."""

    def __init__(self, dice: Random) -> None:
        self._dice, self._lead = dice, SPREAD

    def wait(self, moment: datetime) -> float:
        """Return for how many seconds to wait before asking."""
        left = (moment - datetime.now(UTC)).total_seconds() - self._lead
        return max(left + self._dice.uniform(-SPREAD, SPREAD), 0.0)

    def came(self, *, before: bool) -> None:
        """Learn on which side of its moment an ask came."""
        lead = self._lead - STEP if before else self._lead + STEP
        self._lead = min(max(lead, LEAST), MOST)
