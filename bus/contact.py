"""Whether the log answers: noted by whoever asks it, and said when that changes."""

from collections.abc import Callable
from time import monotonic

import structlog

_log = structlog.get_logger(__name__)


class Contact:
    """What the last question came to; `who` is the part of a process that asks."""

    def __init__(self, who: str, clock: Callable[[], float] = monotonic) -> None:
        self._who, self._clock, self._since = who, clock, 0.0
        self.away: str | None = None
        """Why the log does not answer; None: it does."""

    def lost(self, reason: object) -> None:
        """Note that there was no answer."""
        if self.away is None:
            self._since = self._clock()
        self.away = str(reason)
        _log.warning("the log does not answer", who=self._who, reason=self.away, away=self._gone())

    def made(self) -> None:
        """Note that there was one."""
        if self.away is not None:
            _log.info("the log answers again", who=self._who, after=self._gone())
        self.away = None

    def doubt(self) -> str | None:
        """Return what to tell who asks whether all is well; None: nothing."""
        return None if self.away is None else f"the log does not answer: {self.away}"

    def _gone(self) -> float:
        return round(self._clock() - self._since, 1)
