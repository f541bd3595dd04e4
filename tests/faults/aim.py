"""When to ask so that it comes about a moment: as often before it as after, on any machine."""

from datetime import UTC, datetime, timedelta
from random import Random

SPREAD = 0.15
"""Seconds around what is aimed at."""
FIRST, LAST = 0.96, 0.03
"""Seconds by which who came too late aims earlier, and the other way round: at first, and at last.

They are halved whenever the side changes, so that it is soon found where that is, however slow.
"""
LEAST, MOST = -0.5, 2.0
"""How many seconds before the moment may be aimed at: what is done at it is not known long."""


class Aim:
    """Learns how long an ask takes until it is decided, from those that came before or after."""

    def __init__(self, dice: Random) -> None:
        self._dice, self._lead, self._step = dice, SPREAD, FIRST
        self._before: bool | None = None

    def time(self, moment: datetime) -> datetime:
        """Return when to ask."""
        lead = self._lead + self._dice.uniform(-SPREAD, SPREAD)
        return max(moment - timedelta(seconds=lead), datetime.now(UTC))

    def came(self, asked: datetime, moment: datetime, *, before: bool) -> None:
        """Learn on which side of its moment an ask came.

        Of many that were aimed alike all say the same, and that is learned once.
        """
        if self._before is (not before):
            self._step = max(self._step / 2, LAST)
        self._before = before
        lead = (moment - asked).total_seconds()
        aimed = min(self._lead, lead - self._step) if before else max(self._lead, lead + self._step)
        self._lead = min(max(aimed, LEAST), MOST)
