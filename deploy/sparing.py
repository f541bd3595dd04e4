"""Repeats that are told less and less often: an outage is a few lines, not a flood.

The first of its kind is told at once, the next ones after a minute, two, four and so on, each with
how many were left out. What has not happened for a while is a first one again.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Any

FIRST, MOST = 60.0, 3600.0
"""Seconds from the first line of a kind to the next, and the most between two."""
QUIET = 30.0
"""Seconds without any of a kind after which the next one is news."""
_KINDS = 1000


@dataclass(slots=True)
class _Kind:
    last: float
    due: float
    pause: float = FIRST
    left_out: int = 0


class Sparing(logging.Filter):
    """Lets a line through, or counts it; of warnings and errors only.

    Warnings are of a kind when they say the same, errors when they say so about the same source.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._kinds: dict[tuple[Any, ...], _Kind] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether a line is to be told."""
        if not logging.WARNING <= record.levelno < logging.CRITICAL:
            return True
        now, key = self._clock(), _key(record)
        kind = self._kinds.get(key)
        if kind is None or now - kind.last > QUIET:
            _mark(record, kind.left_out if kind else 0)
            self._begin(key, now)
            return True
        kind.last = now
        if now < kind.due:
            kind.left_out += 1
            return False
        _mark(record, kind.left_out)
        kind.pause, kind.left_out = min(kind.pause * 2, MOST), 0
        kind.due = now + kind.pause
        return True

    def _begin(self, key: tuple[Any, ...], now: float) -> None:
        if len(self._kinds) >= _KINDS:
            self._kinds.clear()
        self._kinds[key] = _Kind(now, now + FIRST)


def _key(record: logging.LogRecord) -> tuple[Any, ...]:
    said: Any = record.msg
    if isinstance(said, dict):
        about = said.get("source") if record.levelno >= logging.ERROR else None
        return said.get("logger"), record.levelno, said.get("event"), str(about)
    return record.name, record.levelno, str(said)


def _mark(record: logging.LogRecord, left_out: int) -> None:
    """Say how many were left out since the last one, in either form that a line can have."""
    if left_out and isinstance(record.msg, dict):
        record.msg = {**record.msg, "left_out": left_out}
    elif left_out:
        record.left_out = left_out
