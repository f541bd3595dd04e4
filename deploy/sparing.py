"""Repeats that are told less and less often: an outage is a few lines, not a flood.

The first of its kind is told at once, the next ones after a minute, two, four and so on, each with
how many were left out. What has not happened for a while is a first one again.
"""

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Any

FIRST, MOST = 60.0, 3600.0
"""Seconds from the first line of a kind to the next, and the most between two."""
QUIET = 30.0
"""Seconds without any of a kind after which the next one is news."""
MANY = 20
"""The most new kinds of one error in `FIRST` seconds; what comes on top is one kind together."""
_KINDS = 1000
_ID = re.compile(r"\d[\w-]*")
_WORDS = 200  # characters of a reason that tell it from another
_Key = tuple[Any, ...]


@dataclass(slots=True)
class _Kind:
    last: float
    due: float
    pause: float = FIRST
    left_out: int = 0


class Sparing(logging.Filter):
    """Lets a line through, or counts it; of warnings and errors only.

    Warnings are of a kind when they say the same, errors when they also say so about the same
    thing and for the same reason, whatever ids are in it.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._kinds: dict[_Key, _Kind] = {}
        self._new: dict[_Key, tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether a line is to be told."""
        if not logging.WARNING <= record.levelno < logging.CRITICAL:
            return True
        now = self._clock()
        key = self._key(record, now)
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

    def _key(self, record: logging.LogRecord, now: float) -> _Key:
        alike, about = _said(record)
        if (alike, about) in self._kinds or self._may_begin(alike, now):
            return alike, about
        return alike, ()

    def _may_begin(self, alike: _Key, now: float) -> bool:
        since, count = self._new.get(alike, (now, 0))
        if now - since > FIRST:
            since, count = now, 0
        self._new[alike] = since, count + 1
        return count < MANY

    def _begin(self, key: _Key, now: float) -> None:
        if len(self._kinds) >= _KINDS:
            self._kinds.clear()
            self._new.clear()
        self._kinds[key] = _Kind(now, now + FIRST)


def _said(record: logging.LogRecord) -> tuple[_Key, _Key]:
    """Return what a line says, and about what."""
    said: Any = record.msg
    error = record.levelno >= logging.ERROR
    if not isinstance(said, dict):
        fault = record.exc_info[0] if error and record.exc_info else None
        return (record.name, record.levelno, str(said)), (fault,)
    alike = said.get("logger"), record.levelno, said.get("event")
    if not error:
        return alike, ()
    why = (_ID.sub("#", str(said.get(name))[:_WORDS]) for name in ("path", "error", "reason"))
    return (*alike, str(said.get("source"))), (str(said.get("file")), *why)


def _mark(record: logging.LogRecord, left_out: int) -> None:
    """Say how many were left out since the last one, in either form that a line can have."""
    if left_out and isinstance(record.msg, dict):
        record.msg = {**record.msg, "left_out": left_out}
    elif left_out:
        record.left_out = left_out
