"""One partition of the log: what is there for good, and how much of it readers may see."""

from bisect import bisect_left
from dataclasses import dataclass, field
from operator import itemgetter
from typing import NamedTuple

_offset = itemgetter(0)


class Line(NamedTuple):
    """A record as it lies in the log."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


@dataclass(slots=True, eq=False)
class Tape:
    """`end` passes gaps too; `open` are first offsets of transactions not yet marked, by name."""

    lines: list[Line] = field(default_factory=list)
    end: int = 0
    open: dict[int, int] = field(default_factory=dict)

    @property
    def shown(self) -> int:
        """Where a reader of what is committed stands at the end."""
        return min(self.open.values()) if self.open else self.end

    def append(self, key: bytes, value: bytes | None, now: int) -> int:
        """Add a record; return its offset."""
        self.lines.append(Line(self.end, now, key, value))
        self.end += 1
        return self.end - 1

    def read(self, position: int, limit: int) -> tuple[list[Line], int]:
        """Return at most `limit` records from `position`, and where to read on."""
        shown = self.shown
        if position >= shown:
            return [], position
        first = bisect_left(self.lines, position, key=_offset)
        found = self.lines[first : first + limit]
        while found and found[-1].offset >= shown:
            found.pop()
        cut = len(found) == limit
        return found, found[-1].offset + 1 if found and cut else shown

    def compact(self) -> int:
        """Drop what a later record of the same key has replaced; return how many went."""
        before, shown = len(self.lines), self.shown
        last = {line.key: line.offset for line in self.lines if line.offset < shown}
        self.lines = [line for line in self.lines if line.offset >= last.get(line.key, line.offset)]
        return before - len(self.lines)
