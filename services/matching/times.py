"""Exact arithmetic on spans of time: pairs (start, end) of whole microseconds, end not included.

Lists of spans are in order and do not overlap; spans that touch are one.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

from schemas.days import SHANGHAI
from schemas.fields import EARLIEST, LATEST

Span = tuple[int, int]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TICK = timedelta(microseconds=1)
MINUTE = 60_000_000
STEP = 5 * MINUTE


def instant(time: datetime) -> int:
    """Return a time as microseconds since 1970."""
    return (time - EPOCH) // TICK


def moment(at: int) -> datetime:
    """Return microseconds since 1970 as a time of Asia/Shanghai."""
    return (EPOCH + at * TICK).astimezone(SHANGHAI)


LAST = LATEST - TICK
"""The last time that an event can state."""
LOW, HIGH = instant(EARLIEST), instant(LATEST) - 1
ALWAYS: Span = (LOW, HIGH)


def bounded(at: datetime) -> datetime:
    """Return a time that may be too late to be stated, or else the last that can be."""
    return min(at, LAST)


def days(first: str | None, last: str | None) -> Span:
    """Return the span of the days from `first` to `last`, both included; None: without end."""
    start = _midnight(first) if first else LOW
    end = _midnight(last, after=1) if last else HIGH
    return (start, min(end, HIGH))


def _midnight(day: str, after: int = 0) -> int:
    """Return the midnight so many days after that with which a day begins.

    An old registry may hold a day that no calendar has: it lies between its month and the next.
    """
    year, month, number = map(int, day.split("-"))
    try:
        begin = datetime(year, month, number, tzinfo=SHANGHAI)
    except ValueError:
        begin, after = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=SHANGHAI), 0
    return instant(begin) + after * 24 * 60 * MINUTE


def rounded(at: int) -> int:
    """Return `at`, rounded up to the next five minutes."""
    return -(-at // STEP) * STEP


def merged(spans: Iterable[Span]) -> list[Span]:
    """Return spans of any order, overlapping or not, as a list of spans."""
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        elif start < end:
            found.append((start, end))
    return found


def without(spans: Sequence[Span], taken: Sequence[Span]) -> list[Span]:
    """Return what is left of `spans` when `taken` is cut out; both are lists of spans."""
    found, at = [], 0
    for start, end in spans:
        left = start
        while at < len(taken) and taken[at][1] <= left:
            at += 1
        here = at
        while here < len(taken) and taken[here][0] < end:
            if left < taken[here][0]:
                found.append((left, taken[here][0]))
            left = max(left, taken[here][1])
            here += 1
        if left < end:
            found.append((left, end))
    return found


def both(a: Sequence[Span], b: Sequence[Span]) -> list[Span]:
    """Return the spans that lie in both lists."""
    found, i, j = [], 0, 0
    while i < len(a) and j < len(b):
        start, end = max(a[i][0], b[j][0]), min(a[i][1], b[j][1])
        if start < end:
            found.append((start, end))
        if a[i][1] < b[j][1]:
            i += 1
        else:
            j += 1
    return found


def crowded(spans: Iterable[Span], capacity: int) -> list[Span]:
    """Return where at least `capacity` of the spans lie over each other."""
    if capacity == 1:
        return merged(spans)
    edges = sorted(edge for start, end in spans for edge in ((start, 1), (end, -1)))
    found, depth, since = [], 0, 0
    for at, change in edges:
        if depth < capacity <= depth + change:
            since = at
        if depth + change < capacity <= depth:
            found.append((since, at))
        depth += change
    return merged(found)


def starts(spans: Iterable[Span], window: Span, length: int) -> Iterator[int]:
    """Yield the earliest start in each span of what takes `length` and lies in the window."""
    since, until = window
    for start, end in spans:
        if start >= until:
            return
        at = max(start, since)
        if at + length <= min(end, until):
            yield at


def tiled(spans: Iterable[Span], window: Span, length: int) -> Iterator[int]:
    """Yield starts one after another: the earliest in each span, then where one of these may end.

    All but the earliest lie on the span's own grid, so that those of different cases, which may
    begin at different times, do not overlap in part.
    """
    since, until = window
    for start, end in spans:
        if start >= until:
            return
        at, last = max(start, since), min(end, until) - length
        if at <= last:
            yield at
            yield from range(at + length + (start - at) % length, last + 1, length)
